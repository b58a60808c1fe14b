// `inspect` as text: what job this is and how it stands, its vertices, what the files hold, and damage first of all.
import type { SegmentInfo } from '../model/job-log.ts';
import type { InspectReport, InspectVertex } from '../services/inspect-report.ts';
import { checkpointLine, damageLine, jobLine } from './common.ts';
import { recoveriesTable } from './recoveries.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, counted, size } from './text.ts';

export function renderInspect(report: InspectReport, style: Style): string {
  const blocks = [
    headLines(report, style),
    verticesTable(report.vertices, style),
    recoveriesTable(report.recoveries, style),
    segmentsTable(report.store.segments, style),
    snapshotLines(report, style),
    kindsTable(report.byType, style),
  ];
  return blocks.filter(isText).join('\n\n');
}

function headLines(report: InspectReport, style: Style): string {
  const { damage, job, lastCheckpoint } = report;
  const lines = [damageLine(damage, style), jobLine(job, style), storeLine(report, style)];
  return [...lines, checkpointLine(lastCheckpoint, style)].filter(isText).join('\n');
}

function isText(text: string | null): text is string {
  return text !== null && text !== '';
}

function storeLine({ store }: InspectReport, style: Style): string {
  const format = `${store.format === 'jobrec' ? 'jobrec' : 'Flink'} format ${store.formatVersion}`;
  const held = `${counted(store.events, 'event')}, ${size(store.bytes)}, ${counted(store.segments.length, 'segment')}`;
  return `${style.title('store')}  ${store.location}  ${style.quiet(`(${format}: ${held})`)}`;
}

function verticesTable(vertices: readonly InspectVertex[], style: Style): string {
  const columns = [
    { title: 'vertex' },
    { title: 'finished', align: 'right' },
    { title: 'running', align: 'right' },
    { title: 'attempts', align: 'right' },
    { title: 'vertex id' },
  ] as const;
  const rows = vertices.map((vertex) => [
    vertex.vertexName ?? '(no name)',
    `${vertex.finished}/${vertex.parallelism ?? '?'}`,
    vertex.running === 0 ? '-' : count(vertex.running),
    vertex.attempts === 0 ? '-' : count(vertex.attempts),
    style.quiet(vertex.vertexId),
  ]);
  return table(columns, rows, style);
}

function segmentsTable(segments: readonly SegmentInfo[], style: Style): string {
  const columns = [
    { title: 'segment' },
    { title: 'events', align: 'right' },
    { title: 'sequence', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'state' },
  ] as const;
  const rows = segments.map((segment) => [
    segment.name,
    count(segment.events),
    segment.firstSequence === null ? '-' : `${segment.firstSequence}-${segment.lastSequence}`,
    size(segment.bytes),
    segmentState(segment, style),
  ]);
  return table(columns, rows, style);
}

function snapshotLines({ store }: InspectReport, style: Style): string {
  const lines = store.snapshots.map(
    ({ name, sequence, bytes }) => `${style.title('snapshot')}  ${name}  at sequence ${sequence}, ${size(bytes)}`,
  );
  if (store.firstSequence > 0)
    lines.push(`${style.title('history')}   begins with sequence ${store.firstSequence}: what came before was retired`);
  return lines.join('\n');
}

function segmentState(segment: SegmentInfo, style: Style): string {
  const state = segment.sealed ? 'sealed' : 'open';
  if (segment.tornBytes === 0) return state;
  return `${state}, ${style.warn(`${size(segment.tornBytes)} behind the last whole event`)}`;
}

function kindsTable(byType: Readonly<Record<string, number>>, style: Style): string {
  const rows = Object.entries(byType).map(([kind, number]) => [kind, count(number)]);
  return table([{ title: 'event kind' }, { title: 'count', align: 'right' }], rows, style);
}
