// What lies at the path of a log: a folder of files, or one file. Where nothing is there is nothing to read yet; what is
// there and cannot be looked at is no empty log, and fails the task.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { JobrecError, messageOf } from '../../../model/errors.ts';

export interface LogFiles {
  readonly folder: string;
  readonly names: readonly string[];
}

/** By name; those that begin with a dot or an underscore are nobody's. null: nothing is there. */
export async function findLogFiles(path: string): Promise<LogFiles | null> {
  const found = await ifThere(path, () => stat(path));
  if (!found) return null;
  if (!found.isDirectory()) return { folder: dirname(path), names: [basename(path)] };
  const entries = (await ifThere(path, () => readdir(path, { withFileTypes: true }))) ?? [];
  const files = entries.filter((entry) => entry.isFile() && !/^[._]/.test(entry.name));
  return { folder: path, names: files.map((entry) => entry.name).sort() };
}

export async function sizeOfLog(path: string): Promise<number> {
  const found = await ifThere(path, () => stat(path));
  if (found) return found.size;
  throw new JobrecError('SOURCE_UNREADABLE', `${path} is gone: it was read before`, { data: { path } });
}

async function ifThere<T>(path: string, look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${path} cannot be read: ${messageOf(error)}`;
    throw new JobrecError('SOURCE_UNREADABLE', message, { data: { path }, cause: error });
  }
}
