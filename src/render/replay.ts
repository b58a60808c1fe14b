// `replay` as text: when, the job, then one line a vertex with the tasks grouped by what became of them.
import type { ReplayReport, ReplayVertex } from '../services/replay-report.ts';
import { checkpointLine, damageLine, jobLine } from './common.ts';
import { recoveriesTable } from './recoveries.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { counted, ranges, size } from './text.ts';

export function renderReplay(report: ReplayReport, style: Style): string {
  const head = [
    damageLine(report.damage, style),
    jobLine(report.job, style),
    atLine(report, style),
    shuffleLine(report, style),
    checkpointLine(report.lastCheckpoint, style),
  ];
  const blocks = [
    head.filter((line) => line !== null).join('\n'),
    verticesTable(report, style),
    coordinatorsTable(report, style),
    droppedLines(report, style),
    recoveriesTable(report.recoveries, style),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function atLine({ at }: ReplayReport, style: Style): string {
  if (at.sequence === null) return `${style.title('at')}     no event: the store is empty`;
  const time = at.time === null ? '' : `, ${at.time}`;
  return `${style.title('at')}     sequence ${at.sequence}${time}  ${style.quiet('(right after this event)')}`;
}

/** Where the results are that lie apart from the workers that ran the tasks. */
function shuffleLine({ shuffleMaster }: ReplayReport, style: Style): string | null {
  if (shuffleMaster === null || shuffleMaster.holders.length === 0) return null;
  const held = shuffleMaster.holders.map(
    ({ workerId, partitions }) => `${workerId}: ${counted(partitions, 'partition')}`,
  );
  return `${style.title('held')}   ${held.join(' · ')}`;
}

function verticesTable(report: ReplayReport, style: Style): string {
  const columns = [
    { title: 'vertex' },
    { title: 'state' },
    { title: 'finished', align: 'right' },
    { title: 'to run' },
    { title: (report.shuffleMaster?.holders.length ?? 0) > 0 ? 'ran on' : 'results on' },
  ] as const;
  const rows = report.vertices.map((vertex) => [
    vertex.vertexName ?? vertex.vertexId,
    vertex.state === 'FINISHED' ? style.good(vertex.state) : vertex.state,
    `${finishedOf(vertex).length}/${vertex.parallelism ?? '?'}`,
    toRun(vertex),
    workersOf(vertex),
  ]);
  return table(columns, rows, style);
}

function finishedOf(vertex: ReplayVertex) {
  return vertex.tasks.filter((task) => task.state === 'FINISHED');
}

function toRun(vertex: ReplayVertex): string {
  if (vertex.parallelism === null) return 'not initialized';
  const open = vertex.tasks.filter((task) => task.state !== 'FINISHED').map((task) => task.subtask);
  return open.length === 0 ? '-' : `#${ranges(open)}`;
}

/** `w1: #0-3 · w2: #4`. */
function workersOf(vertex: ReplayVertex): string {
  const byWorker = new Map<string, number[]>();
  for (const task of finishedOf(vertex)) {
    const worker = task.workerId ?? '(worker not recorded)';
    byWorker.set(worker, [...(byWorker.get(worker) ?? []), task.subtask]);
  }
  const parts = [...byWorker].map(([worker, subtasks]) => `${worker}: #${ranges(subtasks)}`);
  return parts.length === 0 ? '-' : parts.join(' · ');
}

function coordinatorsTable(report: ReplayReport, style: Style): string {
  const nameOf = new Map(report.vertices.map((vertex) => [vertex.vertexId, vertex.vertexName ?? vertex.vertexId]));
  const columns = [
    { title: 'source coordinator' },
    { title: 'vertex' },
    { title: 'state', align: 'right' },
    { title: 'batch snapshot' },
  ] as const;
  const rows = report.coordinators.map((coordinator) => [
    coordinator.operatorId,
    nameOf.get(coordinator.vertexId) ?? coordinator.vertexId,
    size(coordinator.bytes),
    { true: 'yes', false: style.warn('no: restarts whole'), null: 'not recorded' }[
      `${coordinator.supportsBatchSnapshot}`
    ],
  ]);
  return table(columns, rows, style);
}

function droppedLines({ droppedEvents }: ReplayReport, style: Style): string {
  if (droppedEvents.length === 0) return '';
  const lines = droppedEvents.map(
    (event) => `  sequence ${event.sequence}: ${event.vertexId}#${event.subtask}: ${event.reason}`,
  );
  return [style.warn(`${counted(droppedEvents.length, 'recorded event')} dropped by recovery:`), ...lines].join('\n');
}
