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
}
