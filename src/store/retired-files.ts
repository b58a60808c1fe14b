// The files of a store that nobody reads any more: segments below the manifest's first, snapshots that end before it, and
// what was being made or removed when its process died. Invariant: only what the manifest says is retired is removed, first
// renamed, so that a name tells how far it came. For who holds the store. Spec: docs/format.md, "Snapshots".
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { compareKeys } from './chain.ts';
import { parseSegmentName, parseSnapshotName, temporaryPrefix } from './format.ts';
import type { Manifest } from './manifest.ts';
import type { StoragePort } from './storage-port.ts';

const retiredPrefix = `${temporaryPrefix}retired-`;

/** Names of what is retired and still there. */
export async function retiredFiles(folder: string, manifest: Manifest): Promise<string[]> {
  const first = manifest.segments[0] ?? null;
  const kept = new Set(manifest.snapshots.map(({ name }) => name));
  const isRetired = (name: string) => {
    const segment = parseSegmentName(name);
    if (segment !== null) return first !== null && compareKeys(segment, first) < 0;
    const snapshot = parseSnapshotName(name);
    if (snapshot !== null) return first !== null && !kept.has(name) && snapshot.baseSequence <= first.baseSequence;
    return name.startsWith(temporaryPrefix);
  };
  return (await readdir(folder)).filter(isRetired).sort();
}

/** Bytes of these files. */
export async function bytesOf(folder: string, names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Renames, then removes. */
export async function removeRetired(folder: string, names: readonly string[], storage: StoragePort): Promise<void> {
  const renamed: string[] = [];
  for (const name of names) {
    const target = name.startsWith(temporaryPrefix) ? name : `${retiredPrefix}${name}`;
    if (target !== name) await storage.rename(path.join(folder, name), path.join(folder, target));
    renamed.push(target);
  }
  await storage.syncFolder(folder);
  for (const name of renamed) await storage.remove(path.join(folder, name));
  await storage.syncFolder(folder);
}
