// `jobs` and `cancel` as text.
import type { CancelReport, JobsReport } from '../services/run-report.ts';
import { stateText } from './common.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';

export function renderJobs(report: JobsReport, style: Style): string {
  if (report.jobs.length === 0) return 'no jobs here';
  const columns = [
    { title: 'job' },
    { title: 'state' },
    { title: 'tasks', align: 'right' },
    { title: 'started' },
    { title: 'id' },
    { title: 'store' },
  ] as const;
  const rows = report.jobs.map((job) => [
    job.name,
    stateText(job.state, style),
    `${job.finished}/${job.total}`,
    job.startedAt === null ? '-' : job.startedAt.replace(/\.\d+Z$/, 'Z'),
    job.jobId,
    style.quiet(job.store),
  ]);
  return table(columns, rows, style);
}

export function renderCancel(report: CancelReport, style: Style): string {
  return `${style.title('job')}    ${report.jobId}  ${stateText(report.state, style)}`;
}
