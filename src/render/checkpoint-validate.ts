// `checkpoint validate` as text: sound or not, and each finding with its file, worst first.
import { printable } from '../model/printable-text.ts';
import type { CheckpointFinding, CheckpointValidateReport } from '../services/checkpoint-validate-report.ts';
import { formatText } from './checkpoint-words.ts';
import type { Style } from './style.ts';
import { count, counted, size } from './text.ts';

/** A screen's worth. */
const findingsShownMax = 20;

const ranks: Readonly<Record<CheckpointFinding['severity'], number>> = { error: 0, warning: 1, info: 2 };

export function renderCheckpointValidate(report: CheckpointValidateReport, style: Style): string {
  const sorted = report.findings.toSorted((left, right) => ranks[left.severity] - ranks[right.severity]);
  const lines = sorted.slice(0, findingsShownMax).map((finding) => renderFinding(finding, report, style));
  const more = sorted.length - lines.length + report.findingsOmitted;
  if (more > 0) lines.push(style.quiet(`and ${count(more)} more; --json lists them`));
  return [headLines(report, style), lines.join('\n')].filter((block) => block !== '').join('\n\n');
}

function headLines(report: CheckpointValidateReport, style: Style): string {
  const { checked } = report;
  const what = `${counted(checked.operators, 'operator')}, ${counted(checked.subtasks, 'subtask')}`;
  const files = `${counted(checked.stateFiles, 'state file')} of ${size(Number(checked.stateFileBytes))}`;
  const checksums = checked.checksums === 0 ? '' : `, ${counted(checked.checksums, 'checksum')}`;
  return [
    `${style.title('checkpoint')}  ${report.checkpointId}  ${report.location}  ${style.quiet(formatText(report))}`,
    `${style.title('checked')}     ${what}, ${files}${checksums}`,
    `${style.title('result')}      ${resultText(report, style)}`,
  ].join('\n');
}

function resultText({ ok, findings, findingsOmitted }: CheckpointValidateReport, style: Style): string {
  const number = (severity: CheckpointFinding['severity']) =>
    findings.filter((each) => each.severity === severity).length;
  const remarks = number('info') === 0 ? '' : ` (${counted(number('info'), 'remark')})`;
  if (ok) return `${style.good('ok')}, nothing found${remarks}`;
  const more = findingsOmitted === 0 ? '' : `, and ${count(findingsOmitted)} more`;
  const found = `${counted(number('error'), 'error')}, ${counted(number('warning'), 'warning')}${more}${remarks}`;
  return `${number('error') > 0 ? style.bad('NOT OK') : style.warn('not ok')}: ${found}`;
}

/**
 * `error    STATE_FILE_MISSING  /…/chk-3/op-1 (named at byte 412)`, then the message. jobrec's own metadata is one checksummed
 * value: places in it are not told.
 */
function renderFinding(finding: CheckpointFinding, report: CheckpointValidateReport, style: Style): string {
  const { severity, code, file, offset, message } = finding;
  const dress = { info: style.quiet, warning: style.warn, error: style.bad }[severity];
  const isOfMetadata = file === report.location;
  const name = isOfMetadata ? '_metadata' : printable(file, 500);
  const at = isOfMetadata ? ` at byte ${offset}` : style.quiet(`  (named at byte ${offset})`);
  const place = report.format === 'jobrec' ? name : name + at;
  return `${dress(severity.padEnd(7))}  ${code}  ${place}\n         ${message}`;
}
