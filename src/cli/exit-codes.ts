// The process exit codes of the contract, and which of them an error or a report ends with. The same code comes out
// with and without --json. Spec: docs/exit-codes.md.
import { type ErrorCode, exitCodeByErrorCode, JobrecError } from '../model/errors.ts';
import type { JobState } from '../model/states.ts';

export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  found: 3,
  unreadable: 4,
  held: 5,
  version: 6,
  jobFailed: 7,
  outputFailed: 8,
} as const;

/** The exit code for anything thrown: an expected error has its own, everything else is a bug. */
export function exitCodeOfError(error: unknown): number {
  return error instanceof JobrecError ? exitCodeByErrorCode[error.code] : exitCodes.bug;
}

/** The exit code for a run that printed its report. */
export function exitCodeOfRun(report: { readonly state: JobState; readonly failure?: { readonly code: ErrorCode } }) {
  if (report.failure !== undefined) return exitCodeByErrorCode[report.failure.code];
  return report.state === 'FINISHED' ? exitCodes.done : exitCodes.jobFailed;
}
