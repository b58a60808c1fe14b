// Reading a large store of real Flink, against Flink's own reader (FileSystemJobEventStore of 1.20.3, Java): jobrec's
// `inspect`, its replay, decoding alone, and a bare walk over the frames. Each side in a fresh process, in turns; times
// are taken inside, wall and processor. Skipped without Java or Maven.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { flinkLibrary } from '../test/flink/jars.ts';
import type { ReadCost, Way } from './flink-read-child.ts';
import { type GeneratedStore, writeLargeStore } from './flink-store.ts';
import { checkout, runNode, runProcess } from './processes.ts';
import type { Section } from './section.ts';
import { spreadOf, spreadText } from './statistics.ts';

const bytesMin = 400_000_000;
const tasksOfVertex = 1000;
const capture = join(checkout, 'fixtures/flink/1.20.3/s00-happy/store');
const flinkVersion = '1.20.3';
const child = join(checkout, 'build/bench/flink-read-child.js');
const reader = join(checkout, 'bench/FlinkReader.java');
/** As a JobManager's would be, and more than its reader needs. */
const heap = '-Xmx1g';

const ways: Readonly<Record<Way, string>> = {
  inspect: 'inspect',
  replay: 'replay',
  decode: 'decoding alone',
  frames: 'frames alone',
};

export async function flinkReadBench(scratch: string, rounds: number): Promise<Section> {
  const title = `flink-read: a large store, times as fast as the reader of Flink ${flinkVersion}; aim: 10`;
  const library = await flinkLibrary(flinkVersion, checkout);
  if ('missing' in library) return { title, lines: [`skipped: ${library.missing}`] };
  const folder = join(scratch, 'job-events');
  await mkdir(folder, { recursive: true });
  const store = await writeLargeStore(capture, folder, bytesMin, tasksOfVertex);
  const read = {
    flink: () => costOf(runProcess('java', [heap, '-cp', library.classpath, reader, folder]), store),
    ours: (way: Way) => costOf(runNode([child, way, folder]), store),
  };
  const costs = await inTurns(read, rounds);
  return { title, lines: [storeLine(store), ...linesOf(costs, store)] };
}

interface Readers {
  readonly flink: () => Promise<ReadCost>;
  readonly ours: (way: Way) => Promise<ReadCost>;
}

type Costs = Record<Way | 'flink', ReadCost[]>;

/** One round: Flink, then each of ours; the first round fills the page cache and does not count. */
async function inTurns(read: Readers, rounds: number): Promise<Costs> {
  const costs: Costs = { flink: [], inspect: [], replay: [], decode: [], frames: [] };
  for (let round = -1; round < rounds; round += 1) {
    const flink = await read.flink();
    const ours = {} as Record<Way, ReadCost>;
    for (const way of Object.keys(ways) as Way[]) ours[way] = await read.ours(way);
    if (round < 0) continue;
    costs.flink.push(flink);
    for (const way of Object.keys(ways) as Way[]) costs[way].push(ours[way]);
  }
  return costs;
}

async function costOf(run: Promise<{ readonly stdout: string }>, store: GeneratedStore): Promise<ReadCost> {
  const cost = JSON.parse((await run).stdout) as ReadCost;
  if (cost.events !== store.events) throw new Error(`${cost.events} of ${store.events} events were read`);
  return cost;
}

function storeLine({ events, bytes }: GeneratedStore): string {
  return `store: ${events} events, ${(bytes / 1e6).toFixed(0)} MB, ${Math.round(bytes / events)} bytes each`;
}

function linesOf(costs: Costs, store: GeneratedStore): string[] {
  const ours = (Object.keys(ways) as Way[]).flatMap((way) => {
    const ratio = (cost: 'ms' | 'cpuMs') =>
      costs[way].map((each, round) => (costs.flink[round]?.[cost] ?? 0) / each[cost]);
    return [
      `${ways[way].padEnd(15)} ${spreadText(ratio('ms'), 1)}; by processor time ${spreadText(ratio('cpuMs'), 1)}`,
      `  ${rateOf(costs[way], store)}`,
    ];
  });
  return [`Flink           ${rateOf(costs.flink, store)}`, ...ours];
}

function rateOf(costs: readonly ReadCost[], { events }: GeneratedStore): string {
  const rate = (milliseconds: readonly number[]) => (events / spreadOf(milliseconds).median).toFixed(0);
  const [wall, cpu] = [costs.map(({ ms }) => ms), costs.map(({ cpuMs }) => cpuMs)];
  return `medians: ${rate(wall)} thousand events/s, ${rate(cpu)} by processor time; ${costs.length} rounds`;
}
