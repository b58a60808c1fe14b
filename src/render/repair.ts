// What `validate --repair` did, or would do: what is kept, what is given up, and where the originals are.
import type { RepairReport } from '../services/validate-report.ts';
import { verdictText } from './common.ts';
import type { Style } from './style.ts';
import { counted, size } from './text.ts';

export function renderRepair(report: RepairReport, style: Style): string {
  if (!report.needed) return `${style.title('repair')}    none: ${report.why}`;
  const { kept, givenUp } = report;
  const title = (text: string) => style.title(text.padEnd(8));
  const lines = [
    `${title('repair')}  ${report.applied ? style.good('done') : style.warn('dry run, nothing was changed')}: ${report.why}`,
    `${title('keeps')}  ${amount(kept)}, in ${counted(kept.segments, 'file')}`,
    `${title('gives up')}  ${amount(givenUp)}`,
    `${title('then')}  ${verdictText(report.outlook.verdict, style)}: ${report.outlook.why}`,
    ...report.movedAside.map(({ from, to }, index) => `${title(index === 0 ? 'aside' : '')}  ${from} -> ${to}`),
  ];
  if (!report.applied) lines.push('', next(report));
  return lines.join('\n');
}

/** A jobrec store is held by an epoch, which a repair takes; of Flink's JobManager nothing beside the store tells. */
function next({ format }: RepairReport): string {
  if (format === 'jobrec') return 'To do it: --repair --yes.';
  return 'Stop the JobManager first: jobrec cannot see whether one runs. Then --repair --yes.';
}

function amount(what: RepairReport['kept'] | RepairReport['givenUp']): string {
  const { events, finishedTasks, bytes } = what;
  return `${counted(events, 'event')}, ${counted(finishedTasks, 'finished task')}, ${size(bytes)}`;
}
