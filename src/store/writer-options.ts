// What a StoreWriter is told, and what the start of a store hands to it. Apart from writer.ts, so that starting and
// writing do not import each other.
import type { GraphTables } from './event-types.ts';
import type { SegmentOutput } from './segment-output.ts';
import type { SnapshotPosition } from './snapshot-file.ts';
import type { StoragePort } from './storage-port.ts';

export interface StoreWriterOptions {
  /** The `job-events` folder. */
  readonly folder: string;
  readonly jobId: string;
  readonly epoch: number;
  /** The longest that a batch with a recovery event waits to be joined by others; 0: only for the sync before it. */
  readonly flushIntervalMs: number;
  /** A batch of this size is written at once. */
  readonly writeBufferSizeBytes: number;
  /** A segment of this size is sealed and followed by another. Default 64 MiB. */
  readonly segmentSizeBytesMax?: number;
  /** Whether a later epoch exists. */
  readonly isFenced: () => Promise<boolean>;
  readonly storage?: StoragePort;
  /** Microseconds since 1970; the writer makes them non-decreasing. */
  readonly now?: () => number;
}

/** What a store's start hands to its writer. */
export interface WriterStart {
  readonly output: SegmentOutput;
  readonly nextSequence: number;
  readonly lastTimeMicros: number;
  readonly tables: GraphTables | null;
  /** Where the log ended that the writer goes on with; null where there was none. */
  readonly tookOver: SnapshotPosition | null;
}
