// `run` as text: how the job ended, what it wrote, what was recovered on the way, and for a failure why and what next.
import type { RunReport } from '../services/run-report.ts';
import { checkpointLine, stateText } from './common.ts';
import { recoveriesTable } from './recoveries.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, duration } from './text.ts';

export function renderRun(report: RunReport, style: Style): string {
  const blocks = [
    headLines(report, style),
    verticesTable(report, style),
    sinksTable(report, style),
    recoveriesTable(report.recoveries, style),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function headLines(report: RunReport, style: Style): string {
  const { failure } = report;
  const lines = [
    `${style.title('job')}    ${report.name}  ${stateText(report.state, style)} after ${duration(report.durationMs)}  ${style.quiet(`(id ${report.jobId})`)}`,
    `${style.title('store')}  ${report.store}`,
  ];
  const checkpoint = checkpointLine(report.lastCheckpoint, style);
  if (checkpoint !== null) lines.push(checkpoint);
  if (failure !== undefined) lines.push(`${style.title('why')}    ${failure.message}`);
  if (failure?.hint !== undefined) lines.push(`${style.title('next')}   ${failure.hint}`);
  return lines.join('\n');
}

function verticesTable(report: RunReport, style: Style): string {
  const columns = [{ title: 'vertex' }, { title: 'finished', align: 'right' }] as const;
  const rows = report.vertices.map((each) => [each.vertexName, `${each.finished}/${each.parallelism ?? '?'}`]);
  return table(columns, rows, style);
}

function sinksTable(report: RunReport, style: Style): string {
  if (report.state !== 'FINISHED') return '';
  // A streaming job may have begun from the state of another one, whose rows are counted with its own.
  const rows = report.lastCheckpoint === undefined ? 'rows' : 'rows in all';
  const columns = [{ title: 'sink' }, { title: rows, align: 'right' }, { title: 'written to' }] as const;
  return table(
    columns,
    report.sinks.map((sink) => [sink.name, count(sink.rows), sink.path]),
    style,
  );
}
