// What it costs to run tasks again, from the metrics of their finished attempts.
import type { TaskMetrics } from '../model/job-events.ts';
import type { TaskCost } from './recovery-plan.ts';

export const noCost: TaskCost = { records: 0, bytes: 0, durationMs: 0 };

/** Rows and bytes that a task handled: the larger of read and written, since sources may count only what they write. */
export function costOf(metrics: TaskMetrics | null): TaskCost | null {
  if (metrics === null) return null;
  return {
    records: Math.max(metrics.recordsIn, metrics.recordsOut),
    bytes: Math.max(metrics.bytesIn, metrics.bytesOut),
    durationMs: metrics.durationMs,
  };
}

/** The sum of the known costs. */
export function sumCosts(costs: Iterable<TaskCost | null>): TaskCost {
  let { records, bytes, durationMs } = noCost;
  for (const cost of costs) {
    records += cost?.records ?? 0;
    bytes += cost?.bytes ?? 0;
    durationMs += cost?.durationMs ?? 0;
  }
  return { records, bytes, durationMs };
}
