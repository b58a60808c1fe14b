// JobEvent: the typed domain facts of a job's life, as jobrec records them and as Flink's events are mapped to.
// Recovery rests on the events marked R; the others are the flight recorder's and never delay a recovery event.
import type { IntermediateDataSetId, JobId, JobVertexId, WorkerId } from './ids.ts';
import type { FoundSplit, JobGraph } from './job-graph.ts';
import type { JobState } from './states.ts';

/** R. The job as submitted: first event of every jobrec store. */
export interface JobSubmitted {
  readonly type: 'job-submitted';
  readonly jobId: JobId;
  readonly name: string;
  readonly graph: JobGraph;
  /** The effective configuration (Flink's option names, raw values). */
  readonly config: Readonly<Record<string, string>>;
  /** Digests by which a later `run` notices a change of plan, functions or inputs. */
  readonly fingerprint: Fingerprint;
}

export interface Fingerprint {
  readonly plan: string;
  readonly functions: string;
  readonly inputs: string;
}

/** R. */
export interface JobStatusChanged {
  readonly type: 'job-status-changed';
  readonly state: JobState;
  /** First cause of a failure, or what suspended the job; null where there is none. */
  readonly reason: string | null;
}

/** What one task reads of one data set: inclusive ranges, as Flink's ExecutionVertexInputInfo. */
export interface InputRange {
  readonly partitions: readonly [number, number];
  readonly subpartitions: readonly [number, number];
  /** Further groups of partitions that the same task reads of the same data set (Flink 2.x); absent: none. */
  readonly further?: readonly InputRange[];
}

export interface VertexInputInfo {
  readonly datasetId: IntermediateDataSetId;
  /** One entry a consumer subtask; an empty list where the store does not say (then: everything). */
  readonly ranges: readonly InputRange[];
}

/** R. A decision of the adaptive plan: a vertex got its parallelism and its tasks their inputs. */
export interface JobVertexInitialized {
  readonly type: 'job-vertex-initialized';
  readonly vertexId: JobVertexId;
  readonly parallelism: number;
  /** null where the store does not say (Flink). */
  readonly maxParallelism: number | null;
  readonly inputs: readonly VertexInputInfo[];
}

/** A result partition that a finished task produced. */
export interface ProducedPartition {
  readonly datasetId: IntermediateDataSetId;
  readonly partitionIndex: number;
  /** null where the store does not say (Flink drops it). */
  readonly bytes: number | null;
  readonly rows: number | null;
  /** Rows per subpartition; null where not recorded. */
  readonly subpartitionRows: readonly number[] | null;
}

export interface TaskMetrics {
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Flink stores: the time that the task was busy, idle and back-pressured, as it measured it. */
  readonly durationMs: number;
}

/** A staged sink file, relative to the sink's staging folder. */
export interface StagedPart {
  readonly sink: string;
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
}

/** R. */
export interface ExecutionVertexFinished {
  readonly type: 'execution-vertex-finished';
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly attempt: number;
  /**
   * The epoch of the JobMaster that deployed this attempt: attempt numbers alone do not tell two masters apart. null in
   * Flink stores, where `flink.executionGraphId` tells them apart.
   */
  readonly epoch: number | null;
  readonly workerId: WorkerId;
  readonly partitions: readonly ProducedPartition[];
  readonly parts: readonly StagedPart[];
  readonly metrics: TaskMetrics;
  /**
   * Coordinators (operator ids) whose state behind this finish is not recorded yet; absent: none. Until a snapshot of
   * each says which of the task's splits are done, a recovery drops the finish.
   */
  readonly awaitsSnapshotsOf?: readonly string[];
  /** Only in Flink stores. */
  readonly flink?: FlinkFinish;
}

/** What a finish in a Flink store says beside the task. */
export interface FlinkFinish {
  /** The execution graph that deployed the attempt, 32 hexadecimal digits: every JobMaster makes a new one. */
  readonly executionGraphId: string;
  /** Snapshots taken with this finish; null: none was, and recovery drops it unless a later finish carries one. */
  readonly snapshot: FlinkSnapshot | null;
}

