// What `replay` reports; printed as it is with --json. Spec: docs/commands.md "replay".
import type { Distribution } from '../model/job-graph.ts';
import type { Damage } from '../model/job-log.ts';
import type { ExecutionState } from '../model/states.ts';
import type { JobSummary } from './inspect-report.ts';
import type { RecoveryEntry } from './recovery-report.ts';
import type { LastCheckpoint } from './run-report.ts';

/** What a restarted JobMaster would hold after the events up to `at`, before it reconciles partitions. */
export interface ReplayReport {
  /** The last event that was applied; nulls for an empty store. */
  readonly at: { readonly sequence: number | null; readonly time: string | null };
  readonly job: JobSummary;
  readonly vertices: readonly ReplayVertex[];
  readonly edges: readonly ReplayEdge[];
  readonly coordinators: readonly ReplayCoordinator[];
  /** What the ShuffleMaster's snapshots say; null where the store has none (partitions stay with their workers). */
  readonly shuffleMaster: ReplayShuffleMaster | null;
  /** Recorded progress that recovery itself gives up. */
  readonly droppedEvents: readonly DroppedEventEntry[];
  /** Only of a streaming job; null: it had none yet. */
  readonly lastCheckpoint?: LastCheckpoint | null;
  /** Before `at`, oldest first. */
  readonly recoveries: readonly RecoveryEntry[];
  readonly damage: Damage | null;
}

export interface ReplayShuffleMaster {
  /** Of the last full snapshot and the increments behind it. */
  readonly bytes: number;
  readonly incremental: boolean;
  /** Who holds how many partitions apart from the workers. Empty for another engine's state, which is opaque. */
  readonly holders: readonly { readonly workerId: string; readonly partitions: number }[];
}

export interface ReplayVertex {
  readonly vertexId: string;
  readonly vertexName: string | null;
  /** null until the vertex is initialized; then `tasks` is empty. */
  readonly parallelism: number | null;
  /** As Flink derives it from the tasks: FINISHED when all are, RUNNING when some are, else CREATED. */
  readonly state: ExecutionState;
  readonly tasks: readonly ReplayTask[];
}

export interface ReplayTask {
  readonly subtask: number;
  /** FINISHED, or CREATED: a restarted JobMaster holds no running task. */
  readonly state: ExecutionState;
  readonly attempt: number;
  readonly workerId: string | null;
  /** `<partitionId>`s that the finished attempt produced. */
  readonly partitions: readonly string[];
}

export interface ReplayEdge {
  readonly producerVertexId: string;
  readonly consumerVertexId: string;
  readonly datasetId: string;
  readonly distribution: Distribution;
}

export interface ReplayCoordinator {
  readonly vertexId: string;
  readonly operatorId: string;
  readonly bytes: number;
  /** null where the store does not say. */
  readonly supportsBatchSnapshot: boolean | null;
}

export interface DroppedEventEntry {
  readonly sequence: number;
  readonly vertexId: string;
  readonly subtask: number;
  readonly reason: string;
}
