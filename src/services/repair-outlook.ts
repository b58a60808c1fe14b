// What Flink will do with what a repair keeps. The given-up events cannot be in the store, but what followed from them did
// happen: the old JobMaster released each result whose consumers had all finished, so that a task that is to run again may
// find its input gone. The kept events alone do not say so. Spec: docs/flink.md "Repair".
import { allSurvive } from '../replay/survivors.ts';
import type { LostEvent } from '../store/flink/lost-events.ts';
import type { RecoverablePrefix } from './repair-prefix.ts';
import { anew, replayOpened } from './replayed-store.ts';
import type { OpenedStore } from './store-input.ts';
import type { RepairReport } from './validate-report.ts';

/** `lost` are the readable events that are given up, in order. Every TaskManager counts as there. */
export async function outlookOf(
  store: OpenedStore,
  { events, replayed }: RecoverablePrefix,
  lost: readonly LostEvent[],
): Promise<RepairReport['outlook']> {
  if (replayed === null) return { ...anew, kept: 0, rerun: 0 };
  const informed = await replayOpened(store, { until: { sequence: events - 1 }, unread: each(lost) });
  const plan = informed.plan(allSurvive());
  const { kept, rerun } = plan.summary;
  const isMore = rerun > replayed.plan(allSurvive()).summary.rerun;
  const released = '; the old JobManager had released results that they read, once the given-up tasks had finished';
  return { verdict: plan.verdict, why: isMore ? plan.why + released : plan.why, kept, rerun };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
