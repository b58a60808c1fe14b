// checkpoint inspect: what a checkpoint's metadata says of each operator and subtask. Reads that one file.
// Spec: docs/commands.md "checkpoint inspect".
import { JobrecError } from '../model/errors.ts';
import { readCheckpoint } from '../store/checkpoint/read-checkpoint.ts';
import type { CheckpointInspectReport } from './checkpoint-inspect-report.ts';
import { summarizeCheckpoint } from './checkpoint-summary.ts';

export interface CheckpointInspectOptions {
  readonly location: string;
  /** Only this one: an operator's id, uid or name. */
  readonly operator: string | null;
}

export async function inspectCheckpoint(options: CheckpointInspectOptions): Promise<CheckpointInspectReport> {
  const report = summarizeCheckpoint(await readCheckpoint(options.location));
  return options.operator === null ? report : withOneOperator(report, options.operator);
}

function withOneOperator(report: CheckpointInspectReport, wanted: string): CheckpointInspectReport {
  const operators = report.operators.filter(({ operatorId, uid, name }) => [operatorId, uid, name].includes(wanted));
  if (operators.length > 0) return { ...report, operators };
  const known = report.operators.map(({ operatorId, uid, name }) => name ?? uid ?? operatorId);
  const shown = known.length > 20 ? `${known.slice(0, 20).join(', ')}, … (${known.length} in all)` : known.join(', ');
  throw new JobrecError('INVALID_ARGUMENT', `no operator "${wanted}" in ${report.location}; known: ${shown}`, {
    data: { operator: wanted, known: known.slice(0, 1000) },
  });
}
