// A folder as one hash: every name, kind, size, modification time and byte below it. Two equal hashes mean that nobody
// changed anything, not even for a moment that left a trace.
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export function folderHash(folder: string): string {
  const hash = createHash('sha256');
  for (const line of describe(folder, '')) hash.update(`${line}\n`);
  return hash.digest('hex');
}

function* describe(root: string, path: string): Generator<string> {
  const full = join(root, path);
  const stat = lstatSync(full, { bigint: true });
  const kind = stat.isDirectory() ? 'folder' : stat.isSymbolicLink() ? 'link' : 'file';
  const content = kind === 'file' ? digest(readFileSync(full)) : kind === 'link' ? readlinkSync(full) : '';
  yield JSON.stringify([
    path,
    kind,
    String(stat.mode),
    String(stat.size),
    String(stat.mtimeNs),
    String(stat.ctimeNs),
    content,
  ]);
  if (kind === 'folder') for (const name of readdirSync(full).sort()) yield* describe(root, join(path, name));
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
