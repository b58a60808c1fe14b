// One side of the flink-read benchmark, in a fresh process: reads a store in one of the ways below and prints what that
// took, start of the interpreter apart.
import { join } from 'node:path';
import { replayFlink } from '../src/replay/flink-replay.ts';
import { inspectStore } from '../src/services/inspect.ts';
import { readEventFiles } from '../src/store/flink/event-files.ts';
import { openFileBytes } from '../src/store/flink/file-bytes.ts';
import { openFlinkLog } from '../src/store/flink/flink-log.ts';
import { walkFrames } from '../src/store/flink/frame-walk.ts';

/** What one read took. */
export interface ReadCost {
  readonly events: number;
  readonly ms: number;
  /** Of all threads. */
  readonly cpuMs: number;
}

export const ways = { frames: walkAll, decode: decodeAll, replay: replayAll, inspect: inspectAll } as const;
export type Way = keyof typeof ways;

async function walkAll(folder: string): Promise<number> {
  let events = 0;
  for (const { name, size } of (await readEventFiles(folder)).files) {
    const source = await openFileBytes(join(folder, name), size);
    for await (const { frames } of walkFrames(source)) events += frames.length;
    await source.close();
  }
  return events;
}

async function decodeAll(folder: string): Promise<number> {
  return (await (await openFlinkLog(folder)).summary()).events;
}

async function replayAll(folder: string): Promise<number> {
  const { recorded, findings } = await replayFlink((await openFlinkLog(folder)).records(), { job: null });
  if (findings.length > 0) throw new Error('the generated store is not sound');
  return recorded.eventCount;
}

async function inspectAll(folder: string): Promise<number> {
  const { store, damage } = await inspectStore({ location: folder, topology: [] });
  if (damage !== null) throw new Error('the generated store is damaged');
  return store.events;
}

async function main(way: Way, folder: string): Promise<void> {
  const start = performance.now();
  const before = process.cpuUsage();
  const events = await ways[way](folder);
  const { user, system } = process.cpuUsage(before);
  const cost: ReadCost = { events, ms: performance.now() - start, cpuMs: (user + system) / 1000 };
  console.log(JSON.stringify(cost));
}

await main(process.argv[2] as Way, process.argv[3] ?? '');
