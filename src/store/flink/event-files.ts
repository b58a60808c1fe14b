// Which files of a folder make up a Flink store: events.0, events.1, … up to the first number that is missing. Flink never
// sees files behind such a gap. Spec: docs/flink.md, "The files".
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

export interface EventFile {
  readonly name: string;
  /** When the folder was read: a live store may grow. */
  readonly size: number;
}

export interface EventFiles {
  readonly folder: string;
  /** In the order in which Flink reads them. */
  readonly files: readonly EventFile[];
  /** Files behind a gap in the numbers, in order. */
  readonly hidden: readonly EventFile[];
}

// Flink writes its numbers without leading zeros, and asks for exactly these names.
const eventsName = /^events\.(0|[1-9]\d{0,14})$/;

export async function readEventFiles(folder: string): Promise<EventFiles> {
  const names = (await readdir(folder)).filter((name) => eventsName.test(name));
  names.sort((a, b) => numberOf(a) - numberOf(b));
  const all = await Promise.all(
    names.map(async (name) => ({ name, size: (await stat(path.join(folder, name))).size })),
  );
  const gap = names.findIndex((name, index) => numberOf(name) !== index);
  const readable = gap === -1 ? all.length : gap;
  return { folder, files: all.slice(0, readable), hidden: all.slice(readable) };
}

function numberOf(name: string): number {
  return Number(name.slice('events.'.length));
}
