// Whether a job may be resumed with the job file as it is now: plan, functions and inputs must be those it was
// submitted with, and so must DuckDB, whose hash function divides the rows of every hash exchange.
import type { Submission } from '../engine/submission.ts';
import { JobrecError } from '../model/errors.ts';
import type { PlannedJob } from '../plan/plan-job.ts';

const parts = {
  plan: 'its plan (stages, exchanges, sources or sinks)',
  functions: 'its functions',
  inputs: 'its inputs (size or time of a source file)',
} as const;

/** Throws JOB_CHANGED naming everything that changed. */
export function requireUnchanged(submission: Submission, planned: PlannedJob): void {
  const names = Object.keys(parts) as (keyof typeof parts)[];
  const changed: string[] = names.filter((part) => submission.fingerprint[part] !== planned.fingerprint[part]);
  const described = names.filter((part) => changed.includes(part)).map((part) => parts[part]) as string[];
  if (submission.graph.duckdbVersion !== planned.graph.duckdbVersion) {
    changed.push('duckdb');
    described.push(`the DuckDB version (${submission.graph.duckdbVersion}, now ${planned.graph.duckdbVersion})`);
  }
  if (changed.length === 0) return;
  const message = `job ${submission.name} has not ended, and since it was submitted ${described.join(' and ')} changed`;
  throw new JobrecError('JOB_CHANGED', message, {
    data: { jobId: submission.jobId, changed },
    hint: 'undo the change to resume it, or start over with --fresh',
  });
}
