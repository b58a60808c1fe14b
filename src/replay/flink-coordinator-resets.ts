// Phase one of Flink's recovery (rule 4), before it looks at partitions: the coordinators. Where they were restored, the
// unfinished tasks of the vertex are reset; where they cannot be, all of its tasks, unless all had finished: then the
// vertex is marked, and restarts whole with the first of its tasks. Resets go down to all consumers, never up.
// Doc: docs/flink.md "Sources without batch snapshots".
import { type DecisionRow, decide } from './decision-table.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from './execution-graph.ts';
import type { Readers } from './reader-groups.ts';
import { downstreamReason, lostSourceReason, wholeSourceReason } from './reasons.ts';
import type { Reason } from './recovery-plan.ts';

export interface CoordinatorFacts {
  /** All coordinators of the vertex support batch snapshots (or it is not known that one does not). */
  readonly restored: boolean;
  readonly vertexFinished: boolean;
}

export type CoordinatorDecision = 'reset-unfinished' | 'reset-all' | 'mark';

export const coordinatorCases: readonly DecisionRow<CoordinatorFacts, CoordinatorDecision>[] = [
  {
    // It knows what it had handed out to the finished tasks; what unfinished ones had comes back to it.
    label: 'restored',
    when: { restored: true },
    decision: 'reset-unfinished',
  },
  {
    // It starts from nothing, so its finished tasks would be read a second time by others.
    label: 'lost-with-work-left',
    when: { restored: false, vertexFinished: false },
    decision: 'reset-all',
  },
  {
    // Nobody asks it again, as long as none of its tasks restarts.
    label: 'lost-when-done',
    when: { restored: false, vertexFinished: true },
    decision: 'mark',
  },
];

export interface CoordinatorResets {
  /** Finished tasks that are reset, with their reasons. */
  readonly resets: ReadonlyMap<ExecutionVertex, readonly Reason[]>;
  /** Vertices that still restart whole with the first of their tasks. */
  readonly marked: ReadonlySet<ExecutionJobVertex>;
}

interface Visit {
  readonly vertex: ExecutionJobVertex;
  readonly task: ExecutionVertex;
}

interface Walk {
  readonly readers: Readers;
  readonly marked: Set<ExecutionJobVertex>;
  readonly visited: Set<ExecutionVertex>;
  readonly queue: Visit[];
  readonly resets: Map<ExecutionVertex, readonly Reason[]>;
}

/** Which finished tasks the restored and the lost coordinators reset. */
export function coordinatorResets(graph: ExecutionGraph, readers: Readers): CoordinatorResets {
  const walk: Walk = { readers, marked: new Set(), visited: new Set(), queue: [], resets: new Map() };
  for (const vertex of graph.vertices.values()) {
    if (vertex.coordinator !== null && vertex.parallelism !== null) seed(walk, vertex);
  }
  for (let next = 0; next < walk.queue.length; next += 1) walkOn(walk, walk.queue[next] as Visit);
  return walk;
}

function seed(walk: Walk, vertex: ExecutionJobVertex): void {
  const unfinished = vertex.tasks.filter((task) => task.state !== 'FINISHED');
  const restored = vertex.coordinator?.supportsBatchSnapshot !== false;
  switch (decide(coordinatorCases, { restored, vertexFinished: unfinished.length === 0 })) {
    case 'mark':
      walk.marked.add(vertex);
      break;
    case 'reset-all':
      for (const task of vertex.tasks) visit(walk, { vertex, task }, () => lostSourceReason(vertex));
      break;
    case 'reset-unfinished':
      for (const task of unfinished) visit(walk, { vertex, task }, () => lostSourceReason(vertex));
      break;
  }
}

function visit(walk: Walk, next: Visit, reason: () => Reason): void {
  if (walk.visited.has(next.task)) return;
  walk.visited.add(next.task);
  walk.queue.push(next);
  if (next.task.state === 'FINISHED') walk.resets.set(next.task, [reason()]);
}

function walkOn(walk: Walk, { vertex, task }: Visit): void {
  const runsAgain = task.state === 'FINISHED';
  for (const dataSet of walk.readers.outputsOf.get(vertex) ?? []) {
    for (const group of dataSet.byPartition[task.subtask] ?? []) {
      for (const subtask of group.subtasks) {
        const consumer = group.consumer.tasks[subtask];
        if (consumer === undefined) continue;
        const reason = () => downstreamReason(vertex, task.subtask, runsAgain);
        visit(walk, { vertex: group.consumer, task: consumer }, reason);
      }
    }
  }
  if (!walk.marked.delete(vertex)) return;
  for (const sibling of vertex.tasks)
    visit(walk, { vertex, task: sibling }, () => wholeSourceReason(vertex, task.subtask));
}
