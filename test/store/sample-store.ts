// Events of every kind, and small stores made of them by the real writer with a fixed clock. Shared by the store's tests.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { JobEvent, JobSubmitted } from '../../src/model/job-events.ts';
import type { JobGraph, JobVertex } from '../../src/model/job-graph.ts';
import type { JobLog, LogRecord } from '../../src/model/job-log.ts';
import { StoreWriter, type StoreWriterOptions } from '../../src/store/writer.ts';

export const jobId = '0123456789abcdef0123456789abcdef';
export const scanId = 'a'.repeat(32);
export const totalsId = 'b'.repeat(32);
export const scanOutput = 'c'.repeat(32);
export const totalsOutput = 'd'.repeat(32);

function vertex(id: string, name: string, output: string): JobVertex {
  return {
    id,
    name,
    stages: [name],
    inputs: [{ kind: 'source', source: 'flights' }],
    steps: [
      { kind: 'sql', stage: name, sql: 'SELECT 1', inputs: { f: { kind: 'input', input: 0 } }, columns: null },
      {
        kind: 'map',
        stage: 'm',
        module: 'm.mjs',
        exportName: 'default',
        input: { kind: 'step', step: 0 },
        columns: [{ name: 'n', type: 'HUGEINT' }],
      },
    ],
    outputs: [
      {
        id: output,
        from: { kind: 'step', step: 1 },
        exchange: 'hash',
        by: [{ column: 'carrier', castType: null }],
        subpartitions: 4,
        columns: ['carrier'],
      },
    ],
    sinks: [{ sink: 'out', from: { kind: 'step', step: 1 } }],
    parallelism: null,
    maxParallelism: 8,
  };
}

export const graph: JobGraph = {
  name: 'delays',
  vertices: [vertex(scanId, 'scan', scanOutput), vertex(totalsId, 'totals', totalsOutput)],
  edges: [{ producerVertexId: scanId, consumerVertexId: totalsId, datasetId: scanOutput, exchange: 'hash' }],
  sources: [
    {
      name: 'flights',
      format: 'csv',
      files: [{ path: '/in/a.csv', bytes: 10, modifiedMs: 1.5 }],
      options: { delimiter: ';', columns: { a: 'INT' } },
      onBadRow: 'fail',
      columns: [],
      splits: [{ file: 0, rows: [0, 7], bytes: 10 }],
    },
  ],
  sinks: [{ name: 'out', path: '/out', format: 'parquet', mode: 'overwrite' }],
  duckdbVersion: '1.5.6',
};

export const submitted: JobSubmitted = {
  type: 'job-submitted',
  jobId,
  name: 'delays',
  graph,
  config: { 'restart-strategy.type': 'none' },
  fingerprint: { plan: 'p', functions: 'f', inputs: 'i' },
};

/** A job-submitted event that takes little room. */
export const smallSubmitted: JobSubmitted = {
  ...submitted,
  graph: { ...graph, vertices: [], edges: [], sources: [], sinks: [] },
};

export function finished(subtask: number, changes: Partial<JobEvent> = {}): JobEvent {
  return {
    type: 'execution-vertex-finished',
    vertexId: scanId,
    subtask,
    attempt: 1,
    epoch: 1,
    workerId: 'worker-1',
    partitions: [
      { datasetId: scanOutput, partitionIndex: subtask, bytes: 9, rows: 300, subpartitionRows: [1, 2, 300] },
    ],
    parts: [],
    metrics: { recordsIn: 5, recordsOut: 300, bytesIn: 70_000, bytesOut: 9, durationMs: 1.25 },
    ...changes,
  } as JobEvent;
}

