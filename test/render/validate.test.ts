// validate on the screen: the worst first, a screen's worth of findings, and how many more there are.
import { describe, expect, it } from 'vitest';
import { createStyle } from '../../src/render/style.ts';
import { renderValidate } from '../../src/render/validate.ts';
import type { Finding, ValidateReport } from '../../src/services/validate-report.ts';

const style = createStyle({ color: false, width: 100 });

const finding = (sequence: number, severity: Finding['severity']): Finding => ({
  code: severity === 'error' ? 'CHECKSUM_MISMATCH' : 'FINISH_TWICE',
  severity,
  segment: 'a.seg',
  offset: sequence * 10,
  sequence,
  bytesLost: severity === 'error' ? 1200 : 0,
  message: `message ${sequence}`,
});

const report = (findings: readonly Finding[]): ValidateReport => ({
  ok: findings.every((each) => each.severity === 'info'),
  location: '/store',
  findings,
  checked: { segments: 1, events: 30, bytes: 5000 },
  verdict: 'recoverable',
  why: 'nothing is lost',
  damage: null,
});

describe('validate', () => {
  it('shows each finding with its place and what it costs', () => {
    expect(renderValidate(report([finding(7, 'error')]), style)).toBe(
      [
        'store     /store  (checked 1 segment, 30 events, 5.0 kB)',
        'result    NOT OK: 1 error, 0 warnings',
        'recovery  recoverable: nothing is lost',
        '',
        'error    CHECKSUM_MISMATCH  a.seg at byte 70 (sequence 7), 1.2 kB lost',
        '         message 7',
      ].join('\n'),
    );
  });

  it('calls remarks no trouble', () => {
    expect(renderValidate(report([finding(1, 'info')]), style)).toContain('result    ok, nothing found (1 remark)');
  });

  it('shows the worst first, and counts what it leaves out', () => {
    const many = [...Array.from({ length: 30 }, (_, index) => finding(index, 'warning')), finding(99, 'error')];
    const lines = renderValidate(report(many), style).split('\n').slice(4);
    expect(lines[0]).toMatch(/^error /);
    expect(lines.filter((line) => line.startsWith('warning'))).toHaveLength(19);
    expect(lines.at(-1)).toBe('and 11 more; --json lists all');
  });
});
