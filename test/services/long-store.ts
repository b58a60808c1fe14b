// Stores of random jobs with a life behind them: several epochs, segments and snapshots, in a job's folder of their own.
// Shared by the tests of compact and repair.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { takeSnapshot, writeGraph } from '../../src/engine/job-master/take-snapshot.ts';
import type { JobEvent } from '../../src/model/job-events.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { graphOfSnapshot } from '../../src/replay/graph-snapshot.ts';
import { replayLog, replayNewest } from '../../src/replay/replay-log.ts';
import { temporaryPath } from '../../src/store/atomic-file.ts';
import { parseSegmentName } from '../../src/store/format.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { seeded } from '../replay/random.ts';
import { randomLog } from '../replay/random-log.ts';
import { newFolder, optionsFor, recordsOf } from '../store/sample-store.ts';

export const longJobId = 'a'.repeat(32);

export interface LongStore {
  /** Of the job: the store's is `job-events` below it. */
  readonly root: string;
  readonly folder: string;
  readonly events: readonly JobEvent[];
}

export interface LongStoreOptions {
  readonly seed: number;
  readonly snapshots?: boolean;
  /** The last event, for a job that has ended; its store is sealed. */
  readonly ends?: boolean;
}

/** Puts another state, under good checksums, into the newest snapshot; its name, or null where the store has none. */
export async function forgeSnapshot(folder: string): Promise<string | null> {
  const log = await openJobLog(folder);
  const [newest] = await log.snapshots();
  if (newest === undefined) return null;
  const { name, sequence, epoch } = newest;
  const last = (await recordsOf(log)).find((record) => record.sequence === sequence);
  // What the snapshot of a retirement replaced is no longer there to be contradicted.
  const segment = parseSegmentName(last?.segment ?? '');
  const graph = await graphOfSnapshot(newest);
  if (last === undefined || segment === null || typeof graph === 'string') return null;
  graph.stateReason = 'nobody said so';
  const position = { segment, offset: last.offset + last.bytes, sequence, timeMicros: last.timeMicros ?? 0 };
  await writeGraph(graph, position, { folder, epoch, temporary: temporaryPath(path.join(folder, 'snapshot')) });
  return name;
}

export async function writeLongStore({ seed, snapshots = true, ends = false }: LongStoreOptions): Promise<LongStore> {
  const root = await newFolder();
  const folder = path.join(root, 'job-events');
  await mkdir(folder);
  const random = seeded(seed);
  const end: JobEvent[] = ends ? [{ type: 'job-status-changed', state: 'FINISHED', reason: null }] : [];
  const events = [...randomLog(seed).map((record) => record.event), ...end];
  const epochs = 1 + random.below(4);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const [from, to] = [epoch - 1, epoch].map((part) => Math.ceil((part * events.length) / epochs));
    const { writer } = await StoreWriter.resume(
      optionsFor(folder, { epoch, jobId: longJobId, segmentSizeBytesMax: 1200 }),
    );
    for (const event of events.slice(from, to)) {
      writer.append(event);
      if (!random.chance(0.2)) continue;
      await writer.flush();
      if (!snapshots || !random.chance(0.5)) continue;
      const temporary = temporaryPath(path.join(folder, 'snapshot'));
      const { sequence } = writer.acknowledged;
      const taken = await takeSnapshot(await openJobLog(folder), sequence, { folder, epoch, temporary });
      if (taken !== null) writer.noteSnapshot(taken);
    }
    if (ends && epoch === epochs) await writer.seal();
    await writer.close();
  }
  return { root, folder, events };
}

/** By the events where they are, and by the newest snapshot. */
export async function graphsOf(folder: string): Promise<readonly [ExecutionGraph, ExecutionGraph]> {
  const log = await openJobLog(folder);
  return [(await replayLog(log)).graph, (await replayNewest(log)).graph];
}
