// Putting files of a store aside before a repair changes them: whole, under a name with their hash, in a folder beside the
// store that no reader takes for one. Invariant: nothing is replaced or removed before its original is there, durable.
// Used by repairs of both formats.
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { copyFile, link, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { syncFile, syncFolder, temporaryPath } from './atomic-file.ts';

/** A file of the store and where its bytes go. */
export interface MovedAside {
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
}

/** Beside the store's own folder. */
export function asideFolder(folder: string): string {
  return `${folder}.damaged`;
}

const hashCharacters = 12;

/** Where the originals of these files would go. Reads only. */
export async function planMovedAside(folder: string, names: readonly string[]): Promise<MovedAside[]> {
  const moved: MovedAside[] = [];
  for (const name of names) {
    const from = path.join(folder, name);
    const sha256 = await hashOf(from);
    // Not a name that anyone takes for a file of a store.
    moved.push({ from, to: path.join(asideFolder(folder), `${name}.${sha256.slice(0, hashCharacters)}`), sha256 });
  }
  return moved;
}

/** Gives each original its second place. Throws what `changed` makes of a file that is no longer the planned one. */
export async function putAside(
  folder: string,
  moved: readonly MovedAside[],
  changed: (file: string) => Error,
  beforeStep: (step: string) => void = () => {},
): Promise<void> {
  beforeStep('make the folder of the originals');
  await mkdir(asideFolder(folder), { recursive: true });
  for (const each of moved) {
    beforeStep(`put ${path.basename(each.from)} aside`);
    await copyAside(each);
    if ((await hashOf(each.to)) !== each.sha256) throw changed(each.from);
  }
  await syncFolder(asideFolder(folder));
  await syncFolder(path.dirname(folder));
}

const noLinkCodes: readonly (string | undefined)[] = ['EPERM', 'EXDEV', 'EMLINK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'];

/** A second name for the same bytes where the file system has that; an earlier, unfinished repair may have made it. */
async function copyAside({ from, to }: MovedAside): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (!noLinkCodes.includes(code)) throw error;
    const temporary = temporaryPath(to);
    await copyFile(from, temporary, constants.COPYFILE_EXCL);
    await syncFile(temporary);
    await rename(temporary, to);
  }
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
