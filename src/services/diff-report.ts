// What `diff` reports; printed as it is with --json. Spec: docs/commands.md "diff".
import type { Damage } from '../model/job-log.ts';
import type { Reason, RecoverySummary, TaskCost, Verdict } from '../replay/recovery-plan.ts';
import type { JobSummary } from './inspect-report.ts';

export type { Reason, RecoverySummary, TaskCost, Verdict };

export interface DiffReport {
  readonly verdict: Verdict;
  /** One sentence. */
  readonly why: string;
  readonly job: JobSummary;
  /** The last event that the prediction rests on; nulls for an empty store. */
  readonly at: { readonly sequence: number | null; readonly time: string | null };
  readonly summary: RecoverySummary;
  /** Finished tasks that would run again. */
  readonly rerun: readonly DiffRerun[];
  readonly kept: readonly DiffTask[];
  /** Not finished: they run anyway. */
  readonly pending: readonly DiffTask[];
  readonly partitions: {
    readonly reserved: readonly DiffPartition[];
    readonly released: readonly DiffPartition[];
    readonly optional: readonly DiffPartition[];
    readonly missing: readonly DiffPartition[];
  };
  /** Only of a streaming job: the checkpoint or savepoint that its tasks begin from; null: the beginning, or none. */
  readonly restore?: RestoreReport | null;
  readonly basis: DiffBasis;
  /** What in the question does not fit the store; also said on stderr. */
  readonly warnings: readonly string[];
  readonly damage: Damage | null;
}

export interface RestoreReport {
  readonly kind: 'checkpoint' | 'savepoint';
  readonly checkpointId: number;
  readonly location: string;
  /** Newer ones that cannot be used, newest first. */
  readonly skipped: readonly { readonly checkpointId: number; readonly location: string; readonly reason: string }[];
}

export interface DiffTask {
  readonly vertexId: string;
  readonly vertexName: string | null;
  readonly subtask: number;
}

export interface DiffRerun extends DiffTask {
  /** The attempt that had finished. */
  readonly attempt: number;
  readonly reasons: readonly Reason[];
  /** null where the store holds no metrics. */
  readonly cost: TaskCost | null;
}

export interface DiffPartition {
  readonly partitionId: string;
  readonly workerId: string | null;
}

/** What the prediction rests on. */
export interface DiffBasis {
  readonly topology: 'recorded' | 'job-graph' | 'plan' | 'derived-ids' | 'inferred';
  readonly survivors: SurvivorsBasis;
  /** What was taken for granted, one sentence each. */
  readonly assumptions: readonly string[];
}

export type SurvivorsBasis = 'report' | 'workers' | 'lost-workers' | 'rest' | 'folders' | 'assumed-all';
