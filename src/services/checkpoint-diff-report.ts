// What `checkpoint diff` reports; printed as it is with --json. Spec: docs/commands.md "checkpoint diff".
import type { CheckpointFormatName, CheckpointType } from '../model/checkpoint.ts';

export interface CheckpointDiffReport {
  /** The first one given. */
  readonly from: ComparedCheckpoint;
  readonly to: ComparedCheckpoint;
  /** Anything but id, place and source offsets. */
  readonly different: boolean;
  /** Only in `to`, in the order of their ids. */
  readonly added: readonly ComparedOperator[];
  /** Only in `from`. */
  readonly removed: readonly ComparedOperator[];
  readonly changed: readonly ChangedOperator[];
  /** Operators that are alike. */
  readonly unchanged: number;
  /** Bytes. */
  readonly stateSize: Growth;
  /** Kafka partitions whose offset is known in one of them at least. */
  readonly kafkaOffsets: readonly KafkaProgress[];
  /** Why offsets are not known, once each. */
  readonly kafkaUnread: readonly string[];
}

export interface ComparedCheckpoint {
  readonly format: CheckpointFormatName;
  readonly formatVersion: number;
  readonly checkpointId: bigint;
  readonly type: CheckpointType | null;
  /** Absolute path of the metadata file. */
  readonly location: string;
  readonly stateSize: bigint;
}

export interface ComparedOperator {
  readonly operatorId: string;
  readonly uid: string | null;
  readonly name: string | null;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly stateSize: bigint;
}

export type OperatorChange =
  | 'parallelism'
  | 'max-parallelism'
  | 'finished'
  | 'state-size'
  | 'coordinator'
  | 'state-names'
  | 'name';

export interface ChangedOperator {
  readonly operatorId: string;
  /** As in `to`, or where that has none as in `from`. */
  readonly uid: string | null;
  readonly name: string | null;
  readonly changes: readonly OperatorChange[];
  readonly parallelism: Change<number>;
  readonly maxParallelism: Change<number>;
  readonly finishedSubtasks: Change<number>;
  readonly fullyFinished: Change<boolean>;
  readonly coordinatorBytes: Change<number | null>;
  readonly stateSize: Growth;
  /** Names of operator state that only one of them has. */
  readonly statesAdded: readonly string[];
  readonly statesRemoved: readonly string[];
}

export interface Change<T> {
  readonly from: T;
  readonly to: T;
}

/** Bytes; `growth` is negative where there is less. */
export interface Growth extends Change<bigint> {
  readonly growth: bigint;
}

export interface KafkaProgress {
  readonly operatorId: string;
  /** Of the operator. */
  readonly name: string | null;
  readonly topic: string;
  readonly partition: number;
  /** null where it is not known. */
  readonly from: bigint | null;
  readonly to: bigint | null;
}
