// What Flink will do with what a repair keeps. The given-up events cannot be in the store, but what followed from them did
// happen: the old JobMaster released each result whose consumers had all finished, so that a task that is to run again may
// find its input gone. The kept events alone do not say so. Spec: docs/flink.md "Repair".
import { partitionKey } from '../model/ids.ts';
import type { JobEvent } from '../model/job-events.ts';
import type { LogRecord } from '../model/job-log.ts';
import { replayFlink } from '../replay/flink-replay.ts';
import { allSurvive } from '../replay/survivors.ts';
import type { RecoverablePrefix } from './repair-prefix.ts';
import type { OpenedStore } from './store-input.ts';
import type { RepairReport } from './validate-report.ts';

/** `lost` are the readable events that are given up, in order. Every TaskManager counts as there. */
export async function outlookOf(
  { log, job }: OpenedStore,
  { events, replayed }: RecoverablePrefix,
  lost: readonly JobEvent[],
): Promise<RepairReport['outlook']> {
  if (replayed === null) {
    const why = 'no event is left: Flink runs the job as a new one';
    return { verdict: 'restart-from-scratch', why, kept: 0, rerun: 0 };
  }
  const { graph } = await replayFlink(keptAndLost(log.records(), events, lost), { job });
  const plan = replayed.plan({
    ...allSurvive(),
    has: ({ datasetId, partitionIndex }) => !graph.released.has(partitionKey(datasetId, partitionIndex)),
  });
  const { kept, rerun } = plan.summary;
  const isMore = rerun > replayed.plan(allSurvive()).summary.rerun;
  const released = '; the old JobManager had released results that they read, once the given-up tasks had finished';
  return { verdict: plan.verdict, why: isMore ? plan.why + released : plan.why, kept, rerun };
}

/** What really happened, as far as it can be read. */
async function* keptAndLost(
  records: AsyncIterable<LogRecord>,
  events: number,
  lost: readonly JobEvent[],
): AsyncGenerator<LogRecord> {
  for await (const record of records) {
    if (record.sequence >= events) break;
    yield record;
  }
  const place = { timeMicros: null, epoch: null, segment: '', offset: 0, bytes: 0 };
  for (const [index, event] of lost.entries()) yield { ...place, sequence: events + index, event };
}
