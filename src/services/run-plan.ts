// Plans the job file of `run`, for a run and for a dry run.
import type { PlannedJob } from '../plan/plan-job.ts';
import { defaultSlots } from './cluster-size.ts';
import { readJobText } from './job-text.ts';
import type { RunOptions } from './run-report.ts';

export async function planOf(options: RunOptions): Promise<PlannedJob> {
  const { planJob } = await import('../plan/plan-job.ts');
  const { path, text } = await readJobText(options.jobFile);
  const totalSlots = defaultSlots(options).total;
  return planJob({ path, overrides: options.config, totalSlots, ...(text === null ? {} : { text }) });
}
