// The longest beginning of a Flink store from which Flink recovers. It ends before the first byte behind which events are
// known to be missing, before any event that Flink's replay cannot apply (also where this recovery would drop it: the next
// one would meet it), and, where all of it would leave a job that never schedules again, before the finish that makes it
// so. A state that the job really was in. Spec: docs/flink.md "Repair".
import type { Finding } from '../model/job-log.ts';
import { eventsThatGoOn } from '../replay/flink-hang.ts';
import { type FlinkStep, stepOf } from '../replay/flink-history.ts';
import type { RecoveryPlan } from '../replay/recovery-plan.ts';
import { type ReplayedStore, replayOpened } from './replayed-store.ts';
import type { OpenedStore } from './store-input.ts';
import { chooseSurvivors } from './survivor-choice.ts';

export interface RecoverablePrefix {
  /** The first so many events of those that Flink reads. */
  readonly events: number;
  /** The store at that point; null where nothing stays. */
  readonly replayed: ReplayedStore | null;
  readonly plan: RecoveryPlan | null;
  /** Whether all that Flink reads stays, and nothing unreadable lies behind it. */
  readonly isWhole: boolean;
  /** Why it ends where it ends, for an operator; null where it is the whole store. */
  readonly why: string | null;
}

/** `whole` is the store as it is. */
export async function longestRecoverablePrefix(store: OpenedStore, whole: ReplayedStore): Promise<RecoverablePrefix> {
  const { summary } = whole;
  const hole = summary.findings.find(endsPrefix);
  let prefix = await prefixOf(store, hole?.sequence ?? summary.events, hole?.message ?? null, hole === undefined);
  for (let end = await shorterEnd(store, prefix); end !== null; end = await shorterEnd(store, prefix)) {
    prefix = await prefixOf(store, end.events, end.why, false);
  }
  const isEmpty = summary.events === 0 && summary.segments.length > 0;
  return isEmpty ? { ...prefix, isWhole: false, why: prefix.why ?? emptyWhy } : prefix;
}

const emptyWhy = 'a store without events makes a recovered job wait for ever; without its files Flink starts anew';

/** Events behind these bytes are missing; a torn tail only ended what a JobMaster wrote. */
function endsPrefix({ severity, code }: Finding): boolean {
  return severity === 'error' && code !== 'TORN_TAIL';
}

async function prefixOf(
  store: OpenedStore,
  events: number,
  why: string | null,
  isWhole: boolean,
): Promise<RecoverablePrefix> {
  if (events === 0) return { events, replayed: null, plan: null, isWhole: false, why };
  const replayed = await replayOpened(store, { until: { sequence: events - 1 } });
  const { survivors } = await chooseSurvivors({ kind: 'default' }, store.log, replayed.graph);
  return { events, replayed, plan: replayed.plan(survivors), isWhole, why };
}

interface PrefixEnd {
  readonly events: number;
  readonly why: string;
}

/** Always inside the prefix, so that looking again comes to an end; null where the prefix may stay as it is. */
async function shorterEnd(store: OpenedStore, prefix: RecoverablePrefix): Promise<PrefixEnd | null> {
  const flaw = flawOf(prefix);
  if (flaw !== null || prefix.plan?.verdict !== 'would-hang') return flaw;
  const events = eventsThatGoOn(await historyOf(store, prefix.events));
  return { events, why: `with the events behind it, the recovered job would hang: ${prefix.plan.why}` };
}

/** The first event of the prefix that must not stay. */
function flawOf({ events, replayed }: RecoverablePrefix): PrefixEnd | null {
  const errors = (replayed?.findings ?? []).filter(({ severity }) => severity === 'error');
  const sequences = errors.map(({ sequence }) => sequence ?? events).filter((sequence) => sequence < events);
  if (sequences.length === 0) return null;
  const first = Math.min(...sequences);
  return { events: first, why: errors.find(({ sequence }) => sequence === first)?.message ?? '' };
}

async function historyOf({ log }: OpenedStore, events: number): Promise<FlinkStep[]> {
  const steps: FlinkStep[] = [];
  for await (const record of log.records()) {
    if (record.sequence >= events) break;
    const step = stepOf(record);
    if (step !== null) steps.push(step);
  }
  return steps;
}
