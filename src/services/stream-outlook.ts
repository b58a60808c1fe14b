// What a recovery of a streaming job would begin from, for `diff` and `validate`: asked of the function that the JobMaster
// restores by, on the checkpoints as they lie there now. Reads only. Spec: docs/streaming.md, "Failures".
import { findRestorePoint, type RestorePoint, skippedText } from '../engine/streaming/coordinator/restore-point.ts';
import { readOptions } from '../model/options.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { StreamingPlan } from '../model/streaming-plan.ts';
import { decide, fillIn } from '../replay/decision-table.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { type StreamVerdictFacts, streamVerdictCases } from '../replay/stream-restore-cases.ts';
import type { RestoreReport, Verdict } from './diff-report.ts';

export interface StreamOutlook {
  readonly verdict: Verdict;
  readonly why: string;
  /** null: at the beginning, or not at all. */
  readonly restore: RestoreReport | null;
}

/** null: a batch job. */
export async function streamOutlook(graph: ExecutionGraph): Promise<StreamOutlook | null> {
  const plan = graph.graph?.streaming;
  if (!plan) return null;
  const ended = isGloballyTerminal(graph.state);
  const point = ended ? beginning : await pointOf(graph, plan);
  const restore = point.kind === 'checkpoint' ? restoreOf(point) : null;
  const { verdict, why } = decide(streamVerdictCases, { ended, begin: beginOf(point) });
  const tasks = plan.vertices.reduce((sum, { parallelism }) => sum + parallelism, 0);
  const values = { state: graph.state, tasks, point: pointText(restore), skipped: skippedTexts(point) };
  return { verdict, why: fillIn(why, values), restore };
}

/** Whether a run that resumes the job has nothing to go on from: only one that starts over helps. */
export async function isUnresumable(graph: ExecutionGraph): Promise<boolean> {
  const plan = graph.graph?.streaming;
  return plan !== undefined && (await pointOf(graph, plan)).kind === 'none-usable';
}

const beginning: RestorePoint = { kind: 'beginning' };

function pointOf({ checkpoints, config }: ExecutionGraph, { restore }: StreamingPlan): Promise<RestorePoint> {
  const { retainedCheckpoints } = readOptions(config).streaming;
  return findRestorePoint(checkpoints, retainedCheckpoints, restore?.path ?? null);
}

function beginOf(point: RestorePoint): StreamVerdictFacts['begin'] {
  if (point.kind !== 'checkpoint') return point.kind;
  return point.skipped.length === 0 ? 'newest' : 'earlier';
}

function restoreOf({ location, metadata, skipped }: Extract<RestorePoint, { kind: 'checkpoint' }>): RestoreReport {
  const { kind, checkpointId } = metadata;
  return { kind, checkpointId, location, skipped };
}

function pointText(restore: RestoreReport | null): string {
  return restore === null ? '' : `${restore.kind} ${restore.checkpointId}`;
}

function skippedTexts(point: RestorePoint): string {
  return point.kind === 'beginning' ? '' : point.skipped.map(skippedText).join('; ');
}
