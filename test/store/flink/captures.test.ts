// Every captured store: our records are what Flink's own classes read out of it (store-events.json), field by field, and
// the files are described alike.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ExecutionVertexFinished, InputRange, JobEvent } from '../../../src/model/job-events.ts';
import type { LogRecord } from '../../../src/model/job-log.ts';
import { openJobLog } from '../../../src/store/open-log.ts';
import { captures } from './captures.ts';

describe.each(captures())('%s', (_name, folder) => {
  const stores = readdirSync(folder).filter((name) => /^store(-1)?$/.test(name));
  test.each(stores)('%s reads as Flink reads it', async (store) => {
    const oracle = readOracle(path.join(folder, `${store}-events.json`));
    const log = await openJobLog(path.join(folder, store));
    const records: LogRecord[] = [];
    for await (const record of log.records()) records.push(record);
    expect(records.map(({ event }) => comparable(event))).toEqual(oracle.events.map(withoutUncomparable));
    expect(records.map(({ sequence }) => sequence)).toEqual(records.map((_, index) => index));
    const frames = oracle.files.flatMap((file) =>
      file.frames.map(({ offset, length }) => [file.name, offset, length + 8]),
    );
    expect(records.map(({ segment, offset, bytes }) => [segment, offset, bytes])).toEqual(frames);
    const { segments, events, bytes } = await log.summary();
    expect(segments.map(({ name, bytes, tornBytes }) => ({ name, bytes, tornBytes }))).toEqual(
      oracle.files.map(({ name, bytes, tornBytes }) => ({ name, bytes, tornBytes })),
    );
    expect(events).toBe(oracle.eventCount);
    expect(bytes).toBe(oracle.files.reduce((sum, file) => sum + file.bytes, 0));
  });
});

interface Oracle {
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly tornBytes: number;
    readonly frames: readonly { readonly offset: number; readonly length: number }[];
  }[];
  readonly eventCount: number;
  readonly events: readonly Record<string, unknown>[];
}

function readOracle(file: string): Oracle {
  expect(existsSync(file)).toBe(true);
  return JSON.parse(readFileSync(file, 'utf8')) as Oracle;
}

/** What the oracle tells and the model does not: accumulators, the worker's address. */
function withoutUncomparable(event: Record<string, unknown>): unknown {
  const { userAccumulators, taskManager, ...rest } = event;
  // A reset is a set: we group its tasks by vertex.
  if (Array.isArray(rest.vertices)) return { ...rest, vertices: rest.vertices.toSorted() };
  if (taskManager === undefined) return rest;
  expect(userAccumulators).toEqual([]);
  return { ...rest, worker: (taskManager as { resourceId: string }).resourceId };
}

function comparable(event: JobEvent): unknown {
  if (event.type === 'execution-vertex-finished') return comparableFinish(event);
  if (event.type === 'execution-vertex-reset') {
    const all = [event, ...(event.further ?? [])];
    const vertices = all.flatMap(({ vertexId, subtasks }) => subtasks.map((subtask) => `${vertexId}_${subtask}`));
    return { type: 2, class: 'ExecutionVertexResetEvent', vertices: vertices.sort() };
  }
  if (event.type !== 'job-vertex-initialized') throw new Error(`Flink writes no ${event.type}`);
  const inputs = event.inputs.map(({ datasetId, ranges }) => [
    datasetId,
    ranges.map((range, subtask) => ({ subtask, groups: [range, ...(range.further ?? [])].map(groupText) })),
  ]);
  const { vertexId, parallelism } = event;
  return {
    type: 3,
    class: 'ExecutionJobVertexInitializedEvent',
    vertexId,
    parallelism,
    inputs: Object.fromEntries(inputs),
  };
}

function groupText({ partitions, subpartitions }: InputRange): string[] {
  return [partitions, subpartitions].map(([first, last]) => `[${first}, ${last}]`);
}

function comparableFinish(event: ExecutionVertexFinished): unknown {
  const { vertexId, subtask, attempt, workerId, flink, metrics } = event;
  const { recordsIn, recordsOut, bytesIn, bytesOut } = metrics;
  const shuffle = flink?.snapshot?.shuffleMaster;
  return {
    type: 1,
    class: 'ExecutionVertexFinishedEvent',
    vertexId,
    subtask,
    attempt,
    attemptId: `${flink?.executionGraphId}_${vertexId}_${subtask}_${attempt}`,
    worker: workerId,
    hasSnapshots: flink?.snapshot !== null,
    coordinatorSnapshotBytes: Object.fromEntries(
      (flink?.snapshot?.coordinators ?? []).map(({ operatorId, bytes }) => [operatorId, bytes]),
    ),
    shuffleMasterSnapshot:
      shuffle === undefined
        ? null
        : `org.apache.flink.runtime.shuffle.EmptyShuffleMasterSnapshot ${shuffle.incremental ? 'incremental' : 'full'}`,
    ioMetrics: {
      numRecordsIn: recordsIn,
      numRecordsOut: recordsOut,
      numBytesIn: bytesIn,
      numBytesOut: bytesOut,
      resultPartitionBytes: null,
    },
  };
}
