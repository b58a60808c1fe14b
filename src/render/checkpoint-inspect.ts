// `checkpoint inspect` as text: what this checkpoint is, one line an operator, and its subtasks where they are asked for.
import type { KafkaSourceState } from '../model/checkpoint.ts';
import { printable } from '../model/printable-text.ts';
import type {
  CheckpointInspectReport,
  CheckpointOperator,
  CheckpointSubtask,
} from '../services/checkpoint-inspect-report.ts';
import { formatText, offsetText, operatorText, stateSizeText } from './checkpoint-words.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, cut, size } from './text.ts';

export interface CheckpointInspectView {
  /** A table of subtasks below each operator. */
  readonly subtasks: boolean;
}

export function renderCheckpointInspect(
  report: CheckpointInspectReport,
  style: Style,
  view: CheckpointInspectView,
): string {
  const kafka = report.kafkaSources.map((source) => kafkaBlock(source, report, style));
  const blocks = [headLines(report, style), operatorsTable(report.operators, style), ...kafka];
  if (view.subtasks) blocks.push(...report.operators.map((operator) => subtasksBlock(operator, style)));
  return blocks.filter((block) => block !== '').join('\n\n');
}

function headLines(report: CheckpointInspectReport, style: Style): string {
  const { summary, masterStates } = report;
  const holds = `${counted(summary.operators, 'operator')}, ${counted(summary.subtasks, 'subtask')}`;
  const files = summary.fileReferences === 0 ? '' : `, ${counted(summary.fileReferences, 'reference')} to state files`;
  const lines = [
    `${style.title('checkpoint')}  ${report.checkpointId}  ${typeText(report)}  ${style.quiet(formatText(report))}`,
    `${style.title('metadata')}    ${report.location}  ${style.quiet(`(${size(report.bytes)})`)}`,
    `${style.title('state')}       ${stateSizeText(summary.stateSize)} in ${holds} (${stateSizeText(summary.inlineBytes)} inline${files})`,
  ];
  if (masterStates.length > 0) {
    lines.push(`${style.title('master')}      ${printable(masterStates.map(({ name }) => name).join(', '))}`);
  }
  return lines.join('\n');
}

function typeText({ type, properties }: CheckpointInspectReport): string {
  if (type === null) return 'checkpoint or savepoint (this format does not record which)';
  const details = [properties?.formatType?.toLowerCase(), actionText(properties?.postCheckpointAction ?? null)];
  const shown = details.filter((each) => each !== null && each !== undefined);
  const name = printable(properties?.name.toLowerCase() ?? type);
  return shown.length === 0 ? name : `${name} (${printable(shown.join(', '))})`;
}

function actionText(action: string | null): string | null {
  return action === null || action === 'NONE' ? null : `then ${action.toLowerCase()}`;
}

function operatorsTable(operators: readonly CheckpointOperator[], style: Style): string {
  const columns = [
    { title: 'operator' },
    { title: 'parallelism', align: 'right' },
    { title: 'of max', align: 'right' },
    { title: 'state', align: 'right' },
    { title: 'holds' },
    { title: 'operator id' },
  ] as const;
  const rows = operators.map((operator) => [
    operatorText(operator),
    count(operator.parallelism),
    count(operator.maxParallelism),
    stateSizeText(operator.stateSize),
    cut(printable(holdsText(operator)), 70),
    style.quiet(operator.operatorId),
  ]);
  return table(columns, rows, style);
}

const handleWords = [
  ['managedKeyed', 'keyed'],
  ['rawKeyed', 'raw keyed'],
  ['managedOperator', 'operator'],
  ['rawOperator', 'raw operator'],
  ['inputChannel', 'input in flight'],
  ['resultSubpartition', 'output in flight'],
] as const;

/** `keyed ×4, operator ×4 (SourceReaderState), coordinator 93 B`. */
function holdsText(operator: CheckpointOperator): string {
  if (operator.fullyFinished) return 'finished';
  const parts: string[] = [];
  for (const [field, word] of handleWords) {
    const handles = operator.subtasks.reduce((sum, subtask) => sum + subtask[field], 0);
    const names = field === 'managedOperator' ? operator.operatorStates.map(({ name }) => name) : [];
    if (handles > 0) parts.push(`${word} ×${handles}${names.length === 0 ? '' : ` (${names.join(', ')})`}`);
  }
  if (operator.coordinatorBytes !== null) parts.push(`coordinator ${size(operator.coordinatorBytes)}`);
  if (operator.finishedSubtasks > 0) {
    parts.push(`${operator.finishedSubtasks} of ${counted(operator.parallelism, 'subtask')} finished`);
  }
  return parts.length === 0 ? '-' : parts.join(', ');
}

function subtasksBlock(operator: CheckpointOperator, style: Style): string {
  const title = `${style.title(operatorText(operator))}  ${style.quiet(operator.operatorId)}`;
  if (operator.subtasks.length === 0) return `${title}\n  no subtask has state`;
  const columns = [
    { title: 'subtask', align: 'right' },
    ...handleWords.map(([, word]) => ({ title: word, align: 'right' as const })),
    { title: 'state', align: 'right' },
  ] as const;
  return `${title}\n${table(columns, operator.subtasks.map(subtaskRow), style)}`;
}

function subtaskRow(subtask: CheckpointSubtask): string[] {
  const handles = handleWords.map(([field]) => (subtask[field] === 0 ? '-' : count(subtask[field])));
  return [String(subtask.subtask), ...handles, subtask.finished ? 'finished' : stateSizeText(subtask.stateSize)];
}

function kafkaBlock(source: KafkaSourceState, { operators }: CheckpointInspectReport, style: Style): string {
  const { name, uid } = operators.find(({ operatorId }) => operatorId === source.operatorId) ?? {};
  const title = `${style.title(printable(name ?? uid ?? source.kind, 40))}  ${style.quiet(`(${source.kind} ${source.operatorId})`)}`;
  const columns = [
    { title: 'topic' },
    { title: 'partition', align: 'right' },
    { title: 'next offset', align: 'right' },
    { title: 'subtask', align: 'right' },
  ] as const;
  const shown = source.partitions.slice(0, partitionsShownMax);
  const rows = shown.map(({ topic, partition, offset, stoppingOffset, subtask }) => [
    topic,
    String(partition),
    offsetText(offset) + (stoppingOffset === null ? '' : ` of ${stoppingOffset}`),
    subtask === null ? '-' : String(subtask),
  ]);
  const more = source.partitions.length - shown.length;
  const notes = source.unread
    .slice(0, 5)
    .map(({ subtask, reason }) => `  subtask ${subtask}: ${printable(reason, 300)}`);
  if (source.unread.length > 5) notes.push(`  and ${count(source.unread.length - 5)} subtasks more`);
  if (more > 0) notes.push(`  and ${counted(more, 'partition')} more; --json lists them`);
  return [title, table(columns, rows, style), ...notes.map((note) => style.quiet(note))]
    .filter((each) => each !== '')
    .join('\n');
}

const partitionsShownMax = 50;
