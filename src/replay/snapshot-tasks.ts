// Tasks as cells of a snapshot: an array a task, with the ids that repeat in a table beside them. Invariant: what is read
// back equals what was written; a field that is added to a task does not compile until it is written here too, behind
// those that are there. Spec: docs/format.md, "Snapshots".
import {
  CellError,
  type Cells,
  count,
  countOrNull,
  list,
  listOfGroups,
  number,
  numberOrNull,
  text,
  textOrNull,
} from '../model/cells.ts';
import type { ProducedPartition, StagedPart, TaskMetrics } from '../model/job-events.ts';
import { executionStates } from '../model/states.ts';
import type { ExecutionVertex } from './execution-graph.ts';

const stateNumbers: ReadonlyMap<string, number> = new Map(executionStates.map((state, index) => [state, index]));

/** `[ids, tasks]` */
export function tasksToCells(tasks: readonly ExecutionVertex[]): [string[], unknown[]] {
  const ids = new IdTable();
  const cells = tasks.map((task) => taskToCells(task, ids));
  return [ids.list, cells];
}

/** The tasks that `tasksToCells` has written. Throws a CellError for cells that are none. */
export function tasksFromCells(idsCell: unknown, tasksCell: unknown): ExecutionVertex[] {
  const ids = list(idsCell).map(text);
  return list(tasksCell).map((cell) => taskFromCells(list(cell), ids));
}

class IdTable {
  readonly list: string[] = [];
  readonly #index = new Map<string, number>();

  indexOf(id: string): number {
    const known = this.#index.get(id);
    if (known !== undefined) return known;
    this.#index.set(id, this.list.length);
    return this.list.push(id) - 1;
  }
}

function taskToCells(task: ExecutionVertex, ids: IdTable): unknown[] {
  const {
    subtask,
    state,
    attempt,
    failures,
    epoch,
    workerId,
    finishedSequence,
    metrics,
    partitions,
    parts,
    firstFailure,
    ...rest
  } = task;
  rest satisfies Record<string, never>;
  return [
    subtask,
    stateNumbers.get(state),
    attempt,
    failures,
    epoch,
    workerId === null ? null : ids.indexOf(workerId),
    finishedSequence,
    metrics === null ? null : metricsToCells(metrics),
    partitions.flatMap(({ datasetId, partitionIndex, bytes, rows, subpartitionRows }) => [
      ids.indexOf(datasetId),
      partitionIndex,
      bytes,
      rows,
      subpartitionRows,
    ]),
    parts.flatMap(({ sink, file, rows, bytes }) => [ids.indexOf(sink), file, rows, bytes]),
    firstFailure,
  ];
}

function metricsToCells(metrics: TaskMetrics): unknown[] {
  const { recordsIn, recordsOut, bytesIn, bytesOut, durationMs, ...rest } = metrics;
  rest satisfies Record<string, never>;
  return [recordsIn, recordsOut, bytesIn, bytesOut, durationMs];
}

function taskFromCells(cells: Cells, ids: readonly string[]): ExecutionVertex {
  const state = executionStates[count(cells[1])];
  if (state === undefined) throw new CellError('the state of a task is unknown');
  return {
    subtask: count(cells[0]),
    state,
    attempt: count(cells[2]),
    failures: count(cells[3]),
    epoch: countOrNull(cells[4]),
    workerId: cells[5] === null ? null : idAt(ids, cells[5]),
    finishedSequence: countOrNull(cells[6]),
    metrics: cells[7] === null ? null : metricsFromCells(list(cells[7])),
    partitions: partitionsFromCells(cells[8], ids),
    parts: partsFromCells(cells[9], ids),
    firstFailure: textOrNull(cells[10]),
  };
}

function idAt(ids: readonly string[], cell: unknown): string {
  return text(ids[count(cell)]);
}

function metricsFromCells(cells: Cells): TaskMetrics {
  return {
    recordsIn: number(cells[0]),
    recordsOut: number(cells[1]),
    bytesIn: number(cells[2]),
    bytesOut: number(cells[3]),
    durationMs: number(cells[4]),
  };
}

function partitionsFromCells(cell: unknown, ids: readonly string[]): ProducedPartition[] {
  const cells = listOfGroups(cell, 5);
  const partitions: ProducedPartition[] = [];
  for (let at = 0; at < cells.length; at += 5) {
    const rowsCell = cells[at + 4];
    partitions.push({
      datasetId: idAt(ids, cells[at]),
      partitionIndex: count(cells[at + 1]),
      bytes: numberOrNull(cells[at + 2]),
      rows: numberOrNull(cells[at + 3]),
      subpartitionRows: rowsCell === null ? null : list(rowsCell).map(number),
    });
  }
  return partitions;
}

function partsFromCells(cell: unknown, ids: readonly string[]): StagedPart[] {
  const cells = listOfGroups(cell, 4);
  const parts: StagedPart[] = [];
  for (let at = 0; at < cells.length; at += 4) {
    const [rows, bytes] = [number(cells[at + 2]), number(cells[at + 3])];
    parts.push({ sink: idAt(ids, cells[at]), file: text(cells[at + 1]), rows, bytes });
  }
  return parts;
}