/** Every kind that the first jobrec wrote, with its awkward values: nulls, empty lists, ids that the graph does not know. */
export const eventsOfFirstRelease: readonly JobEvent[] = [
  submitted,
  { type: 'job-status-changed', state: 'RUNNING', reason: null },
  { type: 'job-status-changed', state: 'FAILED', reason: 'no space · ünïcode' },
  {
    type: 'job-vertex-initialized',
    vertexId: totalsId,
    parallelism: 2,
    maxParallelism: 8,
    inputs: [
      { datasetId: scanOutput, ranges: [{ partitions: [0, 3], subpartitions: [0, 1] }] },
      { datasetId: 'e'.repeat(32), ranges: [] },
    ],
  },
  finished(0),
  finished(1, {
    vertexId: 'f'.repeat(32),
    partitions: [{ datasetId: 'e'.repeat(32), partitionIndex: 0, bytes: null, rows: null, subpartitionRows: null }],
    parts: [{ sink: 'out', file: 'part-1.parquet', rows: 12, bytes: 2 ** 40 }],
  } as Partial<JobEvent>),
  { type: 'execution-vertex-reset', vertexId: scanId, subtasks: [0, 70_000, 2] },
  {
    type: 'coordinator-snapshot',
    vertexId: scanId,
    operatorId: 'flights',
    incremental: true,
    assigned: [0, 1, 1, 0],
    finished: [],
    supportsBatchSnapshot: true,
  },
  { type: 'shuffle-master-snapshot', incremental: false, state: new Uint8Array([0, 255, 1]) },
  {
    type: 'partitions-released',
    partitions: [
      { datasetId: scanOutput, partitionIndex: 1 },
      { datasetId: scanOutput, partitionIndex: 0 },
      { datasetId: totalsOutput, partitionIndex: 0 },
      { datasetId: scanOutput, partitionIndex: 2 },
    ],
  },
  {
    type: 'commit-started',
    sinks: [{ sink: 'out', parts: [{ staged: 's/1', final: 'part-1', rows: 3, bytes: 44 }], removes: ['old'] }],
  },
  { type: 'recovery-completed', epoch: 2, cause: 'job-master-lost', kept: 3, rerun: 1, durationMs: 12.5 },
  { type: 'worker-registered', workerId: 'worker-1', pid: 77, slots: 2, partitions: 0 },
  { type: 'worker-lost', workerId: 'worker-1', reason: 'heartbeat' },
  { type: 'execution-deployed', vertexId: scanId, subtask: 0, attempt: 0, workerId: 'worker-1' },
  {
    type: 'execution-failed',
    vertexId: scanId,
    subtask: 0,
    attempt: 0,
    workerId: null,
    cause: 'Conversion Error',
    counted: true,
  },
];

/** One of each kind, those that format 1 got later at the end. */
export const eventsOfEveryKind: readonly JobEvent[] = [
  ...eventsOfFirstRelease,
  {
    type: 'checkpoint-completed',
    checkpointId: 7,
    location: '/c/chk-7',
    stateBytes: 4096,
    durationMs: 3.5,
    sinks: [{ sink: 'out', rows: 12 }],
  },
  { type: 'savepoint-completed', checkpointId: 8, location: '/s/sp', stateBytes: 0, durationMs: 1, sinks: [] },
  { type: 'checkpoint-aborted', checkpointId: 9, reason: 'it took longer than 10 min' },
  {
    type: 'checkpoint-restored',
    checkpointId: 7,
    location: '/c/chk-7',
    skipped: [{ checkpointId: 9, reason: 'its checksum is wrong' }],
  },
];

/** A new folder, gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new folder for a whole suite, which removes it itself. */
export function newFolder(): Promise<string> {
  return mkdtemp(path.join(os.tmpdir(), 'jobrec-store-'));
}

/** A clock that gives 1 ms more each time it is asked. */
export function steppingClock(startMicros = 1_700_000_000_000_000): () => number {
  let now = startMicros;
  return () => {
    now += 1000;
    return now;
  };
}

export function optionsFor(folder: string, changes: Partial<StoreWriterOptions> = {}): StoreWriterOptions {
  return {
    folder,
    jobId,
    epoch: 1,
    flushIntervalMs: 0,
    writeBufferSizeBytes: 64 * 1024,
    isFenced: async () => false,
    now: steppingClock(),
    ...changes,
  };
}

/** Writes each group as one commit and waits until it is acknowledged and its mark written. */
export async function writeGroups(writer: StoreWriter, groups: readonly (readonly JobEvent[])[]): Promise<void> {
  for (const group of groups) {
    for (const event of group) writer.append(event);
    await writer.flush();
  }
}

/**
 * A store of a few kB over three epochs: the first cut by the second, the second rolled over two segments, the third
 * closed but not sealed.
 */
export async function writeThreeEpochs(folder: string): Promise<void> {
  const first = await StoreWriter.create(optionsFor(folder));
  await writeGroups(first, [[smallSubmitted], [finished(0), finished(1)]]);
  await first.close();
  const second = await StoreWriter.resume(optionsFor(folder, { epoch: 2, segmentSizeBytesMax: 400 }));
  await writeGroups(second.writer, [[finished(2), finished(3)], [finished(4)]]);
  await second.writer.close();
  const third = await StoreWriter.resume(optionsFor(folder, { epoch: 3 }));
  await writeGroups(third.writer, [[finished(5)], [finished(6), finished(7)]]);
  await third.writer.close();
}

export async function recordsOf(log: JobLog): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.records()) records.push(record);
  return records;
}

/** All files of a folder with their bytes, by name. */
export async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const)),
  );
}
