// `run` as text: how the job ended, what it wrote, what was recovered on the way, and for a failure why and what next.
import type { DryRunReport, RunReport } from '../services/run-report.ts';
import { stateText } from './common.ts';
import { recoveriesTable } from './recoveries.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, duration } from './text.ts';

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
  if (report.lastCheckpoint) {
    const { checkpointId, kind, location } = report.lastCheckpoint;
    lines.push(`${style.title('state')}  ${kind} ${checkpointId}  ${style.quiet(location)}`);
  }
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
  const columns = [{ title: 'sink' }, { title: 'rows', align: 'right' }, { title: 'written to' }] as const;
  return table(
    columns,
    report.sinks.map((sink) => [sink.name, count(sink.rows), sink.path]),
    style,
  );
}

const shuffleTexts: Readonly<Record<DryRunReport['shuffle'], string>> = {
  workers: 'workers: each worker keeps the results of its tasks',
  service: 'service: a shuffle service process keeps the results, so that losing a worker loses none',
};

export function renderDryRun(report: DryRunReport, style: Style): string {
  const vertices = report.vertices.map((each) => [
    each.vertexName,
    each.parallelism === null ? 'adaptive' : count(each.parallelism),
    each.stages.join(', '),
  ]);
  const edges = report.edges.map((each) => [
    `${each.from} => ${each.to}`,
    each.by.length === 0 ? each.exchange : `${each.exchange} by ${each.by.join(', ')}`,
    each.why,
  ]);
  const sources = report.sources.map(({ name, splits, enumerator }) => [
    name,
    splits === null ? '-' : count(splits),
    enumerator === null ? 'known now' : `found by ${enumerator} while the job runs`,
  ]);
  const head = `${style.title('job')}    ${report.name}: ${counted(vertices.length, 'vertex', 'vertices')}, nothing was started`;
  const sourceColumns = [{ title: 'source' }, { title: 'splits', align: 'right' }, { title: '' }] as const;
  const vertexColumns = [{ title: 'vertex' }, { title: 'parallelism', align: 'right' }, { title: 'stages' }] as const;
  const edgeColumns = [{ title: 'from => to' }, { title: 'exchange' }, { title: 'why' }] as const;
  const kept = `${style.title('held')}   ${shuffleTexts[report.shuffle]}`;
  // Splits that are known say nothing that the vertices' parallelism does not.
  const isFound = report.sources.some(({ enumerator }) => enumerator !== null);
  const sourceTable = isFound ? table(sourceColumns, sources, style) : '';
  return [`${head}\n${kept}`, sourceTable, table(vertexColumns, vertices, style), table(edgeColumns, edges, style)]
    .filter((block) => block !== '')
    .join('\n\n');
}
