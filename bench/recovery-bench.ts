// Time of a recovery's replay against the number of recorded events, from all events and from a snapshot that lies one
// interval (16 MB of events, at most all) before the end. Two kinds of history: a job that grows (each task's events once),
// and one that goes on (the same tasks over and over), where a snapshot stays as small as the job. Each figure is the
// median of runs in this process, warm; no peer: what counts is how the columns grow.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeSnapshot } from '../src/engine/job-master/take-snapshot.ts';
import type { JobEvent } from '../src/model/job-events.ts';
import { replay } from '../src/replay/replay.ts';
import { replayNewest } from '../src/replay/replay-log.ts';
import { openJobLog } from '../src/store/open-log.ts';
import { StoreWriter } from '../src/store/writer.ts';
import type { Section } from './section.ts';
import { spreadOf } from './statistics.ts';
import { eventsOfLargeJob } from './workload.ts';

const counts = [1_000, 10_000, 100_000, 1_000_000];
const intervalBytes = 16 * 1024 * 1024;
const jobId = 'b'.repeat(32);

export async function recoveryBench(scratch: string, pairs: number): Promise<Section> {
  const lines = ['history      events     MB  from events  from snapshot  snapshot MB'];
  for (const kind of ['grows', 'goes on'] as const) {
    for (const count of counts)
      lines.push(await lineOf(join(scratch, `${kind}-${count}`), kind, count, Math.min(pairs, 3)));
  }
  return { title: 'recovery: replay of a store, from all events and from the newest snapshot', lines };
}

async function lineOf(root: string, kind: 'grows' | 'goes on', count: number, runs: number): Promise<string> {
  const folder = join(root, 'job-events');
  await mkdir(root, { recursive: true });
  const { bytes, snapshotAt } = await write(folder, kind, count);
  const temporary = join(folder, '.tmp-snapshot');
  const taken = await takeSnapshot(await openJobLog(folder), snapshotAt, { folder, epoch: 1, temporary });
  const events: number[] = [];
  const snapshot: number[] = [];
  for (let run = 0; run < runs; run++) {
    events.push(await timeOf(async () => void (await replay((await openJobLog(folder)).records()))));
    snapshot.push(await timeOf(async () => void (await replayNewest(await openJobLog(folder)))));
  }
  const ms = (values: number[]) => `${spreadOf(values).median.toFixed(0)} ms`;
  const mb = (value: number) => (value / 1e6).toFixed(1);
  const cells = [kind.padEnd(8), String(count).padStart(10), mb(bytes).padStart(6), ms(events).padStart(12)];
  return [...cells, ms(snapshot).padStart(14), mb(taken?.bytes ?? 0).padStart(12)].join(' ');
}

async function write(folder: string, kind: 'grows' | 'goes on', count: number) {
  const options = {
    folder,
    jobId,
    epoch: 1,
    flushIntervalMs: 0,
    writeBufferSizeBytes: 1 << 20,
    isFenced: async () => false,
  };
  const writer = await StoreWriter.create(options);
  const sequences: number[] = [];
  let held = 0;
  for (const event of eventsOf(kind, count)) {
    const { sequence } = writer.append(event);
    if (sequence % 1000 !== 999) continue;
    await writer.flush();
    sequences.push(writer.acknowledged.bytes);
    held = sequence;
  }
  await writer.flush();
  const { bytes, sequence } = writer.acknowledged;
  await writer.seal();
  await writer.close();
  const groups = sequences.filter((each) => each <= bytes - intervalBytes).length;
  return { bytes, snapshotAt: groups === 0 ? Math.min(held, sequence) : groups * 1000 - 1 };
}

/** A job that goes on has 10,000 events of its own, and then resets, runs and finishes its tasks again. */
function* eventsOf(kind: 'grows' | 'goes on', count: number): Generator<JobEvent> {
  if (kind === 'grows') return yield* eventsOfLargeJob(count);
  const own = eventsOfLargeJob(Math.min(count, 10_000));
  yield* own;
  const again = own.filter(({ type }) => type === 'execution-deployed' || type === 'execution-vertex-finished');
  for (let at = own.length; at < count; at++) yield again[at % again.length] as JobEvent;
}

async function timeOf(action: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}
