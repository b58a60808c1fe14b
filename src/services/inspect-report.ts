// What `inspect` reports; printed as it is with --json. Spec: docs/commands.md "inspect".
import type { JobEventType } from '../model/job-events.ts';
import type { Damage, SegmentInfo, SnapshotInfo } from '../model/job-log.ts';
import type { JobState } from '../model/states.ts';
import type { RecoveryEntry } from './recovery-report.ts';
import type { LastCheckpoint } from './run-report.ts';

export interface InspectReport {
  readonly store: {
    readonly format: 'jobrec' | 'flink';
    readonly formatVersion: number;
    readonly location: string;
    readonly bytes: number;
    readonly events: number;
    readonly segments: readonly SegmentInfo[];
    /** Newest first. */
    readonly snapshots: readonly SnapshotInfo[];
    /** Above 0: the events before were retired, and a snapshot holds what they led to. */
    readonly firstSequence: number;
  };
  /** Event kind → count, in the order of first occurrence. */
  readonly byType: Readonly<Record<string, number>>;
  readonly job: JobSummary;
  /** In topological order where the store holds the job graph. */
  readonly vertices: readonly InspectVertex[];
  /** Only of a streaming job; null: it has none yet. */
  readonly lastCheckpoint?: LastCheckpoint | null;
  /** Oldest first. */
  readonly recoveries: readonly RecoveryEntry[];
  /** Where reading stopped; null for a sound store. */
  readonly damage: Damage | null;
}

/** Names that the store does not hold are null. */
export interface JobSummary {
  readonly jobId: string | null;
  readonly name: string | null;
  /** null where the store records no states. */
  readonly state: JobState | null;
}

/** Numbers of tasks; `attempts` counts every attempt that the store shows to have begun. */
export interface InspectVertex {
  readonly vertexId: string;
  readonly vertexName: string | null;
  /** null until the vertex is initialized. */
  readonly parallelism: number | null;
  readonly finished: number;
  readonly running: number;
  readonly attempts: number;
}

/** One line of `inspect --events`: the place, what the event is about, then the event's own fields (flat). */
export interface EventLine {
  readonly sequence: number;
  /** ISO-8601; null where the format records no times. */
  readonly time: string | null;
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  readonly type: JobEventType;
  readonly vertexId: string | null;
  readonly vertexName: string | null;
  readonly subtask: number | null;
  readonly attempt: number | null;
  readonly workerId: string | null;
  /** The frame's bytes in hexadecimal; only with --raw. */
  readonly raw?: string;
  /** The Java objects in the frame, decoded; only with --raw, of a Flink store. */
  readonly java?: unknown;
  readonly [field: string]: unknown;
}