export interface FlinkSnapshot {
  /** Coordinators that gave a snapshot, of all vertices with a finish since the last one. */
  readonly coordinators: readonly { readonly operatorId: string; readonly bytes: number }[];
  readonly shuffleMaster: { readonly bytes: number; readonly incremental: boolean };
}

/** R. Tasks go back to CREATED; their next attempt number is one higher. */
export interface ExecutionVertexReset {
  readonly type: 'execution-vertex-reset';
  readonly vertexId: JobVertexId;
  readonly subtasks: readonly number[];
  /** Further vertices that the same event resets (Flink resets a whole region at once). */
  readonly further?: readonly { readonly vertexId: JobVertexId; readonly subtasks: readonly number[] }[];
}

/** R. State of an OperatorCoordinator (here: a source's SplitEnumerator): a full cut, or what changed since. */
export interface CoordinatorSnapshot {
  readonly type: 'coordinator-snapshot';
  readonly vertexId: JobVertexId;
  readonly operatorId: string;
  readonly incremental: boolean;
  /** Splits handed out: flat pairs of split index and subtask. */
  readonly assigned: readonly number[];
  /** Indices of the splits whose reading has finished. */
  readonly finished: readonly number[];
  readonly supportsBatchSnapshot: boolean;
  /** Only of a user-written enumerator. */
  readonly enumerator?: EnumeratorSnapshot;
}

/** What a source's enumerator had found, beside who reads it. */
export interface EnumeratorSnapshot {
  /** Splits found (in an increment: since the last snapshot), with the index by which `assigned` and `finished` name them. */
  readonly splits: readonly { readonly index: number; readonly split: FoundSplit }[];
  /**
   * The enumerator's own state as JSON text, as it was right after it had handed out the last of these splits; null:
   * it gives none, or (in an increment) it is what it was.
   */
  readonly state: string | null;
}

/** R. */
export interface ShuffleMasterSnapshot {
  readonly type: 'shuffle-master-snapshot';
  readonly incremental: boolean;
  /** Where the partitions are that a shuffle service holds (shuffle-placements.ts); other engines' bytes are opaque. */
  readonly state: Uint8Array;
}

/** R. Partitions given up because nobody needs them any more; recorded before they are deleted. */
export interface PartitionsReleased {
  readonly type: 'partitions-released';
  readonly partitions: readonly { readonly datasetId: IntermediateDataSetId; readonly partitionIndex: number }[];
}

export interface WorkerRegistered {
  readonly type: 'worker-registered';
  readonly workerId: WorkerId;
  readonly pid: number;
  readonly slots: number;
  /** How many whole partitions the worker reported. */
  readonly partitions: number;
}

export interface WorkerLost {
  readonly type: 'worker-lost';
  readonly workerId: WorkerId;
  readonly reason: string;
}

export interface ExecutionDeployed {
  readonly type: 'execution-deployed';
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly attempt: number;
  readonly workerId: WorkerId;
}

export interface ExecutionFailed {
  readonly type: 'execution-failed';
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly attempt: number;
  readonly workerId: WorkerId | null;
  readonly cause: string;
  /** Whether the restart strategy counts it: losing a worker or a master is not a task's failed attempt. */
  readonly counted: boolean;
}

/** R. The point of no return of the sinks: from here recovery only rolls forward. */
export interface CommitStarted {
  readonly type: 'commit-started';
  readonly sinks: readonly {
    readonly sink: string;
    readonly parts: readonly {
      readonly staged: string;
      readonly final: string;
      readonly rows: number;
      readonly bytes: number;
    }[];
    /** Files of an earlier run of this job, or of an overwritten folder, that the commit removes. */
    readonly removes: readonly string[];
  }[];
}

export const recoveryCauses = ['job-master-lost', 'all-processes-lost', 'suspended', 'worker-lost'] as const;
export type RecoveryCause = (typeof recoveryCauses)[number];

