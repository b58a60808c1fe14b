// The vocabulary of a recovery: the plan that planRecovery makes, what it is told of the survivors, and the rules by
// which an engine recovers. The JobMaster carries a plan out; `diff` and `validate` print it (cli-contract: "diff").
import type { IntermediateDataSetId, JobVertexId, WorkerId } from '../model/ids.ts';

export interface TaskRef {
  readonly vertexId: JobVertexId;
  readonly subtask: number;
}

export type ReasonCode =
  | 'partition-missing'
  | 'partition-released'
  | 'upstream-input-missing'
  | 'downstream-of-rerun'
  | 'source-without-batch-snapshot'
  | 'source-restarts-whole'
  | 'staged-part-missing'
  | 'finish-not-durable'
  | 'store-unusable';

/** What a reason points at; `subtask` is set where it is one task of the vertex. */
export interface ReasonCause {
  readonly kind: 'partition' | 'worker' | 'vertex' | 'event' | 'setting';
  readonly id: string;
  readonly subtask?: number;
}

/** Why a finished task runs again. Following `because` from task to task ends at one that lost something itself. */
export interface Reason {
  readonly code: ReasonCode;
  /** For an operator, one line, without a full stop. */
  readonly message: string;
  readonly because: ReasonCause;
}

/** Work that a task has done. */
export interface TaskCost {
  readonly records: number;
  readonly bytes: number;
  readonly durationMs: number;
}

/** A finished task that runs again. */
export interface RerunTask extends TaskRef {
  /** The attempt that had finished. */
  readonly attempt: number;
  /** All that the task lost itself; else the one that pulled it in. Never empty. */
  readonly reasons: readonly Reason[];
  /** null where the store holds no metrics. */
  readonly cost: TaskCost | null;
}

export interface PlannedPartition {
  readonly datasetId: IntermediateDataSetId;
  readonly partitionIndex: number;
  readonly attempt: number;
  /** null where no worker ever held it (its producer has not finished). */
  readonly workerId: WorkerId | null;
}

/** The four answers to "what becomes of this partition", as they are before anything restarts. */
export interface PlannedPartitions {
  /** RESERVE: a consumer still needs it. Contains `missing`. */
  readonly reserved: readonly PlannedPartition[];
  /** RELEASE: its producer has not finished, or it had been given up and nobody needs it. */
  readonly released: readonly PlannedPartition[];
  /** OPTIONAL: needed only if one of its consumers runs again. */
  readonly optional: readonly PlannedPartition[];
  /** Reserved, and not there. */
  readonly missing: readonly PlannedPartition[];
}

export type Verdict = 'recoverable' | 'recoverable-with-loss' | 'restart-from-scratch' | 'would-hang';

export interface RecoverySummary {
  /** Numbers of tasks; finished = kept + rerun. */
  readonly finished: number;
  readonly rerun: number;
  readonly kept: number;
  readonly pending: number;
  /** Of the tasks that run again, as far as the store holds metrics. */
  readonly cost: TaskCost;
}

export interface RecoveryPlan {
  readonly kept: readonly TaskRef[];
  readonly rerun: readonly RerunTask[];
  /** Tasks of initialized vertices that have not finished; they run anyway. Empty once the job runs no more tasks. */
  readonly pending: readonly TaskRef[];
  /** The reruns by vertex, subtasks ascending: what the JobMaster records as resets. */
  readonly reset: ReadonlyMap<JobVertexId, readonly number[]>;
  readonly partitions: PlannedPartitions;
  readonly verdict: Verdict;
  readonly why: string;
  readonly summary: RecoverySummary;
}

/** A partition as the store recorded it. */
export interface RecordedPartition {
  readonly datasetId: IntermediateDataSetId;
  readonly partitionIndex: number;
  readonly attempt: number;
  /** Epoch of the JobMaster that deployed the attempt; null where the store does not say. */
  readonly epoch: number | null;
  readonly workerId: WorkerId | null;
}

/** What is left after a failure. Builders: survivors.ts. */
export interface Survivors {
  /** Whether exactly this partition (this attempt of it) is there, whole. */
  has(partition: RecordedPartition): boolean;
  /** Whether a sink's staged file is there, whole: `bytes` is the length that was recorded. */
  partHas(part: { readonly sink: string; readonly file: string; readonly bytes: number }): boolean;
  /**
   * Whether the vertex's coordinators live and know what they handed out: a JobMaster that lost a worker only, or that
   * has started them anew since it took over. Absent: none lives, as whenever a JobMaster takes over.
   */
  coordinatorLives?(vertexId: JobVertexId): boolean;
}

/** Where engines differ. Everything else of the tables is the same for all. */
export interface RecoveryRules {
  /** Whether OPTIONAL partitions that live can be read again. */
  readonly optionalPartitionsAvailable: boolean;
  /** Whether finished consumers of a task that has yet to run start over with it (a reset that was only half recorded). */
  readonly pendingRestartsConsumers: boolean;
  /** Whether a restart goes on through tasks that have yet to run, to finished ones that depend on them. */
  readonly passesPending: boolean;
  /** Whether vertices that became ready are initialized after a recovery. */
  readonly initializesAfterRecovery: boolean;
}

/** jobrec's own engine: living optional partitions are used, initialization is looked at again after recovery. */
export const jobrecRecoveryRules: RecoveryRules = {
  optionalPartitionsAvailable: true,
  pendingRestartsConsumers: true,
  passesPending: false,
  initializesAfterRecovery: true,
};

/** Flink's (recovery rules 6, 7 and 11). Its sources restart the consumers of their unfinished tasks before this. */
export const flinkRecoveryRules: RecoveryRules = {
  optionalPartitionsAvailable: false,
  pendingRestartsConsumers: false,
  passesPending: true,
  initializesAfterRecovery: false,
};
