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
import { formatText, offsetText, operatorText, stateSizeText } from './checkpoint-words.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, cut } from './text.ts';

/** A screen's worth of each kind. */
const rowsShownMax = 50;

export function renderCheckpointDiff(report: CheckpointDiffReport, style: Style): string {
  const blocks = [headLines(report, style), operatorsTable(report, style), kafkaTable(report, style)];
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
  return `${checkpoint.type ?? 'checkpoint'} ${checkpoint.checkpointId}  ${checkpoint.location}  ${style.quiet(formatText(checkpoint))}`;
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
  const wentBy = new Set(removed.map(({ name }) => name));
  const also = ({ name }: ComparedOperator) => (name !== null && wentBy.has(name) ? 'one of its name went' : '');
  const rows = [
    ...added.map((operator) => [style.good('added'), ...presentRow(operator, also(operator), style)]),
    ...removed.map((operator) => [style.bad('removed'), ...presentRow(operator, '', style)]),
    ...changed.map((operator) => [style.warn('changed'), ...changedRow(operator, style)]),
  ];
  const more = rows.length - rowsShownMax;
  const rest = more > 0 ? `\n  and ${counted(more, 'operator')} more; --json lists them` : '';
  return table(columns, rows.slice(0, rowsShownMax), style) + rest;
}

function presentRow(operator: ComparedOperator, also: string, style: Style): string[] {
  const { parallelism, maxParallelism, stateSize, operatorId } = operator;
  const state = stateSizeText(stateSize);
  return [operatorText(operator), count(parallelism), count(maxParallelism), state, also, style.quiet(operatorId)];
}

function changedRow(operator: ChangedOperator, style: Style): string[] {
  const { parallelism, maxParallelism } = operator;
  return [
    operatorText(operator),
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

/** The operator is named where there are several. */
function kafkaTable({ kafkaOffsets, kafkaUnread, added, removed }: CheckpointDiffReport, style: Style): string {
  const hasSeveral = new Set(kafkaOffsets.map(({ operatorId }) => operatorId)).size > 1;
  const columns = [
    ...(hasSeveral ? [{ title: 'source' }] : []),
    { title: 'topic' },
    { title: 'partition', align: 'right' as const },
    { title: 'next offset' },
    { title: 'read', align: 'right' as const },
  ];
  const [came, went] = [added, removed].map((operators) => new Set(operators.map(({ operatorId }) => operatorId)));
  const rows = kafkaOffsets.slice(0, rowsShownMax).map((row) => {
    const { operatorId, name, topic, partition, from, to } = row;
    const before = came?.has(operatorId) ? 'no source' : offsetText(from);
    const offset = arrow(before, went?.has(operatorId) ? 'no source' : offsetText(to));
    const source = hasSeveral ? [operatorText({ name: name ?? operatorId, uid: null })] : [];
    return [...source, topic, String(partition), offset, readText(row)];
  });
  const more = kafkaOffsets.length - rows.length;
  const notes = kafkaUnread.map((reason) => `  not known: ${printable(reason, 300)}`);
  if (more > 0) notes.push(`  and ${counted(more, 'partition')} more; --json lists them`);
  return [table(columns, rows, style), ...notes].filter((line) => line !== '').join('\n');
}

function readText({ from, to }: KafkaProgress): string {
  return from !== null && to !== null && from >= 0n && to >= 0n ? String(to - from) : '-';
}

function arrow(from: string, to: string): string {
  return from === to ? from : `${from} → ${to}`;
}

/** `1.2 kB → 1.5 kB (+312 B)`. */
function growthText({ from, to, growth }: Growth): string {
  if (growth === 0n) return stateSizeText(from);
  const sign = growth < 0n ? '-' : '+';
  return `${stateSizeText(from)} → ${stateSizeText(to)} (${sign}${stateSizeText(growth < 0n ? -growth : growth)})`;
}
