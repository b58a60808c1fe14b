// Finishes that the store holds and a recovery drops, because no snapshot of their source's coordinator followed them
// (`execution.batch.job-recovery.snapshot.min-pause`). planRecovery resets them (recovery-cases.ts,
// "finished-behind-the-last-snapshot"); this is what `replay` shows of it. Doc: docs/recovery.md "Snapshots".
import type { JobVertexId } from '../model/ids.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from './execution-graph.ts';

/** Recorded progress that a recovery gives up although the store holds it. */
export interface DroppedEvent {
  readonly sequence: number;
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly reason: string;
}

/** In the graph's order; none of a job that runs no task any more. */
export function droppedFinishes(graph: ExecutionGraph): DroppedEvent[] {
  if (isGloballyTerminal(graph.state) || graph.commit !== null) return [];
  return [...graph.vertices.values()].flatMap((vertex) =>
    vertex.tasks
      .filter((task) => isDropped(vertex, task))
      .map(({ subtask, finishedSequence }) => ({
        sequence: finishedSequence ?? 0,
        vertexId: vertex.id,
        subtask,
        reason: "finished, but no snapshot of its source's coordinator followed it",
      })),
  );
}

/** The graph that a restarted JobMaster holds: what is dropped is CREATED. Shares all else with `graph`. */
export function withoutDropped(graph: ExecutionGraph): ExecutionGraph {
  if (droppedFinishes(graph).length === 0) return graph;
  const vertices = new Map<string, ExecutionJobVertex>();
  for (const vertex of graph.vertices.values()) {
    const tasks = vertex.tasks.map((task) =>
      isDropped(vertex, task) ? { ...task, state: 'CREATED' as const, partitions: [], parts: [] } : task,
    );
    vertices.set(vertex.id, { ...vertex, tasks });
  }
  return { ...graph, vertices };
}

function isDropped(vertex: ExecutionJobVertex, task: ExecutionVertex): boolean {
  return task.state === 'FINISHED' && vertex.awaitingSnapshots.has(task.subtask);
}
