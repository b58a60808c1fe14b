// Frame fields and payload -> JobEvent, with every cell's shape checked. Invariant: bytes that are no event are a value
// with a reason, never an exception; elements behind the known ones are ignored, as a newer writer may add some.
// Spec: docs/format.md, "Events" and "Versioning".
import { Decoder } from '@msgpack/msgpack';
import {
  bytes,
  CellError,
  type Cells,
  count,
  flag,
  list,
  listOfGroups,
  number,
  numberOrNull,
  text,
  textOrNull,
  word,
} from '../model/cells.ts';
import { messageOf } from '../model/errors.ts';
import type {
  CommitStarted,
  EnumeratorSnapshot,
  ExecutionVertexFinished,
  InputRange,
  JobEvent,
  JobSubmitted,
  ProducedPartition,
  StagedPart,
  TaskMetrics,
  VertexInputInfo,
} from '../model/job-events.ts';
import { recoveryCauses } from '../model/job-events.ts';
import type { SourceFile } from '../model/job-graph.ts';
import type { JobState } from '../model/states.ts';
import { jobStates } from '../model/states.ts';
import { eventTypeOf, GraphTables } from './event-types.ts';
import { noVertex } from './frame.ts';
import { isJobGraph } from './job-graph-shape.ts';
import { numbers } from './number-list.ts';
import { checkPayloadBounds } from './payload-bounds.ts';
import { recoveryDetailOf } from './recovery-detail-cells.ts';
import { isPlainObject, isText, mapOf } from './shape.ts';

export type DecodedEvent =
  | { readonly kind: 'event'; readonly event: JobEvent }
  | { readonly kind: 'unknown-type' }
  | { readonly kind: 'invalid'; readonly reason: string };

const knownJobStates: ReadonlySet<unknown> = new Set<JobState>(jobStates);

export class EventDecoder {
  readonly #decoder = new Decoder();
  #tables: GraphTables;

  /** `tables` are those of a job that was submitted before the first event that is decoded. */
  constructor(tables = new GraphTables(null)) {
    this.#tables = tables;
  }

  /** Tables of the job graph that was submitted last; a writer that goes on takes them over. */
  get tables(): GraphTables {
    return this.#tables;
  }

