// How snapshots of a source's SplitEnumerator build up its state: a full snapshot replaces, an increment adds, the last
// word on a split wins. A reset returns the splits of its tasks, so that they are handed out again (FLIP-27's
// addSplitsBack); a split is never counted as handed out to a task that has to start over.
import type { CoordinatorSnapshot } from '../model/job-events.ts';
import type { CoordinatorState, ExecutionGraph, OperatorCoordinatorState } from './execution-graph.ts';

const bytesPerNumber = 4;

/** Applies a coordinator snapshot; one of a vertex that the store does not know changes nothing. */
export function applyCoordinatorSnapshot(graph: ExecutionGraph, event: CoordinatorSnapshot): null {
  const vertex = graph.vertices.get(event.vertexId);
  if (vertex === undefined) return null;
  vertex.coordinator ??= { operators: new Map(), supportsBatchSnapshot: null };
  const operator = operatorFor(vertex.coordinator, event);
  for (let at = 0; at + 1 < event.assigned.length; at += 2) {
    operator.assigned.set(event.assigned[at] as number, event.assigned[at + 1] as number);
  }
  for (const split of event.finished) operator.finished.add(split);
  operator.supportsBatchSnapshot = event.supportsBatchSnapshot;
  operator.bytes = sizeOf(operator);
  vertex.coordinator.supportsBatchSnapshot = supportOf(vertex.coordinator);
  return null;
}

function operatorFor(coordinator: CoordinatorState, event: CoordinatorSnapshot): OperatorCoordinatorState {
  const known = coordinator.operators.get(event.operatorId);
  if (known !== undefined && event.incremental) return known;
  const operator: OperatorCoordinatorState = {
    operatorId: event.operatorId,
    supportsBatchSnapshot: null,
    assigned: new Map(),
    finished: new Set(),
    bytes: 0,
  };
  coordinator.operators.set(event.operatorId, operator);
  return operator;
}

function sizeOf(operator: OperatorCoordinatorState): number {
  return bytesPerNumber * (2 * operator.assigned.size + operator.finished.size);
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
      operator.finished.delete(split);
    }
    operator.bytes = sizeOf(operator);
  }
}
