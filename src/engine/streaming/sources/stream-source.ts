// The interface of a streaming source. A source is divided into splits, each an ordered sequence of records with
// positions; a split is read by one subtask at a time. There is no enumerator: every subtask looks for splits by itself
// and takes those that fall to it by their id alone, so that a restart with another parallelism needs nothing
// but the positions of all splits. Spec: docs/streaming.md, "Sources".
import type { Row } from '../../../model/streaming-plan.ts';

/** Plain data that says where to go on; its meaning is the source's own. */
export type SplitPosition = number | string | Readonly<Record<string, unknown>>;

export interface SplitState {
  readonly splitId: string;
  readonly position: SplitPosition;
}

export interface SourceRecord {
  readonly splitId: string;
  readonly row: Row;
  /** Where a reader goes on behind this record. */
  readonly position: SplitPosition;
}

export interface SourceContext {
  readonly sourceName: string;
  readonly subtask: number;
  readonly parallelism: number;
  /** Aborted when the task ends: a waiting poll then returns at once. */
  readonly signal: AbortSignal;
  /** Tells the user what fails nothing (yet). */
  readonly notice: (message: string) => void;
}

/** The splits of a checkpoint, of all subtasks. */
export interface RestoredSplits {
  readonly splits: readonly SplitState[];
  /** false: of another job, from whose state this one begins. */
  readonly ofThisJob: boolean;
}

export interface StreamSource {
  /**
   * Splits that there are now, of all subtasks. Called at the start and then every `discoveryIntervalMs`. `restored`: of
   * the checkpoint that the task goes on from; what is not among them is new, and is read from its beginning. null: there
   * is none, and `startingOffsets` counts for what is found first.
   */
  discover(restored: RestoredSplits | null): Promise<readonly SplitState[]>;
  /** A split of another job's state as this job begins with it. Left out: as it is. */
  renew?(split: SplitState): Promise<SplitState>;
  /** null: no splits are ever added. */
  readonly discoveryIntervalMs: number | null;
  /** Whose a split is: subtask `ordinal mod parallelism`. Depends on nothing but the id; left out, a hash of it. */
  ordinalOf?(splitId: string): number;
  /** Begins to read a split at its position. */
  addSplit(split: SplitState): Promise<void>;
  /**
   * The next records, in order within each split; `[]` where there are none for now (after having waited for at most
   * `waitMs`); 'end' when there will never be any more.
   */
  poll(recordsMax: number, waitMs: number): Promise<readonly SourceRecord[] | 'end'>;
  /** Records that were no rows and were skipped, since the task began. */
  readonly droppedRows: number;
  /** A checkpoint that holds these positions is complete (a broker may be told). Errors are the source's to handle. */
  notifyCheckpointComplete?(positions: readonly SplitState[]): Promise<void>;
  close(): Promise<void>;
}
