// Writes small stores for the tests of the commands: real bytes by the real writer, at fixed times, so that every
// offset and every line of output is the same in each run.
import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobEvent } from '../../src/model/job-events.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { datasetId, finished, initialized, jobGraphOf, submitted, vertexId } from '../replay/job-builder.ts';

export const sampleJobId = 'a'.repeat(32);
const startMicros = Date.parse('2026-01-31T12:00:00Z') * 1000;

export function temporaryFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'jobrec-test-')));
}

export interface WriteOptions {
  readonly folder: string;
  readonly epoch?: number;
  /** Whether the job has ended: the last segment is sealed. */
  readonly seal?: boolean;
}

/** A store of one epoch, one event a second. */
export async function writeStore(events: readonly JobEvent[], options: WriteOptions): Promise<void> {
  let nowMicros = startMicros;
  const writer = await StoreWriter.create({
    folder: options.folder,
    jobId: sampleJobId,
    epoch: options.epoch ?? 1,
    flushIntervalMs: 0,
    writeBufferSizeBytes: 1 << 20,
    isFenced: async () => false,
    now: () => nowMicros,
  });
  // One group: where marks lie between groups depends on time, and golden output has offsets in it.
  for (const event of events) {
    writer.append(event);
    nowMicros += 1e6;
  }
  await writer.flush();
  if (options.seal) await writer.seal();
  await writer.close();
}

const hashed = datasetId('scan', 'hash');

/** scan#0 on w1 and scan#1 on w2 have finished, totals#0 on w1 too; totals#1 has failed once and runs again on w2. */
export const sampleEvents: readonly JobEvent[] = [
  submitted({ ...jobGraphOf([{ name: 'scan' }, { name: 'totals', reads: { scan: 'hash' } }]), name: 'delays' }),
  { type: 'job-status-changed', state: 'RUNNING', reason: null },
  { type: 'worker-registered', workerId: 'w1', pid: 101, slots: 2, partitions: 0 },
  { type: 'worker-registered', workerId: 'w2', pid: 102, slots: 2, partitions: 0 },
  initialized('scan', 2),
  { type: 'execution-deployed', vertexId: vertexId('scan'), subtask: 0, attempt: 0, workerId: 'w1' },
  { type: 'execution-deployed', vertexId: vertexId('scan'), subtask: 1, attempt: 0, workerId: 'w2' },
  {
    type: 'coordinator-snapshot',
    vertexId: vertexId('scan'),
    operatorId: 'flights',
    incremental: false,
    assigned: [0, 0, 1, 1],
    finished: [0, 1],
    supportsBatchSnapshot: true,
  },
  finished('scan', 0, { workerId: 'w1', outputs: [hashed] }),
  finished('scan', 1, { workerId: 'w2', outputs: [hashed] }),
  initialized('totals', 2, {
    [hashed]: [
      [0, 1],
      [0, 1],
    ],
  }),
  finished('totals', 0, { workerId: 'w1' }),
  {
    type: 'execution-failed',
    vertexId: vertexId('totals'),
    subtask: 1,
    attempt: 0,
    workerId: 'w2',
    cause: 'out of memory',
    counted: true,
  },
  { type: 'execution-vertex-reset', vertexId: vertexId('totals'), subtasks: [1] },
  { type: 'execution-deployed', vertexId: vertexId('totals'), subtask: 1, attempt: 1, workerId: 'w2' },
];

/** `<folder>/job-events` with the sample events: a store away from its workers. */
export async function writeSampleStore(folder = temporaryFolder()): Promise<string> {
  const store = join(folder, 'job-events');
  await writeStore(sampleEvents, { folder: store });
  return store;
}
