// `run --dry-run` as text: what would run, what moves how, and for a streaming job what holds at its ends when it fails.
import type { DryRunReport, DryRunStreaming } from '../services/run-report.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, duration } from './text.ts';

const shuffleTexts: Readonly<Record<NonNullable<DryRunReport['shuffle']>, string>> = {
  workers: 'workers: each worker keeps the results of its tasks',
  service: 'service: a shuffle service process keeps the results, so that losing a worker loses none',
};

const guaranteeTexts = {
  'exactly-once': 'exactly once: rows appear with their checkpoint',
  'at-least-once': 'at least once: rows since the last checkpoint come again after a failure',
} as const;

export function renderDryRun(report: DryRunReport, style: Style): string {
  return [
    headLines(report, style),
    sourcesTable(report, style),
    verticesTable(report, style),
    edgesTable(report, style),
    endsTable(report.streaming, style),
    report.warnings.map((warning) => `${style.warn('note')}   ${warning}`).join('\n'),
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}

function headLines({ name, vertices, shuffle, streaming }: DryRunReport, style: Style): string {
  const lines = [
    `${style.title('job')}    ${name}: ${counted(vertices.length, 'vertex', 'vertices')}, nothing was started`,
  ];
  if (shuffle) lines.push(`${style.title('held')}   ${shuffleTexts[shuffle]}`);
  if (streaming) lines.push(`${style.title('state')}  ${checkpointsText(streaming)}`);
  return lines.join('\n');
}

function checkpointsText({ checkpointIntervalMs }: DryRunStreaming): string {
  if (checkpointIntervalMs !== null) return `a checkpoint every ${duration(checkpointIntervalMs)}`;
  return 'no checkpoints: a failure begins the job again (execution.checkpointing.interval is not set)';
}

/** Splits that are known say nothing that the vertices' parallelism does not. */
function sourcesTable({ sources }: DryRunReport, style: Style): string {
  if (sources.every(({ enumerator }) => enumerator === null)) return '';
  const columns = [{ title: 'source' }, { title: 'splits', align: 'right' }, { title: '' }] as const;
  const rows = sources.map(({ name, splits, enumerator }) => [
    name,
    splits === null ? '-' : count(splits),
    enumerator === null ? 'known now' : `found by ${enumerator} while the job runs`,
  ]);
  return table(columns, rows, style);
}

function verticesTable({ vertices }: DryRunReport, style: Style): string {
  const columns = [{ title: 'vertex' }, { title: 'parallelism', align: 'right' }, { title: 'stages' }] as const;
  const rows = vertices.map((each) => [
    each.vertexName,
    each.parallelism === null ? 'adaptive' : count(each.parallelism),
    each.stages.join(', '),
  ]);
  return table(columns, rows, style);
}

function edgesTable({ edges }: DryRunReport, style: Style): string {
  const rows = edges.map((each) => [
    `${each.from} => ${each.to}`,
    each.by.length === 0 ? each.exchange : `${each.exchange} by ${each.by.join(', ')}`,
    each.why,
  ]);
  return table([{ title: 'from => to' }, { title: 'exchange' }, { title: 'why' }], rows, style);
}

function endsTable(streaming: DryRunStreaming | null, style: Style): string {
  if (!streaming) return '';
  const sources = streaming.sources.map(({ name, kind, replayable }) => [
    name,
    kind,
    replayable ? 'read again from the checkpoint' : 'cannot be replayed: rows since the last checkpoint are lost',
  ]);
  const sinks = streaming.sinks.map(({ name, kind, guarantee }) => [name, kind, guaranteeTexts[guarantee]]);
  return table(
    [{ title: 'in and out' }, { title: 'kind' }, { title: 'after a failure' }],
    [...sources, ...sinks],
    style,
  );
}
