// checkpoint inspect: what a checkpoint's metadata says of each operator and subtask. Reads that one file.
// Spec: docs/commands.md "checkpoint inspect".
import { JobrecError } from '../model/errors.ts';
import { printable } from '../model/printable-text.ts';
import { readCheckpoint, requireStateFilesOf } from '../store/checkpoint/read-checkpoint.ts';
import type { PathMap } from '../store/checkpoint/state-places.ts';
import { stateReaderOf } from '../store/checkpoint/state-reader.ts';
import { murmur3 } from '../store/flink/murmur3.ts';
import type { CheckpointInspectReport } from './checkpoint-inspect-report.ts';
import { summarizeCheckpoint } from './checkpoint-summary.ts';

export interface CheckpointInspectOptions {
  readonly location: string;
  /** Only this one: an operator's id, uid or name. */
  readonly operator: string | null;
  /** Also read the state files of sources, for their offsets. */
  readonly stateFiles: boolean;
  readonly pathMaps: readonly PathMap[];
}

export async function inspectCheckpoint(options: CheckpointInspectOptions): Promise<CheckpointInspectReport> {
  if (options.stateFiles) requireStateFilesOf(options.location, '--state-files');
  const metadata = await readCheckpoint(options.location);
  const readState = options.stateFiles ? stateReaderOf(metadata.folder, options.pathMaps) : null;
  const report = { ...summarizeCheckpoint(metadata), kafkaSources: await metadata.kafkaSources(readState) };
  return options.operator === null ? report : withOneOperator(report, options.operator);
}

function withOneOperator(report: CheckpointInspectReport, wanted: string): CheckpointInspectReport {
  // Formats before 5 keep no uids, but an operator's id is the hash of its uid where it has one.
  const hashed = murmur3(Buffer.from(wanted)).toString('hex');
  const operators = report.operators.filter(
    ({ operatorId, uid, name }) => [operatorId, uid, name].includes(wanted) || operatorId === hashed,
  );
  const ids = new Set(operators.map(({ operatorId }) => operatorId));
  const kafkaSources = report.kafkaSources.filter(({ operatorId }) => ids.has(operatorId));
  if (operators.length > 0) return { ...report, operators, kafkaSources };
  const known = report.operators.map(({ operatorId, uid, name }) => printable(name ?? uid ?? operatorId, 100));
  const shown = known.length > 20 ? `${known.slice(0, 20).join(', ')}, … (${known.length} in all)` : known.join(', ');
  throw new JobrecError('INVALID_ARGUMENT', `no operator "${wanted}" in ${report.location}; known: ${shown}`, {
    data: { operator: wanted, known: known.slice(0, 1000) },
  });
}
