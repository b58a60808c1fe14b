// Where a recorded state file lies for this process: relative ones beside the metadata, as Flink resolves them; absolute ones
// where they were written, after the user's path maps; other file systems are out of reach. Looks, and changes nothing.
// Spec: docs/checkpoints.md, "Moved checkpoints".
import { stat } from 'node:fs/promises';
import path from 'node:path';

export interface PathMap {
  readonly from: string;
  readonly to: string;
}

export type StatePlace =
  | { readonly kind: 'local'; readonly file: string }
  /** `root`: scheme and host, what a path map may begin with. */
  | { readonly kind: 'remote'; readonly uri: string; readonly root: string };

/** `recorded`: as the metadata says it, a URI or a path. */
export function placeOf(recorded: string, maps: readonly PathMap[]): StatePlace {
  const mapped = mappedPath(recorded, maps);
  const [, scheme, authority, rest = ''] = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/]*))?(.*)$/s.exec(mapped) ?? [];
  if (scheme === undefined) return { kind: 'local', file: path.resolve(mapped) };
  // Flink writes names as they are, not percent-encoded.
  if (scheme.toLowerCase() === 'file' && (authority ?? '') === '') return { kind: 'local', file: path.resolve(rest) };
  return { kind: 'remote', uri: mapped, root: authority === undefined ? `${scheme}:` : `${scheme}://${authority}` };
}

export function relativePlace(folder: string, recorded: string): StatePlace {
  return { kind: 'local', file: path.resolve(folder, recorded) };
}

/** The first map whose FROM ends at a boundary of names. */
function mappedPath(recorded: string, maps: readonly PathMap[]): string {
  for (const { from, to } of maps) {
    const prefix = from.endsWith('/') ? from.slice(0, -1) : from;
    if (recorded === prefix || recorded.startsWith(`${prefix}/`)) return to + recorded.slice(prefix.length);
  }
  return recorded;
}

export type FileLook =
  | { readonly kind: 'file'; readonly bytes: bigint }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string };

export async function lookAtFile(file: string): Promise<FileLook> {
  try {
    const found = await stat(file, { bigint: true });
    return found.isFile() ? { kind: 'file', bytes: found.size } : { kind: 'unreadable', reason: 'is no file' };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    // A name with a zero byte, or longer than the file system takes: no such file can be.
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].includes(code)) return { kind: 'missing' };
    return { kind: 'unreadable', reason: code };
  }
}

/** A folder that holds a file of this name and length where a moved checkpoint has its files; null where none does. */
export async function movedTo(folder: string, recorded: string, bytes: number): Promise<string | null> {
  const name = path.posix.basename(recorded);
  for (const candidate of [folder, path.join(folder, '../shared'), path.join(folder, '../taskowned')]) {
    const look = await lookAtFile(path.join(candidate, name));
    if (look.kind === 'file' && look.bytes >= bytes) return path.resolve(candidate);
  }
  return null;
}
