// What `checkpoint inspect` reports; printed as it is with --json. Spec: docs/commands.md "checkpoint inspect".
import type {
  CheckpointFormatName,
  CheckpointProperties,
  CheckpointType,
  KafkaSourceState,
} from '../model/checkpoint.ts';

export interface CheckpointInspectReport {
  readonly format: CheckpointFormatName;
  readonly formatVersion: number;
  readonly checkpointId: bigint;
  /** null where the format does not record it (Flink's before version 4). */
  readonly type: CheckpointType | null;
  /** Absolute path of the metadata file. */
  readonly location: string;
  /** Of the metadata file. */
  readonly bytes: number;
  readonly properties: Omit<CheckpointProperties, 'type'> | null;
  readonly masterStates: readonly { readonly name: string; readonly version: number; readonly bytes: number }[];
  readonly summary: CheckpointSummary;
  /** In the order of their ids. */
  readonly operators: readonly CheckpointOperator[];
  /** Where Kafka sources stood, as far as the metadata (with --state-files: the state files, too) says it. */
  readonly kafkaSources: readonly KafkaSourceState[];
}

export interface CheckpointSummary {
  readonly operators: number;
  readonly subtasks: number;
  /** Bytes, as Flink counts them: a file that several handles share counts once for each. */
  readonly stateSize: bigint;
  /** Bytes of state inside the metadata file. */
  readonly inlineBytes: bigint;
  /** References to state files. */
  readonly fileReferences: number;
}

export interface CheckpointOperator {
  /** 32 hexadecimal digits. */
  readonly operatorId: string;
  /** null where the format has none (Flink's before version 5), or the job gave none. */
  readonly uid: string | null;
  readonly name: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly fullyFinished: boolean;
  /** Subtasks that had finished. */
  readonly finishedSubtasks: number;
  readonly coordinatorBytes: number | null;
  readonly stateSize: bigint;
  /** Names of operator state, over all subtasks. */
  readonly operatorStates: readonly CheckpointNamedState[];
  /** Those that the checkpoint holds, in their order. */
  readonly subtasks: readonly CheckpointSubtask[];
}

export interface CheckpointNamedState {
  readonly name: string;
  readonly mode: 'SPLIT_DISTRIBUTE' | 'UNION' | 'BROADCAST';
  readonly elements: number;
}

/** Numbers of handles. */
export interface CheckpointSubtask {
  readonly subtask: number;
  readonly finished: boolean;
  readonly managedOperator: number;
  readonly rawOperator: number;
  readonly managedKeyed: number;
  readonly rawKeyed: number;
  readonly inputChannel: number;
  readonly resultSubpartition: number;
  readonly stateSize: bigint;
}
