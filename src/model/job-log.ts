// What a store gives to replay and to the reading commands, whichever format it has: records in log order, the
// description of the files, and the findings of a check. Implemented by store/ (format 1) and store/flink/.
import type { JobEvent, JobSubmitted } from './job-events.ts';

/** One logical log entry with its place on disk. */
export interface LogRecord {
  /** Position in the log, 0-based (Flink stores: the n-th event over all files). */
  readonly sequence: number;
  /** Microseconds since the epoch; null where the format records no times. */
  readonly timeMicros: number | null;
  /** The JobMaster incarnation that wrote it; null for Flink stores. */
  readonly epoch: number | null;
  readonly segment: string;
  /** Byte position of the frame in its segment. */
  readonly offset: number;
  /** Length of the frame, header included. */
  readonly bytes: number;
  readonly event: JobEvent;
}

export type FindingCode =
  | 'TORN_TAIL'
  | 'CHECKSUM_MISMATCH'
  | 'BAD_LENGTH'
  | 'UNKNOWN_TYPE'
  | 'SEQUENCE_GAP'
  | 'SEGMENT_GAP'
  | 'PAYLOAD_INVALID'
  | 'MANIFEST_MISMATCH'
  | 'SNAPSHOT_MISMATCH'
  | 'FENCED_WRITES'
  | 'FINISH_WITHOUT_INIT'
  | 'FINISH_TWICE'
  | 'RESET_UNKNOWN'
  | 'PARTITION_COUNT'
  | 'EMPTY_STORE';

export type Severity = 'info' | 'warning' | 'error';

/** What Flink does when it meets these bytes: reads on with the next file, deletes the whole store and starts over, never sees later files, or waits for ever. */
export type FlinkReaction = 'skips-rest-of-file' | 'deletes-store' | 'hides-later-files' | 'hangs';

/** Something that a check found in the bytes. Findings are values: readers never throw for bad bytes. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly segment: string | null;
  readonly offset: number | null;
  readonly sequence: number | null;
  readonly bytesLost: number;
  readonly message: string;
  /** Only in Flink stores. */
  readonly flinkDoes?: FlinkReaction;
}

export interface SegmentInfo {
  readonly name: string;
  readonly bytes: number;
  readonly events: number;
  readonly firstSequence: number | null;
  readonly lastSequence: number | null;
  readonly sealed: boolean;
  /** Bytes behind the last whole frame that no reader takes for events. */
  readonly tornBytes: number;
}

/** Where reading stopped for damage (the contract's `damage` field). */
export interface Damage {
  readonly segment: string;
  readonly offset: number;
  readonly code: FindingCode;
}

/** A snapshot's file. */
export interface SnapshotInfo {
  readonly name: string;
  readonly bytes: number;
  /** Last event that it holds. */
  readonly sequence: number;
  /** Of the JobMaster that wrote it. */
  readonly epoch: number;
}

/** One of the arrays of plain values (cells) that make up a snapshot's graph: replay knows what they mean. */
export type SnapshotPart = readonly unknown[];

/** A snapshot whose every byte is as it was written, of this log. */
export interface LogSnapshot extends SnapshotInfo {
  /** Of the last event that it holds. */
  readonly timeMicros: number;
  readonly submitted: JobSubmitted;
  /** Read from the file as they are asked for. */
  parts(): AsyncIterable<SnapshotPart>;
}

/** The files of a store after a walk over their frames. */
export interface StoreSummary {
  readonly format: 'jobrec' | 'flink';
  readonly formatVersion: number;
  /** Absolute path of the `job-events` folder. */
  readonly location: string;
  readonly bytes: number;
  readonly events: number;
  readonly segments: readonly SegmentInfo[];
  /** Newest first, damaged ones too. */
  readonly snapshots: readonly SnapshotInfo[];
  /** Physical findings only (frames, headers, manifest); meaning is checked on the replayed graph. */
  readonly findings: readonly Finding[];
  /** First damage (severity error), null for a sound store; a torn tail alone is no damage. */
  readonly damage: Damage | null;
}

/** An open store. Reading needs no lock, changes nothing and works on a live store. */
export interface JobLog {
  readonly format: 'jobrec' | 'flink';
  readonly location: string;
  /** Sequence number at which the files begin: above 0 where the events before were retired. */
  readonly firstSequence: number;
  /** Whole snapshots that belong to this log, newest first. Flink's stores have none. */
  snapshots(): Promise<readonly LogSnapshot[]>;
  /** Records of the longest good prefix, or of what follows a snapshot, in order. May be walked more than once. */
  records(after?: LogSnapshot): AsyncIterable<LogRecord>;
  /** What the walk of `records()` with the same argument finds; makes that walk unless it was made before. */
  summary(after?: LogSnapshot): Promise<StoreSummary>;
}
