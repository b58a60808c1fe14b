// The longest beginning of a Flink store from which Flink recovers. It ends before the first byte behind which events are
// known to be missing, before any event that Flink's replay cannot apply (also where this recovery would drop it: the next
// one would meet it), and, where all of it would leave a job that never schedules again, before the finish that makes it
// so. A state that the job really was in. Spec: docs/flink.md "Repair".
import type { Finding } from '../model/job-log.ts';
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
  for (let flaw = flawOf(prefix); flaw !== null; flaw = flawOf(prefix)) {
    prefix = await prefixOf(store, flaw.events, flaw.why, false);
  }
  if (summary.events === 0 && summary.segments.length > 0)
    return { ...prefix, isWhole: false, why: prefix.why ?? emptyWhy };
  return prefix.plan?.verdict === 'would-hang' ? withoutHang(store, prefix) : prefix;
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

/** The first event of the prefix that must not stay. Always inside the prefix, so that looking again comes to an end. */
function flawOf({ events, replayed }: RecoverablePrefix): { readonly events: number; readonly why: string } | null {
  const errors = (replayed?.findings ?? []).filter(({ severity }) => severity === 'error');
  const sequences = errors.map(({ sequence }) => sequence ?? events).filter((sequence) => sequence < events);
  if (sequences.length === 0) return null;
  const first = Math.min(...sequences);
  return { events: first, why: errors.find(({ sequence }) => sequence === first)?.message ?? '' };
}

/** The longest shorter one that goes on, ending right before a finish: only a finish can make a job that hangs. */
async function withoutHang(store: OpenedStore, hanging: RecoverablePrefix): Promise<RecoverablePrefix> {
  const finishes: number[] = [];
  for await (const { sequence, event } of store.log.records()) {
    if (sequence >= hanging.events) break;
    if (event.type === 'execution-vertex-finished') finishes.push(sequence);
  }
  const why = `with the events behind it, the recovered job would hang: ${hanging.plan?.why ?? ''}`;
  for (const events of finishes.reverse()) {
    const shorter = await prefixOf(store, events, why, false);
    if (flawOf(shorter) === null && shorter.plan?.verdict !== 'would-hang') return shorter;
  }
  return prefixOf(store, 0, why, false);
}
