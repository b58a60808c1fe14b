// `validate` as text: sound or not, each finding with its place and what it costs, and what a recovery would do.
import type { Finding, ValidateReport } from '../services/validate-report.ts';
import { verdictText } from './common.ts';
import { renderRepair } from './repair.ts';
import type { Style } from './style.ts';
import { count, counted, size } from './text.ts';

export function renderValidate(report: ValidateReport, style: Style): string {
  const findings = worstFirst(report.findings).slice(0, findingsShownMax);
  const lines = findings.map((finding) => renderFinding(finding, style));
  const more = report.findings.length - findings.length;
  if (more > 0) lines.push(style.quiet(`and ${count(more)} more; --json lists all`));
  const repair = report.repair === undefined ? '' : renderRepair(report.repair, style);
  const blocks = [headLines(report, style), lines.join('\n'), repair];
  return blocks.filter((block) => block !== '').join('\n\n');
}

/** A screen's worth: the rest is the same trouble again, or for a script to sort. */
const findingsShownMax = 20;

const ranks: Readonly<Record<Finding['severity'], number>> = { error: 0, warning: 1, info: 2 };

/** Else in the order of the log. */
function worstFirst(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((left, right) => ranks[left.severity] - ranks[right.severity]);
}

function headLines(report: ValidateReport, style: Style): string {
  const { checked } = report;
  const what = `${counted(checked.segments, 'segment')}, ${counted(checked.events, 'event')}, ${size(checked.bytes)}`;
  return [
    `${style.title('store')}     ${report.location}  ${style.quiet(`(checked ${what})`)}`,
    `${style.title('result')}    ${resultText(report, style)}`,
    `${style.title('recovery')}  ${verdictText(report.verdict, style)}: ${report.why}`,
  ].join('\n');
}

function resultText(report: ValidateReport, style: Style): string {
  const number = (severity: Finding['severity']) => report.findings.filter((each) => each.severity === severity).length;
  const [errors, warnings, infos] = [number('error'), number('warning'), number('info')];
  const noted = infos === 0 ? '' : ` (${counted(infos, 'remark')})`;
  if (report.ok) return `${style.good('ok')}, nothing found${noted}`;
  const found = [counted(errors, 'error'), counted(warnings, 'warning')].join(', ');
  return `${errors > 0 ? style.bad('NOT OK') : style.warn('not ok')}: ${found}${noted}`;
}

/** `error    CHECKSUM_MISMATCH  00…0-1.seg at byte 412 (sequence 7), 1.2 kB lost`, then the message. */
function renderFinding(finding: Finding, style: Style): string {
  const dress = { info: style.quiet, warning: style.warn, error: style.bad }[finding.severity];
  const lost = finding.bytesLost === 0 ? '' : `, ${size(finding.bytesLost)} lost`;
  return `${dress(finding.severity.padEnd(7))}  ${finding.code}  ${placeOf(finding)}${lost}\n         ${finding.message}`;
}

function placeOf({ segment, offset, sequence }: Finding): string {
  const at = segment === null ? 'the store' : `${segment}${offset === null ? '' : ` at byte ${offset}`}`;
  return sequence === null ? at : `${at} (sequence ${count(sequence)})`;
}
