// The messages between client, JobMaster, TaskManagers and shuffle service: one msgpack map a message on a loopback TCP connection,
// length-prefixed (framing.ts). Each side validates what it receives (validate.ts) before it acts on it.
// Spec: docs/adr/0003-process-protocol.md.
import type { JobVertexId, WorkerId } from '../../model/ids.ts';
import type { ProducedPartition, StagedPart, TaskMetrics } from '../../model/job-events.ts';
import type { FoundSplit, JobVertex, SinkSpec, SourceSpec } from '../../model/job-graph.ts';
import type { JobState } from '../../model/states.ts';
import type { StreamToJobMaster, StreamToTaskManager } from '../streaming/protocol/stream-messages.ts';

/** Which attempt of which task a message is about. */
export interface ExecutionRef {
  readonly vertexId: JobVertexId;
  readonly subtask: number;
  readonly attempt: number;
}

/** Which partition, by which attempt, deployed by the JobMaster of which epoch. */
export interface PartitionName {
  readonly datasetId: string;
  readonly partitionIndex: number;
  readonly attempt: number;
  readonly epoch: number;
}

/** A whole partition in a worker's folder, as its checked sidecar describes it. */
export interface WholePartition extends PartitionName {
  readonly bytes: number;
}

/** A partition file for a consumer to read: path and what its sidecar must say. */
export interface PartitionLocation extends PartitionName {
  readonly path: string;
}

export type TaskInput =
  | {
      readonly kind: 'dataset';
      readonly partitions: readonly PartitionLocation[];
      /** Inclusive range of subpartitions to read of each partition; [0, -1]: none of their rows (only their types). */
      readonly subpartitions: readonly [number, number];
    }
  | {
      readonly kind: 'source';
      readonly source: SourceSpec;
      /** Indices into `source.splits`. */
      readonly splits: readonly number[];
    }
  | {
      /** A source with a user-written enumerator: the task asks for one split after the other. */
      readonly kind: 'enumerated';
      readonly source: SourceSpec;
    };

/** Everything that a worker needs to run one attempt. */
export interface TaskDeployment {
  readonly jobId: string;
  readonly epoch: number;
  readonly execution: ExecutionRef;
  readonly vertex: JobVertex;
  readonly parallelism: number;
  /** Parallel to `vertex.inputs`. */
  readonly inputs: readonly TaskInput[];
  /** Parallel to `vertex.sinks`: the sink and the folder for its staged parts. */
  readonly sinks: readonly { readonly sink: SinkSpec; readonly stagingFolder: string }[];
  /** The sink beside which source rows are staged that `onBadRow: quarantine` leaves out; absent: nothing is. */
  readonly quarantine?: { readonly sink: string; readonly stagingFolder: string };
  /** Absolute path of the job's `functions/` folder. */
  readonly functionsFolder: string;
  /** Ends the attempt when it takes longer; null: never. */
  readonly timeoutMs: number | null;
}

/** What an attempt that ended well produced. */
export interface TaskResult {
  readonly partitions: readonly ProducedPartition[];
  readonly parts: readonly StagedPart[];
  readonly metrics: TaskMetrics;
  /** Source rows that were left out by `onBadRow: skip` or `quarantine`. */
  readonly badRows: number;
}

/** Why an attempt failed. */
export type TaskFailureKind =
  /** the job's own SQL, function or data: counted by the restart strategy */
  | 'task'
  /** an input partition is missing or damaged: its producer's region restarts */
  | 'partition'
  /** a source file changed since the job was planned: the job fails at once */
  | 'source-changed'
  /** a disk is full, read-only or failing: the job is suspended, and goes on when that is mended */
  | 'disk'
  /** canceled on the JobMaster's command */
  | 'canceled';

export interface TaskFailure {
  readonly kind: TaskFailureKind;
  readonly message: string;
  /** The partition that could not be read (`kind: partition`). */
  readonly partition: { readonly datasetId: string; readonly partitionIndex: number } | null;
}

