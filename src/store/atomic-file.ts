// Small files replaced whole: written under a temporary name in the same folder, synced, renamed, and the folder
// synced, so that a reader or a crash sees the old content or the new, never a part. For everything but segments.
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError, messageOf } from '../model/errors.ts';
import { temporaryPrefix } from './format.ts';

/** Replaces the file at `target` atomically and durably. */
export async function replaceFile(target: string, content: string | Uint8Array): Promise<void> {
  const temporary = temporaryPath(target);
  try {
    await writeSynced(temporary, content);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(target));
}

/** A name beside `target` that no reader looks at and no other process uses. */
export function temporaryPath(target: string): string {
  const unique = `${process.pid}-${randomBytes(6).toString('hex')}`;
  return path.join(path.dirname(target), `${temporaryPrefix}${path.basename(target)}-${unique}`);
}

/** Writes a new file and syncs it. */
export async function writeSynced(target: string, content: string | Uint8Array): Promise<void> {
  const file = await open(target, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Makes `folder` with all above it that are missing, each name durable. Step by step: Node's recursive mkdir says ENOENT
 * where a file system is read-only, and never ends where one has no folders to be made, as /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  const parent = path.dirname(path.resolve(folder));
  const made = await makeOne(folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || parent === path.resolve(folder)) throw error;
    await makeFolder(parent);
    return makeOne(folder);
  });
  if (made) await syncFolder(parent);
}

/** false where it is there already. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The parsed file, null if there is none. A file that is not JSON is STORE_UNREADABLE. */
export async function readJsonFile(source: string): Promise<unknown | null> {
  const content = await readFile(source, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (content === null) return null;
  try {
    return JSON.parse(content) as unknown;
  } catch (cause) {
    const message = `${source} is not valid JSON: ${messageOf(cause)}`;
    throw new JobrecError('STORE_UNREADABLE', message, { data: { path: source }, cause });
  }
}

/** Syncs a file that has been written by other means. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames and new names in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Windows and some network file systems have no sync for folders; there is nothing more to do about it there.
    if (!['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await handle.close();
  }
}
