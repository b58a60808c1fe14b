// What `compact` did, or would do: sizes before and after, the snapshot, and what is gone.
import type { CompactReport, StoreSize } from '../services/compact-report.ts';
import type { Style } from './style.ts';
import { count, counted, size } from './text.ts';

export function renderCompact(report: CompactReport, style: Style): string {
  const title = (text: string) => style.title(text.padEnd(8));
  const head = `${title('store')}  ${report.location}`;
  if (!report.needed) return `${head}\n${title('compact')}  nothing to do: ${report.why}`;
  const done = report.applied ? style.good('done') : style.warn('dry run, nothing was changed');
  const lines = [
    head,
    `${title('compact')}  ${done}: ${report.why}`,
    `${title('before')}  ${sizeText(report.before)}`,
    `${title('after')}  ${sizeText(report.after)}`,
  ];
  const { snapshot } = report;
  if (snapshot !== null) {
    const name = snapshot.name === null ? '' : `  ${style.quiet(snapshot.name)}`;
    lines.push(`${title('snapshot')}  sequence ${count(snapshot.sequence)}, ${size(snapshot.bytes)}${name}`);
  }
  lines.push(
    `${title('retired')}  ${report.retired.length === 0 ? 'nothing' : report.retired.join(`\n${' '.repeat(10)}`)}`,
  );
  return lines.join('\n');
}

function sizeText({ bytes, events, segments }: StoreSize): string {
  return `${size(bytes)}: ${counted(events, 'event')}, ${counted(segments, 'segment')}`;
}