/** What one recovery kept and what it ran again (numbers of finished tasks). */
export interface RecoveryCompleted {
  readonly type: 'recovery-completed';
  readonly epoch: number;
  readonly cause: RecoveryCause;
  readonly kept: number;
  readonly rerun: number;
  /** Of RECONCILING, which ends for a streaming job when all tasks run; 0 where the JobMaster stayed the same. */
  readonly durationMs: number;
  /** Absent in stores of jobrec before it recorded why. */
  readonly detail?: RecoveryDetail;
}

/** Why finished tasks ran again, and whether that was what `diff` would have predicted. */
export interface RecoveryDetail {
  /** Reason codes of `diff`, each with the number of tasks whose first reason it is. */
  readonly reasons: readonly { readonly code: string; readonly tasks: number }[];
  /** The tasks, up to a bound. */
  readonly reruns: readonly { readonly vertexId: JobVertexId; readonly subtask: number; readonly code: string }[];
  /** From the log and the folders, right before; null: there was no prediction. */
  readonly predicted: { readonly kept: number; readonly rerun: number } | null;
  /** Tasks for which it was wrong, up to a bound; empty unless something is wrong with jobrec. */
  readonly differences: readonly {
    readonly vertexId: JobVertexId;
    readonly subtask: number;
    readonly predictedRerun: boolean;
  }[];
  /** Only of a streaming job: the checkpoint or savepoint that its tasks began from; null: the beginning. */
  readonly checkpointId?: number | null;
}

/** Rows of a sink that are part of its output with this checkpoint: all since the job's state began. */
export interface SinkRows {
  readonly sink: string;
  readonly rows: number;
}

/** R. A streaming job's checkpoint is complete: its `_metadata` is durable, and the job can go on from it. */
export interface CheckpointCompleted {
  readonly type: 'checkpoint-completed';
  readonly checkpointId: number;
  /** Absolute path of its folder. */
  readonly location: string;
  /** Bytes of all state, without `_metadata`'s own. */
  readonly stateBytes: number;
  readonly durationMs: number;
  readonly sinks: readonly SinkRows[];
}

/** R. Like a checkpoint, but asked for and owned by the user: the job never deletes it. */
export interface SavepointCompleted extends Omit<CheckpointCompleted, 'type'> {
  readonly type: 'savepoint-completed';
}

/** A checkpoint that was given up. */
export interface CheckpointAborted {
  readonly type: 'checkpoint-aborted';
  readonly checkpointId: number;
  readonly reason: string;
}

/** The tasks were set back to a checkpoint. */
export interface CheckpointRestored {
  readonly type: 'checkpoint-restored';
  readonly checkpointId: number;
  readonly location: string;
  /** Newer checkpoints that could not be used, with why. */
  readonly skipped: readonly { readonly checkpointId: number; readonly reason: string }[];
}

export type JobEvent =
  | JobSubmitted
  | JobStatusChanged
  | JobVertexInitialized
  | ExecutionVertexFinished
  | ExecutionVertexReset
  | CoordinatorSnapshot
  | ShuffleMasterSnapshot
  | PartitionsReleased
  | WorkerRegistered
  | WorkerLost
  | ExecutionDeployed
  | ExecutionFailed
  | CommitStarted
  | RecoveryCompleted
  | CheckpointCompleted
  | SavepointCompleted
  | CheckpointAborted
  | CheckpointRestored;

export type JobEventType = JobEvent['type'];

/** Event kinds that recovery needs: they are acknowledged after the sync of their group (design: "Flush settings"). */
export const recoveryEventTypes: ReadonlySet<JobEventType> = new Set<JobEventType>([
  'job-submitted',
  'job-status-changed',
  'job-vertex-initialized',
  'execution-vertex-finished',
  'execution-vertex-reset',
  'coordinator-snapshot',
  'shuffle-master-snapshot',
  'partitions-released',
  'commit-started',
  'recovery-completed',
  'checkpoint-completed',
  'savepoint-completed',
]);