  decode(typeByte: number, vertex: number, payload: Uint8Array): DecodedEvent {
    const type = eventTypeOf(typeByte);
    if (type === null) return { kind: 'unknown-type' };
    try {
      checkPayloadBounds(payload);
      const cells = list(this.#decoder.decode(payload));
      const event = eventOf(type, vertex, cells, this.#tables);
      if (event.type === 'job-submitted') this.#tables = new GraphTables(event.graph);
      return { kind: 'event', event };
    } catch (error) {
      // The decoder throws RangeError and its own errors for bytes that are not msgpack; all mean the same here.
      return { kind: 'invalid', reason: messageOf(error) };
    }
  }
}

function eventOf(type: JobEvent['type'], vertex: number, cells: Cells, tables: GraphTables): JobEvent {
  switch (type) {
    case 'job-submitted':
      return submitted(cells);
    case 'job-status-changed':
      return { type, state: jobState(cells[0]), reason: textOrNull(cells[1]) };
    case 'job-vertex-initialized': {
      const [parallelism, maxParallelism] = [count(cells[1]), count(cells[2])];
      return {
        type,
        vertexId: vertexId(vertex, cells, tables),
        parallelism,
        maxParallelism,
        inputs: inputs(cells[3], tables),
      };
    }
    case 'execution-vertex-finished':
      return finished(vertexId(vertex, cells, tables), cells, tables);
    case 'execution-vertex-reset':
      return { type, vertexId: vertexId(vertex, cells, tables), subtasks: numbers(cells[1]) };
    case 'coordinator-snapshot':
      return {
        type,
        vertexId: vertexId(vertex, cells, tables),
        operatorId: text(cells[1]),
        incremental: flag(cells[2]),
        assigned: numbers(cells[3]),
        finished: numbers(cells[4]),
        supportsBatchSnapshot: flag(cells[5]),
        ...(cells.length > 6 ? { enumerator: enumeratorSnapshot(cells) } : {}),
      };
    case 'shuffle-master-snapshot':
      // a copy: the decoder gives a view on the read window, and slicing a Buffer is a view again
      return { type, incremental: flag(cells[0]), state: new Uint8Array(bytes(cells[1])) };
    case 'partitions-released':
      return { type, partitions: released(cells[0], tables) };
    case 'commit-started':
      return { type, sinks: commitSinks(cells[0]) };
    case 'recovery-completed': {
      const [epoch, kept, rerun] = [count(cells[0]), count(cells[2]), count(cells[3])];
      const known = { type, epoch, cause: word(cells[1], recoveryCauses), kept, rerun, durationMs: number(cells[4]) };
      return cells.length > 5 ? { ...known, detail: recoveryDetailOf(cells.slice(5)) } : known;
    }
    case 'worker-registered': {
      const [pid, slots, partitions] = [count(cells[1]), count(cells[2]), count(cells[3])];
      return { type, workerId: text(cells[0]), pid, slots, partitions };
    }
    case 'worker-lost':
      return { type, workerId: text(cells[0]), reason: text(cells[1]) };
    case 'execution-deployed': {
      const [subtask, attempt, workerId] = [count(cells[1]), count(cells[2]), text(cells[3])];
      return { type, vertexId: vertexId(vertex, cells, tables), subtask, attempt, workerId };
    }
    case 'execution-failed': {
      const [subtask, attempt, workerId] = [count(cells[1]), count(cells[2]), textOrNull(cells[3])];
      const [cause, counted] = [text(cells[4]), flag(cells[5])];
      return { type, vertexId: vertexId(vertex, cells, tables), subtask, attempt, workerId, cause, counted };
    }
    case 'checkpoint-completed':
    case 'savepoint-completed': {
      const [checkpointId, stateBytes, durationMs] = [count(cells[0]), count(cells[2]), number(cells[3])];
      const sinks = pairs(cells[4]).map(([sink, rows]) => ({ sink: text(sink), rows: count(rows) }));
      return { type, checkpointId, location: text(cells[1]), stateBytes, durationMs, sinks };
    }
    case 'checkpoint-aborted':
      return { type, checkpointId: count(cells[0]), reason: text(cells[1]) };
    case 'checkpoint-restored': {
      const skipped = pairs(cells[2]).map(([id, reason]) => ({ checkpointId: count(id), reason: text(reason) }));
      return { type, checkpointId: count(cells[0]), location: text(cells[1]), skipped };
    }
  }
}

function submitted(cells: Cells): JobSubmitted {
  const [graph, config, fingerprint] = [cells[2], cells[3], list(cells[4])];
  if (!isJobGraph(graph)) throw new CellError('the job graph has an unknown shape');
  if (!isTextMap(config)) throw new CellError('the configuration is not a map of strings');
  return {
    type: 'job-submitted',
    jobId: text(cells[0]),
    name: text(cells[1]),
    graph,
    config,
    fingerprint: { plan: text(fingerprint[0]), functions: text(fingerprint[1]), inputs: text(fingerprint[2]) },
  };
}

function finished(vertexId: string, cells: Cells, tables: GraphTables): ExecutionVertexFinished {
  return {
    type: 'execution-vertex-finished',
    vertexId,
    subtask: count(cells[1]),
    attempt: count(cells[2]),
    epoch: count(cells[3]),
    workerId: text(cells[4]),
    partitions: producedPartitions(cells[5], tables),
    parts: stagedParts(cells[6]),
    metrics: metrics(cells[7]),
    ...(cells.length > 8 ? { awaitsSnapshotsOf: list(cells[8]).map(text) } : {}),
  };
}

function producedPartitions(cell: unknown, tables: GraphTables): ProducedPartition[] {
  const cells = listOfGroups(cell, 5);
  const partitions: ProducedPartition[] = [];
  for (let at = 0; at < cells.length; at += 5) {
    const list = cells[at + 4];
    partitions.push({
      datasetId: datasetId(cells[at], tables),
      partitionIndex: count(cells[at + 1]),
      bytes: numberOrNull(cells[at + 2]),
      rows: numberOrNull(cells[at + 3]),
      subpartitionRows: list === null ? null : numbers(list),
    });
  }
  return partitions;
}

function stagedParts(cell: unknown): StagedPart[] {
  const cells = listOfGroups(cell, 4);
  const parts: StagedPart[] = [];
  for (let at = 0; at < cells.length; at += 4) {
    const [rows, bytes] = [number(cells[at + 2]), number(cells[at + 3])];
    parts.push({ sink: text(cells[at]), file: text(cells[at + 1]), rows, bytes });
  }
  return parts;
}

function metrics(cell: unknown): TaskMetrics {
  const [recordsIn, recordsOut, bytesIn, bytesOut, durationMs] = numbers(cell);
  if (durationMs === undefined) throw new CellError('metrics are incomplete');
  return {
    recordsIn: number(recordsIn),
    recordsOut: number(recordsOut),
    bytesIn: number(bytesIn),
    bytesOut: number(bytesOut),
    durationMs,
  };
}

function inputs(cell: unknown, tables: GraphTables): VertexInputInfo[] {
  const cells = listOfGroups(cell, 2);
  const infos: VertexInputInfo[] = [];
  for (let at = 0; at < cells.length; at += 2) {
    infos.push({ datasetId: datasetId(cells[at], tables), ranges: inputRanges(numbers(cells[at + 1])) });
  }
  return infos;
}

function inputRanges(flat: Cells): InputRange[] {
  if (flat.length % 4 !== 0) throw new CellError('input ranges are incomplete');
  const ranges: InputRange[] = [];
  for (let at = 0; at < flat.length; at += 4) {
    ranges.push({ partitions: inputRange(flat, at), subpartitions: inputRange(flat, at + 2) });
  }
  return ranges;
}

function enumeratorSnapshot(cells: Cells): EnumeratorSnapshot {
  const flat = listOfGroups(cells[6], 5);
  const splits: EnumeratorSnapshot['splits'][number][] = [];
  for (let at = 0; at < flat.length; at += 5) {
    const [id, file, rows] = [text(flat[at + 1]), sourceFile(flat[at + 2]), rowRange(flat[at + 3])];
    splits.push({ index: count(flat[at]), split: { id, file, rows, data: textOrNull(flat[at + 4]) } });
  }
  return { splits, state: textOrNull(cells[7]) };
}

function sourceFile(cell: unknown): SourceFile | null {
  if (cell === null) return null;
  const [path, size, modifiedMs] = list(cell);
  return { path: text(path), bytes: count(size), modifiedMs: number(modifiedMs) };
}

function rowRange(cell: unknown): readonly [number, number] | null {
  if (cell === null) return null;
  const [first, end] = numbers(cell);
  return [count(first), count(end)];
}

/** Inclusive; one that ends just before it begins is empty: [0, -1], say, of a task that has nothing to read. */
function inputRange(flat: Cells, at: number): readonly [number, number] {
  const first = count(flat[at]);
  const last = number(flat[at + 1]);
  if (!Number.isSafeInteger(last) || last < first - 1) throw new CellError('an inclusive range was expected');
  return [first, last];
}

function released(cell: unknown, tables: GraphTables): { datasetId: string; partitionIndex: number }[] {
  const cells = listOfGroups(cell, 2);
  const partitions: { datasetId: string; partitionIndex: number }[] = [];
  for (let at = 0; at < cells.length; at += 2) {
    const id = datasetId(cells[at], tables);
    for (const partitionIndex of numbers(cells[at + 1])) partitions.push({ datasetId: id, partitionIndex });
  }
  return partitions;
}

function commitSinks(cell: unknown): CommitStarted['sinks'] {
  const cells = listOfGroups(cell, 3);
  const sinks: CommitStarted['sinks'][number][] = [];
  for (let at = 0; at < cells.length; at += 3) {
    sinks.push({ sink: text(cells[at]), parts: commitParts(cells[at + 1]), removes: list(cells[at + 2]).map(text) });
  }
  return sinks;
}

function commitParts(cell: unknown): CommitStarted['sinks'][number]['parts'] {
  const cells = listOfGroups(cell, 4);
  const parts: CommitStarted['sinks'][number]['parts'][number][] = [];
  for (let at = 0; at < cells.length; at += 4) {
    const [rows, bytes] = [number(cells[at + 2]), number(cells[at + 3])];
    parts.push({ staged: text(cells[at]), final: text(cells[at + 1]), rows, bytes });
  }
  return parts;
}

function pairs(cell: unknown): (readonly [unknown, unknown])[] {
  const cells = listOfGroups(cell, 2);
  return Array.from({ length: cells.length / 2 }, (_, index) => [cells[index * 2], cells[index * 2 + 1]] as const);
}

function vertexId(vertex: number, cells: Cells, tables: GraphTables): string {
  if (vertex === noVertex) return text(cells[0]);
  const id = tables.vertexIds[vertex];
  if (id === undefined) throw new CellError(`vertex ${vertex} is not in the job graph`);
  return id;
}

function datasetId(cell: unknown, tables: GraphTables): string {
  if (typeof cell === 'string') return cell;
  const id = tables.datasetIds[count(cell)];
  if (id === undefined) throw new CellError(`data set ${String(cell)} is not in the job graph`);
  return id;
}

function jobState(cell: unknown): JobState {
  if (!knownJobStates.has(cell)) throw new CellError('the job state is unknown');
  return cell as JobState;
}

const textMap = mapOf(isText);

function isTextMap(value: unknown): value is Record<string, string> {
  return isPlainObject(value) && textMap(value);
}
