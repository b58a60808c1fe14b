// The SplitEnumerator of file sources (FLIP-27, all splits known and assigned from the start): which splits each subtask reads, and the
// OperatorCoordinator events that record what was handed out and what is done. Pure.
import { derivedId } from '../../../model/ids.ts';
import type { CoordinatorSnapshot } from '../../../model/job-events.ts';
import type { JobGraph, JobVertex, SourceSpec } from '../../../model/job-graph.ts';
import { evenRange } from '../adaptive-parallelism.ts';

/** Indices of the splits that `subtask` of `parallelism` reads: contiguous, so that neighbours stay together. */
export function splitsOfSubtask(source: SourceSpec, parallelism: number, subtask: number): number[] {
  const [first, last] = evenRange(source.splits.length, parallelism, subtask);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

/** The sources that a vertex reads with its own tasks and whose splits were known when the job was planned. */
export function sourcesOf(graph: JobGraph, vertex: JobVertex): SourceSpec[] {
  const names = vertex.inputs.flatMap((input) => (input.kind === 'source' ? [input.source] : []));
  return names.flatMap((name) =>
    graph.sources.filter((source) => source.name === name && source.enumerator === undefined),
  );
}

/** The coordinator's full state when its vertex is initialized: nothing handed out yet. */
export function initialSnapshots(graph: JobGraph, vertex: JobVertex): CoordinatorSnapshot[] {
  return sourcesOf(graph, vertex).map((source) => snapshot(vertex, source, { incremental: false, assigned: [] }));
}

/** What finished tasks change: their splits are handed out and done. */
export function finishDeltas(
  graph: JobGraph,
  vertex: JobVertex,
  parallelism: number,
  subtasks: readonly number[],
): CoordinatorSnapshot[] {
  return sourcesOf(graph, vertex).map((source) => {
    const assigned = subtasks.flatMap((subtask) =>
      splitsOfSubtask(source, parallelism, subtask).map((split) => [split, subtask] as const),
    );
    return snapshot(vertex, source, { incremental: true, assigned });
  });
}

function snapshot(
  vertex: JobVertex,
  source: SourceSpec,
  change: { readonly incremental: boolean; readonly assigned: readonly (readonly [number, number])[] },
): CoordinatorSnapshot {
  return {
    type: 'coordinator-snapshot',
    vertexId: vertex.id,
    operatorId: derivedId('source-coordinator', vertex.id, source.name),
    incremental: change.incremental,
    assigned: change.assigned.flat(),
    finished: change.assigned.map(([split]) => split),
    supportsBatchSnapshot: true,
  };
}
