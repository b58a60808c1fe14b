// `checkpoint diff` as text: the two checkpoints, then what was added, what went, and what is otherwise.
import { printable } from '../model/printable-text.ts';
import type {
  ChangedOperator,
  CheckpointDiffReport,
  ComparedCheckpoint,
  ComparedOperator,
  Growth,
  KafkaProgress,
} from '../services/checkpoint-diff-report.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, cut, size } from './text.ts';

/** A screen's worth of each kind. */
const rowsShownMax = 50;

export function renderCheckpointDiff(report: CheckpointDiffReport, style: Style): string {
  const blocks = [headLines(report, style), operatorsTable(report, style), kafkaTable(report.kafkaOffsets, style)];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function headLines(report: CheckpointDiffReport, style: Style): string {
  const { added, removed, changed, unchanged } = report;
  const parts = [
    `${added.length} added`,
    `${removed.length} removed`,
    `${changed.length} changed`,
    `${unchanged} alike`,
  ];
  return [
    `${style.title('from')}       ${checkpointText(report.from, style)}`,
    `${style.title('to')}         ${checkpointText(report.to, style)}`,
    `${style.title('operators')}  ${parts.join(', ')}`,
    `${style.title('state')}      ${growthText(report.stateSize)}`,
  ].join('\n');
}

function checkpointText(checkpoint: ComparedCheckpoint, style: Style): string {
  const format = `${checkpoint.format === 'jobrec' ? 'jobrec' : 'Flink'} format ${checkpoint.formatVersion}`;
  return `${checkpoint.type ?? 'checkpoint'} ${checkpoint.checkpointId}  ${checkpoint.location}  ${style.quiet(`(${format})`)}`;
}

function operatorsTable({ added, removed, changed }: CheckpointDiffReport, style: Style): string {
  const columns = [
    { title: '' },
    { title: 'operator' },
    { title: 'parallelism', align: 'right' },
    { title: 'of max', align: 'right' },
    { title: 'state' },
    { title: 'also' },
    { title: 'operator id' },
  ] as const;
  const rows = [
    ...added.map((operator) => [style.good('added'), ...presentRow(operator, style)]),
    ...removed.map((operator) => [style.bad('removed'), ...presentRow(operator, style)]),
    ...changed.map((operator) => [style.warn('changed'), ...changedRow(operator, style)]),
  ];
  const more = rows.length - rowsShownMax;
  const rest = more > 0 ? `\n  and ${counted(more, 'operator')} more; --json lists them` : '';
  return table(columns, rows.slice(0, rowsShownMax), style) + rest;
}

function presentRow(operator: ComparedOperator, style: Style): string[] {
  const { parallelism, maxParallelism, stateSize, operatorId } = operator;
  const state = bytesText(stateSize);
  return [nameOf(operator), count(parallelism), count(maxParallelism), state, '', style.quiet(operatorId)];
}

function changedRow(operator: ChangedOperator, style: Style): string[] {
  const { parallelism, maxParallelism } = operator;
  return [
    nameOf(operator),
    arrow(count(parallelism.from), count(parallelism.to)),
    arrow(count(maxParallelism.from), count(maxParallelism.to)),
    growthText(operator.stateSize),
    cut(printable(alsoText(operator)), 60),
    style.quiet(operator.operatorId),
  ];
}

function alsoText(operator: ChangedOperator): string {
  const { finishedSubtasks, fullyFinished, coordinatorBytes, statesAdded, statesRemoved } = operator;
  const parts: string[] = [];
  if (!fullyFinished.from && fullyFinished.to) parts.push('has finished');
  else if (fullyFinished.from && !fullyFinished.to) parts.push('runs again');
  else if (finishedSubtasks.from !== finishedSubtasks.to) {
    parts.push(`finished subtasks ${arrow(String(finishedSubtasks.from), String(finishedSubtasks.to))}`);
  }
  if (coordinatorBytes.from !== coordinatorBytes.to) {
    parts.push(`coordinator ${arrow(`${coordinatorBytes.from ?? 0}`, `${coordinatorBytes.to ?? 0}`)} B`);
  }
  parts.push(...statesAdded.map((name) => `+${name}`), ...statesRemoved.map((name) => `-${name}`));
  return parts.join(', ');
}

function kafkaTable(offsets: readonly KafkaProgress[], style: Style): string {
  const columns = [
    { title: 'topic' },
    { title: 'partition', align: 'right' },
    { title: 'next offset' },
    { title: 'read', align: 'right' },
  ] as const;
  const rows = offsets.slice(0, rowsShownMax).map(({ topic, partition, from, to }) => {
    const isCounted = from !== null && to !== null && from >= 0n && to >= 0n;
    const offset = arrow(String(from ?? 'not known'), String(to ?? 'not known'));
    return [topic, String(partition), offset, isCounted ? String(to - from) : '-'];
  });
  const more = offsets.length - rows.length;
  return (
    table(columns, rows, style) + (more > 0 ? `\n  and ${counted(more, 'partition')} more; --json lists them` : '')
  );
}

function nameOf({ name, uid }: { readonly name: string | null; readonly uid: string | null }): string {
  return printable(name ?? uid ?? '(no name)', 40);
}

function arrow(from: string, to: string): string {
  return from === to ? from : `${from} → ${to}`;
}

/** `1.2 kB → 1.5 kB (+312 B)`. */
function growthText({ from, to, growth }: Growth): string {
  if (growth === 0n) return bytesText(from);
  const sign = growth < 0n ? '-' : '+';
  return `${bytesText(from)} → ${bytesText(to)} (${sign}${bytesText(growth < 0n ? -growth : growth)})`;
}

function bytesText(bytes: bigint): string {
  return bytes < 0n ? String(bytes) : size(Number(bytes));
}
