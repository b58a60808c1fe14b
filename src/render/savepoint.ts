// `savepoint` and `stop` as text: the path, alone on its line, for scripts and for people.
import type { SavepointReport } from '../services/run-report.ts';
import { stateText } from './common.ts';
import type { Style } from './style.ts';
import { size } from './text.ts';

export function renderSavepoint(report: SavepointReport, style: Style): string {
  const job = `${style.title('job')}        ${report.jobId}  ${stateText(report.state, style)}`;
  if (report.path === null) return `${job}\n${report.failure?.message}`;
  const what = style.quiet(`checkpoint ${report.checkpointId}, ${size(report.bytes ?? 0)} of state`);
  return `${job}\n${style.title('savepoint')}  ${report.path}\n           ${what}`;
}
