// Damage to a Flink store between the kill and the restart, as disks and hands do it: the last write torn, a file cut
// short in the middle of the store, a file gone, a frame of a type that nobody knows. What Flink makes of it is part of
// what jobrec predicts (recovery rule 13).
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export const damageKinds = ['torn-tail', 'cut-file', 'missing-file', 'unknown-type'] as const;

export interface Damage {
  readonly kind: (typeof damageKinds)[number];
  /** From 0 to 1: which file, where in it. */
  readonly at: number;
}

const headerBytes = 8;

/** Damages the files in place; what it did, in words. A store that is too small for it stays as it is. */
export async function damageStore(store: string, { kind, at }: Damage): Promise<string> {
  const names = await eventFiles(store);
  const name = kind === 'torn-tail' ? names.at(-1) : names[Math.floor(at * names.length)];
  if (name === undefined) return 'no file to damage';
  const file = join(store, name);
  if (kind === 'missing-file') {
    await rm(file);
    return `${name} removed`;
  }
  const bytes = await readFile(file);
  if (bytes.length <= headerBytes) return `${name} is too small to damage`;
  if (kind === 'unknown-type') return withUnknownType(file, bytes, at);
  const lost = 1 + Math.floor(at * Math.min(bytes.length - 1, 6_000));
  await writeFile(file, bytes.subarray(0, bytes.length - lost));
  return `${name} lost its last ${lost} of ${bytes.length} bytes`;
}

async function withUnknownType(file: string, bytes: Buffer, at: number): Promise<string> {
  const starts = frameStarts(bytes);
  const start = starts[Math.floor(at * starts.length)] ?? 0;
  bytes.writeInt32BE(99, start);
  await writeFile(file, bytes);
  return `${file.slice(file.lastIndexOf('/') + 1)} has a frame of type 99 at ${start}`;
}

/** Frames are `int32 type | int32 length | payload`. */
function frameStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = 0; at + headerBytes <= bytes.length; at += headerBytes + bytes.readInt32BE(at + 4)) starts.push(at);
  return starts;
}

/** In the order of their numbers. */
async function eventFiles(store: string): Promise<string[]> {
  const numberOf = (name: string) => Number(name.slice('events.'.length));
  const names = (await readdir(store)).filter((name) => /^events\.\d+$/.test(name));
  return names.sort((one, other) => numberOf(one) - numberOf(other));
}
