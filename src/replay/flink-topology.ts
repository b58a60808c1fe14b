// The topology of a Flink job, joined from what there is: a persisted job graph names everything; a plan names vertices
// and edges, and the events name the data sets that consumers read; ids of 2.x give the producer away; the order and the
// bytes of the events are the last resort. Says which of these it rests on. Doc: docs/flink.md "What answers rest on".
import type { FlinkCoordinator, FlinkJob } from '../model/flink-job.ts';
import type { ExecutionEdge } from './execution-graph.ts';
import { assignDataSets } from './flink-elimination.ts';
import type { FlinkStep, InitializedStep } from './flink-history.ts';
import { inferEdges } from './flink-inference.ts';

export type TopologyBasis = 'job-graph' | 'plan' | 'derived-ids' | 'inferred';

export interface FlinkTopologyVertex {
  readonly id: string;
  readonly name: string | null;
  /** As submitted; null: left to the scheduler, or not said. */
  readonly parallelism: number | null;
  /** null: not known; a vertex without inputs then counts as a source with one coordinator of its own id. */
  readonly coordinators: readonly FlinkCoordinator[] | null;
}

export interface FlinkTopology {
  readonly basis: TopologyBasis;
  readonly assumptions: readonly string[];
  readonly jobId: string | null;
  readonly name: string | null;
  /** Producers before consumers; with vertices that are not initialized yet. */
  readonly vertices: readonly FlinkTopologyVertex[];
  readonly edges: readonly ExecutionEdge[];
}

/** Joins `job` (null: nothing was found beside the store) with the events. */
export function resolveFlinkTopology(job: FlinkJob | null, history: readonly FlinkStep[]): FlinkTopology {
  const initialized = lastInitializations(history);
  if (job === null) return fromEvents(initialized, history);
  const { edges, assumptions } = assignDataSets(job, initialized);
  return {
    basis: job.source === 'plan' ? 'plan' : 'job-graph',
    assumptions,
    jobId: job.jobId,
    name: job.name,
    vertices: job.vertices,
    edges,
  };
}

function fromEvents(initialized: readonly InitializedStep[], history: readonly FlinkStep[]): FlinkTopology {
  const { edges, isDerived, assumptions } = inferEdges(initialized, history);
  const vertices = initialized.map(({ event }) => ({
    id: event.vertexId,
    name: null,
    parallelism: null,
    coordinators: null,
  }));
  return { basis: isDerived ? 'derived-ids' : 'inferred', assumptions, jobId: null, name: null, vertices, edges };
}

/** One a vertex, in the order of their first initialization. */
export function lastInitializations(history: readonly FlinkStep[]): InitializedStep[] {
  const byVertex = new Map<string, InitializedStep>();
  for (const step of history) if (step.kind === 'initialized') byVertex.set(step.event.vertexId, step);
  return [...byVertex.values()];
}
