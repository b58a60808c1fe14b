// What `validate` reports; printed as it is with --json. Spec: docs/commands.md "validate".
import type { Damage, Finding } from '../model/job-log.ts';
import type { Verdict } from '../replay/recovery-plan.ts';

export type { Finding, Verdict };

export interface ValidateReport {
  /** No finding above info. */
  readonly ok: boolean;
  readonly location: string;
  /** Physical and semantic ones, in the order of the log. */
  readonly findings: readonly Finding[];
  readonly checked: { readonly segments: number; readonly events: number; readonly bytes: number };
  /** What a recovery from exactly these bytes would do. */
  readonly verdict: Verdict;
  readonly why: string;
  readonly damage: Damage | null;
  /** Only with --repair; the other fields are of the store after it, or as it is where nothing was applied. */
  readonly repair?: RepairReport;
}

export interface RepairReport {
  /** Whether the store was changed; false for a dry run, and where there is nothing to repair. */
  readonly applied: boolean;
  readonly needed: boolean;
  readonly format: 'jobrec' | 'flink';
  /** Why the kept events end where they end, or why nothing needs repair. */
  readonly why: string;
  /**
   * What Flink would do with what is kept, where every TaskManager is back: numbers of finished tasks. Knows of results that
   * the old JobMaster released after the kept events, which `verdict` and `diff` on the repaired store cannot.
   */
  readonly outlook: { readonly verdict: Verdict; readonly why: string; readonly kept: number; readonly rerun: number };
  readonly kept: {
    readonly segments: number;
    readonly events: number;
    readonly bytes: number;
    /** That the kept events say had finished. */
    readonly finishedTasks: number;
  };
  /** As far as it can still be read; bytes: all of them. */
  readonly givenUp: { readonly events: number; readonly bytes: number; readonly finishedTasks: number };
  readonly movedAside: readonly { readonly from: string; readonly to: string; readonly sha256: string }[];
  /** Names of the files that were shortened. */
  readonly wrote: readonly string[];
}
