// What `run`, `jobs` and `cancel` take and give: the options their commands parse, the callbacks that show progress,
// and the reports that `--json` prints as they are. The interfaces are public (docs/commands.md); fields may be
// added, those that stand here keep name, type and meaning.
import type { VertexProgress } from '../engine/protocol/messages.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { ExchangeKind, ShuffleKind } from '../model/job-graph.ts';
import type { Damage } from '../model/job-log.ts';
import type { JobState } from '../model/states.ts';
import type { SinkGuarantee } from '../model/streaming-plan.ts';
import type { RecoveryEntry } from './recovery-report.ts';

export type { VertexProgress };

export interface RunOptions {
  /** Path of the job file; `-` reads it from stdin. */
  readonly jobFile: string;
  /** Folder that holds `jobs/`; absolute. */
  readonly home: string;
  /** Number of TaskManager processes; null: decided by the engine. */
  readonly workers: number | null;
  /** Slots of each TaskManager; null: decided by the engine. */
  readonly slots: number | null;
  /** `-D option=value`, which override the job file's `config`. */
  readonly config: Readonly<Record<string, string>>;
  /** Start over instead of resuming a run that has not ended. */
  readonly fresh: boolean;
  /** Absolute path of the savepoint or checkpoint that a new run begins from; null: none. */
  readonly fromSavepoint: string | null;
  /** Leave state behind that no operator of the job takes. */
  readonly allowNonRestoredState: boolean;
}

/** Where a run tells what it is doing, while it is doing it. Calls are cheap and never throw. */
export interface RunProgress {
  status(state: JobState, reason: string | null): void;
  vertices(vertices: readonly VertexProgress[]): void;
  /** One line that a user should see: a process was lost, a worker came back, ... */
  notice(message: string): void;
  /** Rows of a streaming job's print sinks, one a line. */
  rows(lines: readonly string[]): Promise<void>;
}

export interface RunVertex {
  readonly vertexId: string;
  readonly vertexName: string;
  /** null while an adaptive vertex has not been decided. */
  readonly parallelism: number | null;
  readonly finished: number;
}

export interface RunSink {
  readonly name: string;
  readonly path: string;
  readonly rows: number;
}

export interface LastCheckpoint {
  readonly checkpointId: number;
  readonly kind: 'checkpoint' | 'savepoint';
  /** Absolute path of its folder, which may be gone: a job that ended well needs it no more. */
  readonly location: string;
  /** ISO-8601. */
  readonly completedAt: string | null;
}

export interface RunFailure {
  /** Decides the exit code: JOB_FAILED, JOB_CANCELED, JOB_SUSPENDED, STORE_POISONED, INTERRUPTED, TERMINATED, INTERRUPTED_HANGUP. */
  readonly code: ErrorCode;
  readonly message: string;
  /** What resumes or repairs it, one line; absent where there is nothing to do. */
  readonly hint?: string;
}

export interface RunReport {
  readonly jobId: string;
  readonly name: string;
  /** FINISHED, FAILED, CANCELED or SUSPENDED. */
  readonly state: JobState;
  /** Absolute path of the `job-events` folder. */
  readonly store: string;
  readonly durationMs: number;
  readonly vertices: readonly RunVertex[];
  readonly sinks: readonly RunSink[];
  /** All of this job id, oldest first. */
  readonly recoveries: readonly RecoveryEntry[];
  /** The newest checkpoint or savepoint of a streaming job; null: none was completed. Absent for a batch job. */
  readonly lastCheckpoint?: LastCheckpoint | null;
  /** Absent exactly when the state is FINISHED. */
  readonly failure?: RunFailure;
}

export interface DryRunVertex {
  readonly vertexName: string;
  readonly stages: readonly string[];
  /** null: decided at run time from the bytes produced upstream. */
  readonly parallelism: number | null;
}

export interface DryRunEdge {
  /** Names of stages, sources and sinks: chained ones are shown, too. */
  readonly from: string;
  readonly to: string;
  readonly exchange: ExchangeKind;
  /** Columns of a hash exchange; empty otherwise. */
  readonly by: readonly string[];
  /** Why this exchange, one sentence. */
  readonly why: string;
}

export interface DryRunSource {
  readonly name: string;
  /** Number of splits; null: an enumerator finds them while the job runs. */
  readonly splits: number | null;
  /** The enumerator's export; null: the splits are known. */
  readonly enumerator: string | null;
}

/** What holds at the ends of a streaming job when it fails and goes on. */
export interface DryRunStreaming {
  /** null: no periodic checkpoints. */
  readonly checkpointIntervalMs: number | null;
  readonly sources: readonly { readonly name: string; readonly kind: string; readonly replayable: boolean }[];
  readonly sinks: readonly { readonly name: string; readonly kind: string; readonly guarantee: SinkGuarantee }[];
}

export interface DryRunReport {
  readonly name: string;
  /** Who keeps the result partitions; null: a streaming job has none. */
  readonly shuffle: ShuffleKind | null;
  /** null: a batch job. */
  readonly streaming: DryRunStreaming | null;
  /** What `run` warns of. */
  readonly warnings: readonly string[];
  readonly sources: readonly DryRunSource[];
  readonly vertices: readonly DryRunVertex[];
  readonly edges: readonly DryRunEdge[];
}

export interface JobsEntry {
  readonly jobId: string;
  readonly name: string;
  readonly state: JobState;
  readonly store: string;
  /** ISO-8601; null where the store says nothing yet. */
  readonly startedAt: string | null;
  /** Numbers of tasks; `total` counts the vertices whose parallelism is known. */
  readonly finished: number;
  readonly total: number;
  /** Whether a JobMaster is running it now. */
  readonly live: boolean;
  /** Where its store is damaged: all above is of what lies before that. null: it is sound. */
  readonly damage: Damage | null;
  /** The newest checkpoint or savepoint of a streaming job; null: none was completed. Absent for a batch job. */
  readonly lastCheckpoint?: LastCheckpoint | null;
}

export interface JobsReport {
  readonly jobs: readonly JobsEntry[];
}

export interface CancelOptions {
  readonly home: string;
  /** A job's name or id. */
  readonly job: string;
  /** Absolute folder below which a savepoint is taken first; null: none. */
  readonly savepointFolder: string | null;
}

export interface CancelReport {
  readonly jobId: string;
  readonly state: JobState;
  /** Where a savepoint was asked for; null where it failed: then the job is not canceled. */
  readonly savepoint?: TakenSavepoint | null;
  readonly failure?: RunFailure;
}

export interface TakenSavepoint {
  /** Absolute path of its folder; the user's from now on. */
  readonly path: string;
  readonly checkpointId: number;
  /** Of state. */
  readonly bytes: number;
}

/** The fields of the savepoint are null exactly where `failure` is there. */
export interface SavepointReport {
  readonly jobId: string;
  /** As it was left. */
  readonly state: JobState;
  readonly path: string | null;
  readonly checkpointId: number | null;
  readonly bytes: number | null;
  readonly failure?: RunFailure;
}
