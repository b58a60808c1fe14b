// One event on one line, for `inspect --events`: when, which, of what, then what it says.
import type { Damage } from '../model/job-log.ts';
import type { EventLine } from '../services/inspect-report.ts';
import { damageLine } from './common.ts';
import type { Style } from './style.ts';
import { counted, duration, ranges, size } from './text.ts';

/** `   12  10:20:30.123456  execution-vertex-finished  totals#3.0 on w1  2 partitions, 840 ms`. */
export function renderEventLine(line: EventLine, style: Style): string {
  const time = line.time === null ? '' : `${style.quiet(line.time)}  `;
  const about = [subject(line), line.workerId === null ? null : `on ${line.workerId}`, detail(line)];
  const said = about.filter((part) => part !== null && part !== '').join('  ');
  const head = `${String(line.sequence).padStart(6)}  ${time}${style.title(line.type.padEnd(25))}  ${said}`.trimEnd();
  if (line.raw === undefined) return head;
  return `${head}\n${line.java === undefined ? hexDump(line.offset, line.raw, style) : javaText(line.java, style)}`;
}

export function renderEventDamage(damage: Damage, style: Style): string {
  return damageLine(damage, style) ?? '';
}

function subject(line: EventLine): string | null {
  if (line.vertexId === null) return null;
  const task = line.subtask === null ? '' : `#${line.subtask}`;
  const attempt = line.attempt === null ? '' : ` attempt ${line.attempt}`;
  return `${line.vertexName ?? line.vertexId}${task}${attempt}`;
}

type Detail = (line: EventLine) => string;

const details: Readonly<Record<EventLine['type'], Detail>> = {
  'job-submitted': (line) => `${text(line.name)} (job ${text(line.jobId)})`,
  'job-status-changed': (line) => [text(line.state), optional(line.reason)].filter(Boolean).join(': '),
  'job-vertex-initialized': (line) => `parallelism ${text(line.parallelism)}`,
  'execution-deployed': () => '',
  'execution-vertex-finished': finishedDetail,
  'execution-vertex-reset': resetDetail,
  'execution-failed': (line) => `${text(line.cause)}${line.counted === false ? ' (not counted)' : ''}`,
  'coordinator-snapshot': coordinatorDetail,
  'shuffle-master-snapshot': shuffleMasterDetail,
  'partitions-released': (line) => counted(list(line.partitions).length, 'partition'),
  'worker-registered': (line) =>
    `${counted(number(line.slots), 'slot')}, ${counted(number(line.partitions), 'partition')}, pid ${text(line.pid)}`,
  'worker-lost': (line) => text(line.reason),
  'commit-started': (line) => counted(list(line.sinks).length, 'sink'),
  'recovery-completed': recoveryDetail,
  'checkpoint-completed': checkpointDetail,
  'savepoint-completed': checkpointDetail,
  'checkpoint-aborted': (line) => `${text(line.checkpointId)}: ${text(line.reason)}`,
  'checkpoint-restored': (line) => {
    const skipped = list(line.skipped).length;
    return `${text(line.checkpointId)} at ${text(line.location)}${skipped === 0 ? '' : `, ${skipped} newer unusable`}`;
  },
};

function checkpointDetail(line: EventLine): string {
  const took = duration(number(line.durationMs));
  return `${text(line.checkpointId)}: ${size(number(line.stateBytes))}, ${took}, at ${text(line.location)}`;
}

function detail(line: EventLine): string {
  return details[line.type](line);
}

function finishedDetail(line: EventLine): string {
  const metrics = record(line.metrics);
  const { snapshot } = record(line.flink);
  const made = [
    // Flink's events do not list partitions; whether a snapshot came with one decides what recovery keeps.
    snapshot === undefined ? counted(list(line.partitions).length, 'partition') : snapshotText(snapshot),
    counted(number(metrics.recordsOut), 'row'),
    size(number(metrics.bytesOut)),
    duration(number(metrics.durationMs)),
  ];
  return made.join(', ');
}

function snapshotText(snapshot: unknown): string {
  if (snapshot === null) return 'no snapshot';
  const coordinators = list(record(snapshot).coordinators).length;
  return coordinators === 0 ? 'snapshot' : `snapshot of ${counted(coordinators, 'coordinator')}`;
}

function resetDetail(line: EventLine): string {
  const further = list(line.further).map(record);
  const others = further.map((each) => `, ${text(each.vertexId)} subtasks ${ranges(numbers(each.subtasks))}`);
  return `subtasks ${ranges(numbers(line.subtasks))}${others.join('')}`;
}

function recoveryDetail(line: EventLine): string {
  const detail = record(line.detail);
  const { checkpointId } = detail;
  if (checkpointId !== undefined) {
    const from = checkpointId === null ? 'the beginning' : `checkpoint ${text(checkpointId)}`;
    return `${text(line.cause)}: from ${from}, ${duration(number(line.durationMs))}`;
  }
  const reasons = list(detail.reasons).map(record);
  const why = reasons.map((each) => `${text(each.tasks)} ${text(each.code)}`).join(', ');
  const differs = list(detail.differences).length > 0 ? ', not as predicted' : '';
  const rerun = `rerun ${text(line.rerun)}${why === '' ? '' : ` (${why})`}`;
  return `${text(line.cause)}: kept ${text(line.kept)}, ${rerun}, ${duration(number(line.durationMs))}${differs}`;
}

function coordinatorDetail(line: EventLine): string {
  const kind = line.incremental === true ? 'increment' : 'full';
  const assigned = list(line.assigned).length / 2;
  const found =
    line.enumerator === undefined ? '' : `${counted(list(record(line.enumerator).splits).length, 'split')} found, `;
  return `${text(line.operatorId)}: ${kind}, ${found}${counted(assigned, 'split')} handed out, ${list(line.finished).length} done`;
}

function shuffleMasterDetail(line: EventLine): string {
  const kind = line.incremental === true ? 'increment' : 'full';
  const held = list(line.holders)
    .map(record)
    .map((holder) => {
      const partitions = counted(list(holder.partitions).length, 'partition');
      return `${text(holder.workerId)} holds ${partitions}`;
    });
  return `${kind}, ${[...held, size(number(line.stateBytes))].join(', ')}`;
}

/** The Java objects of a Flink frame, indented. */
function javaText(java: unknown, style: Style): string {
  const lines = JSON.stringify(java, null, 2).split('\n');
  return lines.map((line) => style.quiet(`        ${line}`)).join('\n');
}

/** 16 bytes a row, with the position in the segment. */
function hexDump(offset: number, hex: string, style: Style): string {
  const rows = hex.match(/.{1,32}/g) ?? [];
  return rows.map((row, index) => style.quiet(`        ${hexRow(offset + index * 16, row)}`)).join('\n');
}

function hexRow(offset: number, row: string): string {
  const bytes = Buffer.from(row, 'hex');
  const readable = [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
  const spaced = (row.match(/../g) ?? []).join(' ');
  return `${offset.toString(16).padStart(8, '0')}  ${spaced.padEnd(47)}  ${readable}`;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '?';
}

function optional(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function numbers(value: unknown): number[] {
  return list(value).filter((each) => typeof each === 'number');
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