export type ToJobMaster =
  /** Of a streaming job. */
  | { readonly type: 'stream'; readonly epoch: number; readonly message: StreamToJobMaster }
  | {
      readonly type: 'register-worker';
      readonly token: string;
      readonly workerId: WorkerId;
      readonly pid: number;
      readonly slots: number;
      readonly partitions: readonly WholePartition[];
    }
  | {
      readonly type: 'register-shuffle-service';
      readonly token: string;
      readonly serviceId: WorkerId;
      readonly pid: number;
      readonly partitions: readonly WholePartition[];
    }
  /** The partitions of a hand-over lie whole and synced in the service's folder. */
  | { readonly type: 'partitions-taken'; readonly epoch: number; readonly handOver: number }
  | {
      readonly type: 'partitions-refused';
      readonly epoch: number;
      readonly handOver: number;
      /** Whether one of them does not lie whole with its worker; else the service's own folder failed. */
      readonly missing: boolean;
      readonly message: string;
    }
  | { readonly type: 'heartbeat' }
  | {
      readonly type: 'task-finished';
      readonly epoch: number;
      readonly execution: ExecutionRef;
      readonly result: TaskResult;
    }
  | {
      readonly type: 'task-failed';
      readonly epoch: number;
      readonly execution: ExecutionRef;
      readonly failure: TaskFailure;
    }
  | {
      /** A task has read what it had and asks for its next split. */
      readonly type: 'split-request';
      readonly epoch: number;
      readonly execution: ExecutionRef;
      /** Index of the vertex's input. */
      readonly input: number;
    }
  | { readonly type: 'attach-client'; readonly token: string; readonly pid: number }
  | {
      readonly type: 'control';
      readonly token: string;
      readonly command: 'cancel' | 'suspend';
      readonly reason: string;
    }
  | SavepointOrder;

/** What becomes of the job behind the savepoint; `stop`, `drain` and `cancel` let no row through behind it. */
export const savepointPurposes = ['go-on', 'stop', 'drain', 'cancel'] as const;
export type SavepointPurpose = (typeof savepointPurposes)[number];

/** Take a savepoint of a streaming job. */
export interface SavepointOrder {
  readonly type: 'savepoint';
  readonly token: string;
  /** Absolute path of a folder that is made for it. */
  readonly folder: string;
  readonly purpose: SavepointPurpose;
}

/** What every process that serves the leader hears of it. */
export type FromLeader =
  | { readonly type: 'registered'; readonly epoch: number }
  | { readonly type: 'heartbeat' }
  /** The job has ended or is suspended: exit, and leave the folder to the JobMaster or the next run. */
  | { readonly type: 'shutdown'; readonly epoch: number };

export type TaskManagerCommand =
  /** Of a streaming job. */
  | { readonly type: 'stream'; readonly epoch: number; readonly message: StreamToTaskManager }
  | { readonly type: 'deploy'; readonly deployment: TaskDeployment }
  | { readonly type: 'cancel'; readonly epoch: number; readonly execution: ExecutionRef }
  /** Partitions of this worker that nobody will read any more, by exact attempt: they can be deleted. */
  | { readonly type: 'release-partitions'; readonly epoch: number; readonly partitions: readonly PartitionName[] }
  | {
      /** The answer to the attempt's request; null: there are no more splits for it. */
      readonly type: 'split';
      readonly epoch: number;
      readonly execution: ExecutionRef;
      readonly input: number;
      readonly split: FoundSplit | null;
    };
export type ToTaskManager = FromLeader | TaskManagerCommand;

/** Commands of another epoch than the one that the service was told with `registered` are refused. */
export type ShuffleServiceCommand =
  /** Take what a worker has written into the service's own folder, and answer with the number of the hand-over. */
  | {
      readonly type: 'take-partitions';
      readonly epoch: number;
      readonly handOver: number;
      readonly workerId: WorkerId;
      readonly partitions: readonly PartitionName[];
    }
  /** Nobody needs them any more: delete them. */
  | {
      readonly type: 'release-partitions';
      readonly epoch: number;
      readonly partitions: readonly PartitionName[];
    };
export type ToShuffleService = FromLeader | ShuffleServiceCommand;

export interface VertexProgress {
  readonly name: string;
  readonly parallelism: number | null;
  readonly finished: number;
  readonly running: number;
  /** Of a streaming job: 0 before the first one. */
  readonly lastCheckpointId?: number;
}

export type ToClient =
  | { readonly type: 'status'; readonly state: JobState; readonly reason: string | null }
  | { readonly type: 'progress'; readonly vertices: readonly VertexProgress[] }
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'savepoint-taken'; readonly checkpointId: number; readonly path: string; readonly bytes: number }
  | { readonly type: 'savepoint-failed'; readonly reason: string };
