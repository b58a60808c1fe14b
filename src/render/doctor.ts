// `doctor` as text: on or off, then each finding with the line that mends it.
import type { DoctorFinding, DoctorReport } from '../services/doctor-report.ts';
import type { Style } from './style.ts';

export function renderDoctor(report: DoctorReport, style: Style): string {
  const version = report.flinkVersion === null ? '' : `  ${style.quiet(`(Flink ${report.flinkVersion})`)}`;
  const head = [
    `${style.title('cluster')}   ${report.target}${version}`,
    `${style.title('recovery')}  ${recoveryText(report, style)}`,
  ].join('\n');
  return [head, report.findings.map((finding) => renderFinding(finding, style)).join('\n')]
    .filter((block) => block !== '')
    .join('\n\n');
}

function recoveryText({ recovery }: DoctorReport, style: Style): string {
  switch (recovery) {
    case 'on':
      return `${style.good('on')}: batch jobs go on after the loss of their JobManager`;
    case 'on-with-loss':
      return `${style.warn('on, with loss')}: batch jobs go on, and do more work again than they need to`;
    case 'off':
      return `${style.bad('OFF')}: batch jobs would not go on after the loss of their JobManager`;
  }
}

function renderFinding({ severity, code, option, value, message, fix }: DoctorFinding, style: Style): string {
  const dress = { info: style.quiet, warning: style.warn, error: style.bad }[severity];
  const where = option === null ? '' : `  ${option}${value === null ? ' (not set)' : ` = ${value}`}`;
  const mend = fix === null ? '' : `\n         ${style.quiet('set')} ${fix}`;
  return `${dress(severity.padEnd(7))}  ${code}${where}\n         ${message}${mend}`;
}
