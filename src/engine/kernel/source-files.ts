// Whether source files still are what they were when the job was planned: length and modification time, looked at
// before and after each read. A change fails the job: other tasks have read the old rows.
import { stat } from 'node:fs/promises';
import type { SourceFile, SourceSpec } from '../../model/job-graph.ts';
import { TaskError } from './task-error.ts';

/** Throws a TaskError of kind `source-changed` for the first file that changed or is gone. */
export async function checkSourceFiles(source: SourceSpec, files: readonly SourceFile[]): Promise<void> {
  for (const file of files) {
    const found = await stat(file.path).catch(() => null);
    const what = found === null ? 'cannot be read any more' : changeOf(file, found.size, found.mtimeMs);
    if (what !== null) throw new TaskError('source-changed', `source ${source.name}: ${file.path} ${what}`);
  }
}

function changeOf(file: SourceFile, bytes: number, modifiedMs: number): string | null {
  if (bytes !== file.bytes) return `changed while the job runs: it had ${file.bytes} bytes and has ${bytes}`;
  if (modifiedMs !== file.modifiedMs) return 'changed while the job runs: it was modified after the job was planned';
  return null;
}
