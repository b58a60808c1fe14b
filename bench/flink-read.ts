// How fast a large Flink store is read: a bare walk over its frames, decoding them, and what `inspect` and `replay` do:
// decode, fold into a graph, and summarize. The store is generated from real frames into the scratch folder. Flink's own
// reader does 17 to 21 thousand events/s on events of this size (Java, measured with 1.20.3 and 2.3.0).
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replay } from '../src/replay/replay.ts';
import { readEventFiles } from '../src/store/flink/event-files.ts';
import { openFileBytes } from '../src/store/flink/file-bytes.ts';
import { openFlinkLog } from '../src/store/flink/flink-log.ts';
import { walkFrames } from '../src/store/flink/frame-walk.ts';
import { type GeneratedStore, writeLargeStore } from './flink-store.ts';
import { checkout } from './processes.ts';
import type { Section } from './section.ts';
import { spreadOf } from './statistics.ts';

const bytesMin = 400_000_000;
const tasksOfVertex = 1000;
const capture = join(checkout, 'fixtures/flink/1.20.3/s00-happy/store');

export async function flinkReadBench(scratch: string, rounds: number): Promise<Section> {
  const folder = join(scratch, 'job-events');
  await mkdir(folder, { recursive: true });
  const store = await writeLargeStore(capture, folder, bytesMin, tasksOfVertex);
  const readers = { 'frames alone': walkAll, 'decoded alone': summarize, 'inspect, replay': replayAll };
  const lines = [
    `store: ${store.events} events, ${(store.bytes / 1e6).toFixed(0)} MB, ${Math.round(store.bytes / store.events)} bytes each`,
  ];
  for (const [name, read] of Object.entries(readers)) lines.push(await measured(name, read, folder, store, rounds));
  return { title: 'flink-read: a large store of real Flink, events a second', lines };
}

type Read = (folder: string) => Promise<number>;

async function measured(
  name: string,
  read: Read,
  folder: string,
  store: GeneratedStore,
  rounds: number,
): Promise<string> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const start = performance.now();
    const before = process.cpuUsage();
    const events = await read(folder);
    if (events !== store.events) throw new Error(`${name}: ${events} of ${store.events} events`);
    const { user, system } = process.cpuUsage(before);
    if (round < 0) continue;
    wall.push(store.events / ((performance.now() - start) / 1000));
    cpu.push(store.events / ((user + system) / 1e6));
  }
  const text = (values: readonly number[]) => `${(spreadOf(values).median / 1000).toFixed(0)} thousand/s`;
  return `${name.padEnd(18)} ${text(wall)} (best ${(Math.max(...wall) / 1000).toFixed(0)}), by processor time ${text(cpu)}`;
}

async function walkAll(folder: string): Promise<number> {
  let events = 0;
  for (const { name, size } of (await readEventFiles(folder)).files) {
    const source = await openFileBytes(join(folder, name), size);
    for await (const { frames } of walkFrames(source)) events += frames.length;
    await source.close();
  }
  return events;
}

async function summarize(folder: string): Promise<number> {
  return (await (await openFlinkLog(folder)).summary()).events;
}

async function replayAll(folder: string): Promise<number> {
  const log = await openFlinkLog(folder);
  const { graph, findings } = await replay(log.records());
  const { damage } = await log.summary();
  if (findings.length > 0 || damage !== null) throw new Error('the generated store is not sound');
  return graph.eventCount;
}
