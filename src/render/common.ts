// Lines that several reports begin or end with: the job, its state, damage, a verdict.
import type { Damage } from '../model/job-log.ts';
import type { JobState } from '../model/states.ts';
import type { Verdict } from '../services/diff-report.ts';
import type { JobSummary } from '../services/inspect-report.ts';
import type { LastCheckpoint } from '../services/run-report.ts';
import type { Style } from './style.ts';

/** `job delays-by-carrier  RUNNING  (id 5f…)`. */
export function jobLine(job: JobSummary, style: Style, labelWidth = 5): string {
  const name = job.name ?? '(name not recorded)';
  const state = job.state === null ? style.quiet('state not recorded') : stateText(job.state, style);
  const label = `${style.title('job')}${' '.repeat(labelWidth - 'job'.length)}`;
  return `${label}  ${name}  ${state}${job.jobId === null ? '' : `  ${style.quiet(`(id ${job.jobId})`)}`}`;
}

export function stateText(state: JobState, style: Style): string {
  switch (state) {
    case 'FINISHED':
      return style.good(state);
    case 'FAILED':
      return style.bad(state);
    case 'CREATED':
    case 'RUNNING':
      return style.title(state);
    case 'RECONCILING':
    case 'RESTARTING':
    case 'CANCELED':
    case 'SUSPENDED':
      return style.warn(state);
  }
}

/** The line that must not be missed: all that follows is about the good prefix only. null for a sound store. */
export function damageLine(damage: Damage | null, style: Style): string | null {
  if (damage === null) return null;
  return `${style.bad('DAMAGED')}  ${damage.code} ${placeOf(damage)}; what follows is the good prefix (jobrec validate says more)`;
}

/** `in events-0.log at byte 12`. */
export function placeOf({ segment, offset }: Damage): string {
  return segment === '' ? 'in the store' : `in ${segment} at byte ${offset}`;
}

export function verdictText(verdict: Verdict, style: Style): string {
  switch (verdict) {
    case 'recoverable':
      return style.good(verdict);
    case 'recoverable-with-loss':
      return style.warn(verdict);
    case 'restart-from-scratch':
    case 'would-hang':
      return style.bad(verdict);
  }
}

/** `state  checkpoint 9  /…/chk-9`; null where there is none. */
export function checkpointLine(last: LastCheckpoint | null | undefined, style: Style): string | null {
  if (!last) return null;
  return `${style.title('state')}  ${last.kind} ${last.checkpointId}  ${style.quiet(last.location)}`;
}
