// The interface of a streaming operator: one step of a task's chain. Calls never overlap: elements, watermarks and
// snapshots of a task come one after the other, so an operator needs no locks. Spec: docs/streaming.md, "Stages".
import type { Row } from '../../../model/streaming-plan.ts';
import type { KeyedStateBackend } from '../state/keyed-state-backend.ts';

/** Where an operator puts its rows: the operators chained behind it, and the exchanges. */
export interface Output {
  collect(row: Row): void;
  /** Watermarks of one output only grow. */
  emitWatermark(watermarkMs: number): void;
  /** Nothing is expected for now: this output is not waited for where watermarks meet. */
  emitIdle(): void;
}

export interface OperatorContext {
  readonly vertexName: string;
  readonly subtask: number;
  readonly parallelism: number;
  /** 0 for the first deployment of the tasks, one more with each restart. */
  readonly attempt: number;
  readonly output: Output;
  /** State of this operator's keys; null for an operator without keyed state. */
  readonly keyedState: KeyedStateBackend | null;
  /** Where the row at hand came from: a split, or an input channel. Same text, same order of rows. */
  origin(): string;
  /** Folder of the job's bundled functions. */
  readonly functionsFolder: string;
}

export interface Operator {
  /** Called once, before anything else; keyed state is restored already. */
  open?(context: OperatorContext): Promise<void>;
  /** The operator's own state of a checkpoint, one value of each subtask that wrote one; empty: nothing to restore. */
  initializeState?(states: readonly unknown[]): void;
  processElement(row: Row): void;
  /** Default: the watermark is passed on. */
  processWatermark?(watermarkMs: number): void;
  /** All inputs are idle: default: this is passed on. */
  processIdle?(): void;
  /** null: takes more; else resolves when it does. Asked for after each row. */
  ready?(): Promise<void> | null;
  /** The operator's own state at a barrier (beside keyed state, which is taken by itself); undefined: none. */
  snapshotState?(checkpointId: number): unknown;
  /** Rows that it gave up since the task began: late ones, bad ones. The user is told. */
  readonly droppedRows?: number;
  /** Called at a barrier, and awaited before later rows: what is to be done when the checkpoint is complete. */
  prepareCommit?(checkpointId: number): Promise<readonly Committable[]>;
  notifyCheckpointComplete?(checkpointId: number): void;
  close?(): Promise<void>;
}

/** A staged file of a sink, which becomes part of its output when its checkpoint is complete. */
export interface Committable {
  /** Name of the sink. */
  readonly sink: string;
  /** Absolute paths, both in the sink's folder. */
  readonly staged: string;
  readonly final: string;
  readonly rows: number;
  readonly bytes: number;
}
