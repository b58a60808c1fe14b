// The messages of a streaming job between JobMaster and TaskManagers, carried inside the envelope `stream` of the
// engine's protocol. `attempt` counts the deployments of all tasks under one JobMaster: what belongs to an earlier one
// is ignored. Spec: ARCHITECTURE.md, "Processes"; docs/adr/0003-process-protocol.md.
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { CommittedPart, KeyedStateHandle, StateHandle } from '../../../store/checkpoint/own-metadata.ts';

export interface StreamTaskRef {
  readonly vertexId: string;
  readonly subtask: number;
}

/** The tasks that share one slot of a worker: one thread, one data port. */
export interface SlotDeployment {
  readonly jobId: string;
  readonly epoch: number;
  readonly attempt: number;
  /** Index of the slot in its worker. */
  readonly slot: number;
  readonly plan: StreamingPlan;
  readonly tasks: readonly StreamTaskRef[];
  /** Folder of the checkpoint to begin from; null: from the beginning. */
  readonly restoreFrom: string | null;
  readonly functionsFolder: string;
  readonly logsFolder: string;
  /** State below this many bytes is sent with the acknowledgement rather than written to a file. */
  readonly inlineThresholdBytes: number;
  /** Whether larger state may be written to files of the checkpoint's folder. */
  readonly writesFiles: boolean;
  readonly bufferTimeoutMs: number;
  readonly watermarkIntervalMs: number;
  /** What a consumer shows to open a channel. */
  readonly token: string;
}

/** What follows behind a checkpoint: nothing; no more rows; or no more rows, and windows fire before it. */
export type BarrierMode = 'go-on' | 'stop' | 'drain';

export interface CheckpointBarrier {
  readonly checkpointId: number;
  /** Where tasks write their state files. */
  readonly folder: string;
  readonly mode: BarrierMode;
}

export interface DataAddress extends StreamTaskRef {
  readonly port: number;
}

export type StreamToTaskManager =
  | { readonly type: 'deploy'; readonly deployment: SlotDeployment }
  /** All tasks listen: consumers open their channels, and rows begin to flow. */
  | { readonly type: 'connect'; readonly attempt: number; readonly addresses: readonly DataAddress[] }
  | { readonly type: 'trigger'; readonly attempt: number; readonly barrier: CheckpointBarrier }
  | { readonly type: 'complete'; readonly attempt: number; readonly checkpointId: number }
  /** The job is over: everything is committed. */
  | { readonly type: 'finish'; readonly attempt: number }
  | { readonly type: 'cancel'; readonly attempt: number };

export interface AcknowledgedOperator {
  readonly operatorId: string;
  readonly keyed: KeyedStateHandle | null;
  readonly operator: StateHandle | null;
  /** Rows that it gave up since the task began. */
  readonly droppedRows: number;
}

export type StreamToJobMaster =
  /** A slot's tasks are restored and its port is open. */
  | { readonly type: 'listening'; readonly attempt: number; readonly slot: number; readonly port: number }
  | { readonly type: 'running'; readonly attempt: number; readonly slot: number }
  | {
      readonly type: 'acknowledge';
      readonly attempt: number;
      readonly checkpointId: number;
      readonly task: StreamTaskRef;
      readonly operators: readonly AcknowledgedOperator[];
      readonly parts: readonly CommittedPart[];
    }
  | {
      readonly type: 'decline';
      readonly attempt: number;
      readonly checkpointId: number;
      readonly task: StreamTaskRef;
      readonly reason: string;
    }
  /** Something that a user should know, and that fails nothing (yet). */
  | { readonly type: 'notice'; readonly attempt: number; readonly message: string }
  /** A source has given its last row. */
  | { readonly type: 'end-of-data'; readonly attempt: number; readonly task: StreamTaskRef }
  | {
      readonly type: 'failed';
      readonly attempt: number;
      /** null: the slot itself. */
      readonly task: StreamTaskRef | null;
      readonly message: string;
      /** A channel broke: another task, or a worker, is the cause. */
      readonly isConsequence: boolean;
    }
  /** Nothing of the attempt runs in this slot any more. */
  | { readonly type: 'ended'; readonly attempt: number; readonly slot: number };
