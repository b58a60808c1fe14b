// Everything that the writer asks of a disk, as one small interface, so that tests can hand it a disk that fails, fills
// up, writes short or forgets what was not synced. Invariant: nothing here retries or swallows an error.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from './atomic-file.ts';

export interface StorageFile {
  /** Writes at `position`; returns how many bytes it took, which may be fewer than given. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Returns when everything written before is on disk. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

export interface StoragePort {
  makeFolder(folder: string): Promise<void>;
  /** A new file; fails if there is one. */
  createFile(path: string): Promise<StorageFile>;
  openFile(path: string): Promise<StorageFile>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes names in the folder durable. */
  syncFolder(folder: string): Promise<void>;
}

/** The local file system. */
export const localStorage: StoragePort = {
  makeFolder: async (folder) => {
    await mkdir(folder, { recursive: true });
  },
  createFile: (path) => openLocalFile(path, 'wx'),
  openFile: (path) => openLocalFile(path, 'r+'),
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
};

async function openLocalFile(path: string, flags: string): Promise<StorageFile> {
  const file = await open(path, flags);
  return {
    write: async (bytes, position) => (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
    datasync: () => file.datasync(),
    close: () => file.close(),
  };
}

/** Writes all of `bytes` at `position`. A disk that takes nothing more without an error counts as full. */
export async function writeWhole(file: StorageFile, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const taken = await file.write(bytes.subarray(written), position + written);
    if (taken <= 0) throw new Error(`a write of ${bytes.length - written} bytes at ${position + written} took none`);
    written += taken;
  }
}

/** Makes a whole file and gives it its name, both durable; the file stays open. */
export async function createWhole(
  port: StoragePort,
  temporary: string,
  target: string,
  content: Uint8Array,
): Promise<StorageFile> {
  const file = await port.createFile(temporary);
  try {
    await writeWhole(file, content, 0);
    await file.datasync();
    await port.rename(temporary, target);
    await port.syncFolder(path.dirname(target));
  } catch (error) {
    await file.close().catch(() => {});
    await port.remove(temporary).catch(() => {});
    throw error;
  }
  return file;
}
