// `jobs` and `cancel` as text.
import type { CancelReport, JobsReport } from '../services/run-report.ts';
import { placeOf, stateText } from './common.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';

export function renderJobs(report: JobsReport, style: Style): string {
  if (report.jobs.length === 0) return 'no jobs here';
  const isStreaming = report.jobs.some((job) => job.lastCheckpoint !== undefined);
  const columns = [
    { title: 'job' },
    { title: 'state' },
    { title: 'tasks', align: 'right' as const },
    ...(isStreaming ? [{ title: 'checkpoint' }] : []),
    { title: 'started' },
    { title: 'id' },
    { title: 'store' },
  ];
  const rows = report.jobs.map((job) => [
    job.name,
    job.damage === null ? stateText(job.state, style) : `${stateText(job.state, style)} ${style.bad('DAMAGED')}`,
    job.lastCheckpoint === undefined ? `${job.finished}/${job.total}` : `${job.total}`,
    ...(isStreaming ? [checkpointText(job.lastCheckpoint)] : []),
    job.startedAt === null ? '-' : job.startedAt.replace(/\.\d+Z$/, 'Z'),
    job.jobId,
    style.quiet(job.store),
  ]);
  return [table(columns, rows, style), ...report.jobs.flatMap((job) => damageHint(job, style))].join('\n');
}

function damageHint({ name, store, damage }: JobsReport['jobs'][number], style: Style): string[] {
  if (damage === null) return [];
  const what = `${damage.code} ${placeOf(damage)}; shown is what lies before it`;
  return [`${style.bad('DAMAGED')}  ${name}: ${what} (jobrec validate ${store} says more)`];
}

function checkpointText(last: JobsReport['jobs'][number]['lastCheckpoint']): string {
  if (!last) return '-';
  const kind = last.kind === 'savepoint' ? 'savepoint ' : '';
  return `${kind}${last.checkpointId}, ${last.completedAt?.replace(/\.\d+Z$/, 'Z') ?? '?'}`;
}

export function renderCancel(report: CancelReport, style: Style): string {
  const job = `${style.title('job')}    ${report.jobId}  ${stateText(report.state, style)}`;
  if (report.failure) return `${job}\n${report.failure.message}`;
  return report.savepoint ? `${job}\n${style.title('savepoint')}  ${report.savepoint.path}` : job;
}
