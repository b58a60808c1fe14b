// `diff` as text: the verdict, what runs again and why (tasks with the same reason on one line), what it costs, and
// where the missing results lay.
import type { DiffPartition, DiffReport, DiffRerun } from '../services/diff-report.ts';
import { damageLine, jobLine, verdictText } from './common.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, duration, ranges, size } from './text.ts';

export function renderDiff(report: DiffReport, style: Style): string {
  const blocks = [headLines(report, style), rerunBlock(report, style), restLines(report, style)];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function headLines(report: DiffReport, style: Style): string {
  const { at, basis } = report;
  const time = at.time === null ? '' : `, ${at.time}`;
  const lines = [
    damageLine(report.damage, style),
    `${style.title('verdict')}  ${verdictText(report.verdict, style)}: ${report.why}`,
    jobLine(report.job, style, 'verdict'.length),
    `${style.title('at')}       ${at.sequence === null ? 'no event' : `sequence ${at.sequence}${time}`}`,
    `${style.title('basis')}    ${report.restore === undefined ? basisTexts[basis.survivors] : 'the checkpoints that lie whole'}`,
    ...basis.assumptions.map((assumption) => `         ${style.quiet(`assumed: ${assumption}`)}`),
  ];
  return lines.filter((line) => line !== null).join('\n');
}

const basisTexts: Readonly<Record<DiffReport['basis']['survivors'], string>> = {
  report: 'the partitions in the report',
  workers: 'the workers that were named as back',
  'lost-workers': 'all known workers but those named as lost',
  rest: "what Flink's REST interface reports",
  folders: "what lies whole in the workers' folders",
  'assumed-all': 'assumed: every recorded worker is back, and nothing was lost',
};

function rerunBlock(report: DiffReport, style: Style): string {
  if (report.rerun.length === 0) return '';
  const { cost } = report.summary;
  const work = `${duration(cost.durationMs)} of task time, ${counted(cost.records, 'row')}, ${size(cost.bytes)}`;
  return `${style.title('rerun')}    costs ${work}\n${rerunTable(report.rerun, style)}`;
}

function rerunTable(rerun: readonly DiffRerun[], style: Style): string {
  const columns = [
    { title: 'tasks' },
    { title: 'cost', align: 'right' },
    { title: 'reason' },
    { title: 'why' },
  ] as const;
  const rows = [...grouped(rerun).values()].map((group) => [
    `${labelOf(group[0])}#${ranges(group.map((task) => task.subtask))}`,
    costOf(group),
    firstReason(group[0])?.code ?? '',
    whyOf(group),
  ]);
  return table(columns, rows, style);
}

type Group = readonly [DiffRerun, ...DiffRerun[]];

/** Tasks of one vertex with the same first reason code. */
function grouped(rerun: readonly DiffRerun[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const task of rerun) {
    const key = `${task.vertexId} ${firstReason(task)?.code ?? ''}`;
    const group = groups.get(key);
    groups.set(key, group === undefined ? [task] : [...group, task]);
  }
  return groups;
}

function firstReason(task: DiffRerun) {
  return task.reasons[0];
}

function labelOf(task: DiffRerun): string {
  return task.vertexName ?? task.vertexId;
}

function costOf(group: Group): string {
  const known = group.flatMap((task) => (task.cost === null ? [] : [task.cost]));
  if (known.length === 0) return '?';
  return duration(known.reduce((sum, cost) => sum + cost.durationMs, 0));
}

function whyOf(group: Group): string {
  const message = firstReason(group[0])?.message ?? '';
  return group.length === 1 ? message : `#${group[0].subtask}: ${message}, and alike`;
}

function restLines(report: DiffReport, style: Style): string {
  if (report.restore !== undefined) return restoreLines(report.restore, style);
  const { summary, partitions } = report;
  const lines = [
    `${style.title('kept')}     ${counted(summary.kept, 'finished task')}; pending (not finished, they run anyway): ${count(summary.pending)}`,
    `${style.title('results')}  ${partitionCounts(partitions)}`,
    missingLine(partitions.missing, style),
  ];
  return lines.filter((line) => line !== null).join('\n');
}

function restoreLines(restore: DiffReport['restore'], style: Style): string {
  if (!restore) return '';
  const skipped = restore.skipped.map(
    ({ checkpointId, location }) => `${style.title('skipped')}  checkpoint ${checkpointId}  ${style.quiet(location)}`,
  );
  const from = `${style.title('restore')}  ${restore.kind} ${restore.checkpointId}  ${style.quiet(restore.location)}`;
  return [...skipped, from].join('\n');
}

function partitionCounts(partitions: DiffReport['partitions']): string {
  const { reserved, optional, released, missing } = partitions;
  const parts = [
    `${count(reserved.length)} needed (${count(missing.length)} missing)`,
    `${count(optional.length)} spare`,
    `${count(released.length)} not needed`,
  ];
  return `partitions: ${parts.join(', ')}`;
}

/** Bringing one of these workers back is what saves the reruns. */
function missingLine(missing: readonly DiffPartition[], style: Style): string | null {
  const byWorker = new Map<string, number>();
  for (const { workerId } of missing) {
    const worker = workerId ?? '(worker not recorded)';
    byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1);
  }
  if (byWorker.size === 0) return null;
  const list = [...byWorker].map(([worker, number]) => `${worker} (${number})`).join(', ');
  return `${style.title('missing')}  was on ${list}`;
}
