// The interface of a streaming sink: one instance a subtask. What a sink stages until its checkpoint is complete is
// committed by the JobMaster, not by the task: a commit is recorded with the checkpoint, done once or more, and rolled
// forward by whoever leads next. Spec: docs/streaming.md, "Sinks".
import type { Row } from '../../../model/streaming-plan.ts';
import type { Committable } from '../operators/operator.ts';

export interface SinkContext {
  readonly sinkName: string;
  readonly jobId: string;
  readonly subtask: number;
  readonly parallelism: number;
  /** Epoch and attempt: a name by which what an earlier attempt left can be told from one's own. */
  readonly epoch: number;
  readonly attempt: number;
  /** Folder of the job's logs. */
  readonly logsFolder: string;
  /** Tells the user what fails nothing (yet). */
  readonly notice: (message: string) => void;
}

export interface StreamSink {
  open(): Promise<void>;
  /** Takes a row; what cannot be written at once is buffered, and `ready` says so. Throws what fails the task. */
  write(row: Row): void;
  /** null: takes more rows; else resolves when it does, or rejects with what fails the task. */
  ready(): Promise<void> | null;
  /**
   * At a barrier, before later rows: everything written so far is handed over (an at-least-once sink has then sent it;
   * an exactly-once sink has staged it and names it, with what it named for earlier checkpoints that are not known to
   * be complete: they may have been given up).
   */
  prepareCommit(checkpointId: number): Promise<readonly Committable[]>;
  /** What was named up to this checkpoint is committed. */
  notifyCheckpointComplete?(checkpointId: number): void;
  /** What was not committed is given up. */
  close(): Promise<void>;
}
