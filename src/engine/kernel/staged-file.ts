// Files in a sink's staging folder: named with attempt and epoch, so that no attempt ever writes another's file, and
// synced with their folder before they are reported (invariant 6). Nothing here renames: the commit does.
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFile, syncFolder } from '../../store/atomic-file.ts';
import type { TaskDeployment } from '../protocol/messages.ts';

/** `<kind>-<subtask>.a<attempt>.e<epoch>.<extension>`. */
export function stagedName(kind: string, deployment: TaskDeployment, extension: string): string {
  const { execution, epoch } = deployment;
  return `${kind}-${execution.subtask}.a${execution.attempt}.e${epoch}.${extension}`;
}

/** Makes a file that has been written durable, its name too; gives its length. */
export async function syncStaged(folder: string, name: string): Promise<number> {
  const path = join(folder, name);
  await syncFile(path);
  await syncFolder(folder);
  return (await stat(path)).size;
}

/** Writes `text` and makes it durable; gives its length. */
export async function writeStaged(folder: string, name: string, text: string): Promise<number> {
  await writeFile(join(folder, name), text);
  return syncStaged(folder, name);
}
