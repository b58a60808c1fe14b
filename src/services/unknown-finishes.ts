// What a Flink store cannot tell: finishes in bytes that are gone, and those that had not been written yet. A result that
// only they still waited for may have been released, so that its producer runs again. Said where it can change the answer,
// and only there. Spec: docs/flink.md "Not predictable".
import { parseDurationMs } from '../model/config-values.ts';
import type { FlinkJob } from '../model/flink-job.ts';
import type { Finding, StoreSummary } from '../model/job-log.ts';
import type { FlinkStep } from '../replay/flink-history.ts';
import type { RecoveryPlan } from '../replay/recovery-plan.ts';

const flushOption = 'job-event.store.write-buffer.flush-interval';
/** Flink's default; every store of a killed JobMaster lacks so much, which is no news. */
const flushUsualMs = 1000;

/** Where finishes may be missing, each in words. */
export function lostPlaces(
  { segments, findings }: Pick<StoreSummary, 'segments' | 'findings'>,
  history: readonly FlinkStep[],
): string[] {
  return findings.flatMap((finding) => {
    if (finding.code === 'SEGMENT_GAP')
      return [`events.${firstMissing(segments.map(({ name }) => name))}, which is missing`];
    if (finding.flinkDoes !== 'skips-rest-of-file' || wasSeen(finding, history)) return [];
    return [`the ${finding.bytesLost} unreadable bytes of ${finding.segment}`];
  });
}

function firstMissing(names: readonly string[]): number {
  return names.findIndex((name, index) => name !== `events.${index}`);
}

/** Whether another JobMaster wrote what follows: it had read the store without these bytes, and recorded all that it did. */
function wasSeen({ sequence }: Finding, history: readonly FlinkStep[]): boolean {
  const finishes = history.filter((step) => step.kind === 'finished');
  const before = finishes.findLast((step) => step.sequence < (sequence ?? 0));
  const after = finishes.find((step) => step.sequence >= (sequence ?? 0));
  return after !== undefined && after.executionGraphId !== before?.executionGraphId;
}

/** Beginning of what may not have been written, in words; null: no more than usual, or the job does not say. */
function unwrittenPlace(job: FlinkJob | null): string | null {
  const interval = job?.config[flushOption];
  if (interval === undefined || (parseDurationMs(interval) ?? 0) <= flushUsualMs) return null;
  return `the last ${interval} before the kill, which may not have been written (${flushOption})`;
}

export interface UnknownFinishes {
  readonly places: readonly string[];
  readonly job: FlinkJob | null;
  /** Whether a running cluster said which tasks have finished. */
  readonly finishedIsKnown: boolean;
}

/** None, or one sentence. */
export function unknownFinishesAssumption(unknown: UnknownFinishes, { kept, partitions }: RecoveryPlan): string[] {
  const unwritten = unknown.finishedIsKnown ? null : unwrittenPlace(unknown.job);
  const places = [...unknown.places, ...(unwritten === null ? [] : [unwritten])];
  const missing = new Set(partitions.missing);
  const awaited = partitions.reserved.filter((partition) => !missing.has(partition));
  if (places.length === 0 || kept.length === 0 || awaited.length === 0) return [];
  const what = `no task finished in ${places.join(', nor in ')}`;
  const risk = `else results that count as there (${awaited.length} are still needed) may have been released, and what produced them runs again too`;
  return [`${what}; ${risk} (--partitions, with what the TaskManagers hold, makes it certain)`];
}
