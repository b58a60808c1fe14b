// FlinkJob: what a Flink job's persisted plan or REST plan says of its shape. Flink's stores do not hold it, so it comes
// from beside them (store/flink reads the files) and replay joins it with the events. Every field that a source does
// not say is null; nothing here is guessed.
import type { IntermediateDataSetId, JobId, JobVertexId } from './ids.ts';
import type { Distribution } from './job-graph.ts';

/** Where it was read: a persisted JobGraph, a persisted StreamGraph (2.x), or REST's plan JSON. */
export type FlinkJobSource = 'job-graph' | 'stream-graph' | 'plan';

export interface FlinkCoordinator {
  readonly operatorId: string;
  /** Java class of the source behind it, e.g. `org.apache.flink.connector.file.src.FileSource`; null: not a source, or not said. */
  readonly sourceClass: string | null;
}

export interface FlinkJobVertex {
  readonly id: JobVertexId;
  readonly name: string | null;
  /** null: not decided, or not said. */
  readonly parallelism: number | null;
  /** null: not said (then every vertex without inputs counts as a source with one). */
  readonly coordinators: readonly FlinkCoordinator[] | null;
}

export interface FlinkJobEdge {
  readonly producerVertexId: JobVertexId;
  readonly consumerVertexId: JobVertexId;
  /** null where the source names no data sets (REST). */
  readonly datasetId: IntermediateDataSetId | null;
  readonly distribution: Distribution | null;
  /** Whether 2.x may exchange the partitioner while the job runs, when it makes a join of SQL a broadcast join. */
  readonly mayBecomePointwise?: boolean;
}

/** Metrics of one finished subtask as REST's vertices JSON holds them. */
export interface FlinkSubtaskMetrics {
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly durationMs: number;
}

export interface FlinkJob {
  readonly source: FlinkJobSource;
  readonly jobId: JobId | null;
  readonly name: string | null;
  /** Producers before consumers. */
  readonly vertices: readonly FlinkJobVertex[];
  readonly edges: readonly FlinkJobEdge[];
  /** The configuration that the job carries, raw values by option name; empty where not said. */
  readonly config: Readonly<Record<string, string>>;
  /** Times of finished subtasks; empty where not said. */
  readonly subtasks: readonly FlinkSubtaskMetrics[];
}
