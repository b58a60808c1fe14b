// JobEvent -> frame fields and msgpack payload (positional arrays). One Encoder is reused, so a payload is valid only
// until the next one is encoded. Invariant: equal events encode to equal bytes. Spec: docs/format.md, "Events".
import { Encoder } from '@msgpack/msgpack';
import type {
  CommitStarted,
  EnumeratorSnapshot,
  ExecutionVertexFinished,
  JobEvent,
  PartitionsReleased,
  VertexInputInfo,
} from '../model/job-events.ts';
import { recoveryEventTypes } from '../model/job-events.ts';
import { GraphTables, typeByteOf } from './event-types.ts';
import { noVertex, optionalFlag } from './frame.ts';
import { encodeNumberList } from './number-list.ts';
import { recoveryDetailCells } from './recovery-detail-cells.ts';

export interface EncodedEvent {
  readonly type: number;
  readonly flags: number;
  readonly vertex: number;
  /** Shared with the next call: copy or write it first. */
  readonly payload: Uint8Array;
}

export class EventEncoder {
  readonly #encoder = new Encoder({ ignoreUndefined: true });
  #tables = new GraphTables(null);

  /** Goes on in a log whose job is already submitted. */
  useTables(tables: GraphTables): void {
    this.#tables = tables;
  }

  encode(event: JobEvent): EncodedEvent {
    if (event.type === 'job-submitted') this.#tables = new GraphTables(event.graph);
    const vertex = this.#tables.vertexOf(event);
    const payload = this.#encoder.encodeSharedRef(cellsOf(event, vertex, this.#tables));
    const flags = recoveryEventTypes.has(event.type) ? 0 : optionalFlag;
    return { type: typeByteOf[event.type], flags, vertex, payload };
  }
}

function cellsOf(event: JobEvent, vertex: number, tables: GraphTables): readonly unknown[] {
  const id = 'vertexId' in event && vertex === noVertex ? event.vertexId : null;
  switch (event.type) {
    case 'job-submitted': {
      const { plan, functions, inputs } = event.fingerprint;
      return [event.jobId, event.name, event.graph, event.config, [plan, functions, inputs]];
    }
    case 'job-status-changed':
      return [event.state, event.reason];
    case 'job-vertex-initialized':
      return [id, event.parallelism, event.maxParallelism, inputCells(event.inputs, tables)];
    case 'execution-vertex-finished':
      return finishedCells(event, id, tables);
    case 'execution-vertex-reset':
      return [id, encodeNumberList(event.subtasks)];
    case 'coordinator-snapshot': {
      const lists = [encodeNumberList(event.assigned), encodeNumberList(event.finished)];
      const cells = [id, event.operatorId, event.incremental, ...lists, event.supportsBatchSnapshot];
      return event.enumerator === undefined ? cells : [...cells, ...enumeratorCells(event.enumerator)];
    }
    case 'shuffle-master-snapshot':
      return [event.incremental, event.state];
    case 'partitions-released':
      return [releasedCells(event.partitions, tables)];
    case 'commit-started':
      return [commitCells(event.sinks)];
    case 'recovery-completed': {
      const cells = [event.epoch, event.cause, event.kept, event.rerun, event.durationMs];
      return event.detail === undefined ? cells : [...cells, ...recoveryDetailCells(event.detail)];
    }
    case 'worker-registered':
      return [event.workerId, event.pid, event.slots, event.partitions];
    case 'worker-lost':
      return [event.workerId, event.reason];
    case 'execution-deployed':
      return [id, event.subtask, event.attempt, event.workerId];
    case 'execution-failed':
      return [id, event.subtask, event.attempt, event.workerId, event.cause, event.counted];
    case 'checkpoint-completed':
    case 'savepoint-completed': {
      const sinks = event.sinks.flatMap(({ sink, rows }) => [sink, rows]);
      return [event.checkpointId, event.location, event.stateBytes, event.durationMs, sinks];
    }
    case 'checkpoint-aborted':
      return [event.checkpointId, event.reason];
    case 'checkpoint-restored': {
      const skipped = event.skipped.flatMap(({ checkpointId, reason }) => [checkpointId, reason]);
      return [event.checkpointId, event.location, skipped];
    }
  }
}

function inputCells(inputs: readonly VertexInputInfo[], tables: GraphTables): unknown[] {
  const cells: unknown[] = [];
  for (const input of inputs) {
    const numbers = input.ranges.flatMap((range) => [...range.partitions, ...range.subpartitions]);
    cells.push(tables.datasetCell(input.datasetId), encodeNumberList(numbers));
  }
  return cells;
}

function finishedCells(event: ExecutionVertexFinished, id: string | null, tables: GraphTables): unknown[] {
  const partitions: unknown[] = [];
  for (const { datasetId, partitionIndex, bytes, rows, subpartitionRows } of event.partitions) {
    const list = subpartitionRows === null ? null : encodeNumberList(subpartitionRows);
    partitions.push(tables.datasetCell(datasetId), partitionIndex, bytes, rows, list);
  }
  const parts: unknown[] = [];
  for (const part of event.parts) parts.push(part.sink, part.file, part.rows, part.bytes);
  const { recordsIn, recordsOut, bytesIn, bytesOut, durationMs } = event.metrics;
  const metrics = encodeNumberList([recordsIn, recordsOut, bytesIn, bytesOut, durationMs]);
  const cells = [id, event.subtask, event.attempt, event.epoch, event.workerId, partitions, parts, metrics];
  return event.awaitsSnapshotsOf === undefined ? cells : [...cells, event.awaitsSnapshotsOf];
}

function enumeratorCells({ splits, state }: EnumeratorSnapshot): unknown[] {
  const cells = splits.flatMap(({ index, split: { id, file, rows, data } }) => [
    index,
    id,
    file === null ? null : [file.path, file.bytes, file.modifiedMs],
    rows === null ? null : encodeNumberList(rows),
    data,
  ]);
  return [cells, state];
}

/** Runs of one data set become one list; the order of the partitions is kept. */
function releasedCells(partitions: PartitionsReleased['partitions'], tables: GraphTables): unknown[] {
  const runs: { readonly datasetId: string; readonly indices: number[] }[] = [];
  for (const { datasetId, partitionIndex } of partitions) {
    const last = runs.at(-1);
    if (last?.datasetId === datasetId) last.indices.push(partitionIndex);
    else runs.push({ datasetId, indices: [partitionIndex] });
  }
  return runs.flatMap((run) => [tables.datasetCell(run.datasetId), encodeNumberList(run.indices)]);
}

function commitCells(sinks: CommitStarted['sinks']): unknown[] {
  return sinks.flatMap(({ sink, parts, removes }) => [
    sink,
    parts.flatMap((part) => [part.staged, part.final, part.rows, part.bytes]),
    removes,
  ]);
}
