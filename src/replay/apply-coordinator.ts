// How snapshots of a source's SplitEnumerator build up its state: a full snapshot replaces, an increment adds, the last
// word on a split wins. A reset returns the splits of its tasks, so that they are handed out again (FLIP-27's
// addSplitsBack); a split is never counted as handed out to a task that has to start over.
import type { CoordinatorSnapshot } from '../model/job-events.ts';
import type { FoundSplit } from '../model/job-graph.ts';
import type {
  CoordinatorState,
  ExecutionGraph,
  ExecutionJobVertex,
  OperatorCoordinatorState,
} from './execution-graph.ts';

const bytesPerNumber = 4;

/** Applies a coordinator snapshot; one of a vertex that the store does not know changes nothing. */
export function applyCoordinatorSnapshot(graph: ExecutionGraph, event: CoordinatorSnapshot): null {
  const vertex = graph.vertices.get(event.vertexId);
  if (vertex === undefined) return null;
  vertex.coordinator ??= { operators: new Map(), supportsBatchSnapshot: null };
  const operator = operatorFor(vertex.coordinator, event);
  for (let at = 0; at + 1 < event.assigned.length; at += 2) {
    const split = event.assigned[at] as number;
    if (!operator.assigned.has(split)) operator.bytes += 2 * bytesPerNumber;
    operator.assigned.set(split, event.assigned[at + 1] as number);
  }
  for (const split of event.finished) {
    if (!operator.finished.has(split)) operator.bytes += bytesPerNumber;
    operator.finished.add(split);
    settleFinish(vertex, operator, split);
  }
  applyEnumerator(operator, event);
  operator.supportsBatchSnapshot = event.supportsBatchSnapshot;
  vertex.coordinator.supportsBatchSnapshot = supportOf(vertex.coordinator);
  return null;
}

/** The finish of the task that read the split is covered, as far as this coordinator goes. */
function settleFinish(vertex: ExecutionJobVertex, operator: OperatorCoordinatorState, split: number): void {
  const subtask = operator.assigned.get(split);
  const awaited = subtask === undefined ? undefined : vertex.awaitingSnapshots.get(subtask);
  if (subtask === undefined || awaited === undefined) return;
  const left = awaited.filter((operatorId) => operatorId !== operator.operatorId);
  if (left.length > 0) vertex.awaitingSnapshots.set(subtask, left);
  else vertex.awaitingSnapshots.delete(subtask);
}

function operatorFor(coordinator: CoordinatorState, event: CoordinatorSnapshot): OperatorCoordinatorState {
  const known = coordinator.operators.get(event.operatorId);
  if (known !== undefined && event.incremental) return known;
  const operator: OperatorCoordinatorState = {
    operatorId: event.operatorId,
    supportsBatchSnapshot: null,
    assigned: new Map(),
    finished: new Set(),
    splits: new Map(),
    enumeratorState: null,
    bytes: 0,
  };
  coordinator.operators.set(event.operatorId, operator);
  return operator;
}

/** A split that is found again under its index is the same split. */
function applyEnumerator(operator: OperatorCoordinatorState, { enumerator }: CoordinatorSnapshot): void {
  if (enumerator === undefined) return;
  for (const { index, split } of enumerator.splits) {
    if (!operator.splits.has(index)) operator.bytes += sizeOf(split);
    operator.splits.set(index, split);
  }
  if (enumerator.state === null) return;
  operator.bytes += enumerator.state.length - (operator.enumeratorState?.length ?? 0);
  operator.enumeratorState = enumerator.state;
}

function sizeOf({ id, file, rows, data }: FoundSplit): number {
  const numbers = 1 + (file === null ? 0 : 2) + (rows === null ? 0 : 2);
  return bytesPerNumber * numbers + id.length + (file?.path.length ?? 0) + (data?.length ?? 0);
}

function supportOf(coordinator: CoordinatorState): boolean | null {
  const each = [...coordinator.operators.values()].map((operator) => operator.supportsBatchSnapshot);
  if (each.includes(false)) return false;
  return each.includes(null) ? null : true;
}

/** Takes the splits of reset `subtasks` back into the pool. */
export function returnSplits(coordinator: CoordinatorState, subtasks: ReadonlySet<number>): void {
  for (const operator of coordinator.operators.values()) {
    for (const [split, subtask] of operator.assigned) {
      if (!subtasks.has(subtask)) continue;
      operator.assigned.delete(split);
      operator.bytes -= 2 * bytesPerNumber;
      if (operator.finished.delete(split)) operator.bytes -= bytesPerNumber;
    }
  }
}
