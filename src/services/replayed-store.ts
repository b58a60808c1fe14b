// A store replayed by the rules of the engine that wrote it, with the recovery that this engine would do: the one place
// where the commands tell jobrec's stores from Flink's. Spec: docs/commands.md "replay", "diff"; docs/flink.md.
import { basename, dirname } from 'node:path';
import { JobrecError } from '../model/errors.ts';
import type { Damage, Finding, JobLog, LogRecord, LogSnapshot, StoreSummary } from '../model/job-log.ts';
import type { Bound } from '../replay/bound.ts';
import { withoutDropped } from '../replay/dropped-finishes.ts';
import { createExecutionGraph, type ExecutionGraph } from '../replay/execution-graph.ts';
import type { FinishedTask, UnreadEvent } from '../replay/flink-evidence.ts';
import type { FlinkReplay } from '../replay/flink-replay.ts';
import { planRecovery } from '../replay/reconcile.ts';
import { jobrecRecoveryRules, type RecoveryPlan, type Survivors } from '../replay/recovery-plan.ts';
import type { DroppedEvent, ReplayOptions } from '../replay/replay.ts';
import { type LogReplay, replayLog } from '../replay/replay-log.ts';
import type { DiffBasis } from './diff-report.ts';
import type { OpenedStore } from './store-input.ts';
import { lostPlaces } from './unknown-finishes.ts';

export interface ReplayedStore {
  /** What a restarted JobMaster would hold. */
  readonly graph: ExecutionGraph;
  /** As the events say it: with what recovery drops. */
  readonly recorded: ExecutionGraph;
  /** The last event that the graph holds. */
  readonly at: { readonly sequence: number | null; readonly timeMicros: number | null };
  /** The last record that was read; null also where a snapshot holds all. */
  readonly last: LogRecord | null;
  /** What the graph rests on, beside events; null: nothing. */
  readonly snapshot: LogSnapshot | null;
  /** Events that do not fit the ones before them. */
  readonly findings: readonly Finding[];
  readonly droppedEvents: readonly DroppedEvent[];
  readonly damage: Damage | null;
  /** Damage for which a recovery refuses the store; null also where a snapshot lies behind the damage. */
  readonly refused: Damage | null;
  readonly summary: StoreSummary;
  readonly topology: Pick<DiffBasis, 'topology' | 'assumptions'>;
  /** Flink: where finishes may be missing, in words. */
  readonly lostPlaces: readonly string[];
  /** The recovery that the store's engine would do. */
  plan(survivors: Survivors): RecoveryPlan;
}

export interface ReplayedStoreOptions {
  readonly until?: Bound | undefined;
  /** Flink: ids of sources that the user says cannot snapshot. */
  readonly sourcesWithoutSnapshot?: ReadonlySet<string> | undefined;
  /** Flink: events that happened and that the recovery will not see; absent: those that Flink passes over, with all events. */
  readonly unread?: AsyncIterable<UnreadEvent> | undefined;
  /** Flink: tasks that the running cluster calls finished now. */
  readonly finishedNow?: readonly FinishedTask[] | undefined;
  /** Whether a store whose state nothing holds any more is replayed as an empty one; else it is STORE_DAMAGED. */
  readonly evenIfLost?: boolean;
  /** jobrec: as in `replay`. */
  readonly onRecord?: ReplayOptions['onRecord'];
}

export async function replayOpened(store: OpenedStore, options: ReplayedStoreOptions = {}): Promise<ReplayedStore> {
  return store.log.format === 'flink' ? replayFlinkStore(store, options) : replayJobrecStore(store, options);
}

async function replayJobrecStore({ log }: OpenedStore, options: ReplayedStoreOptions): Promise<ReplayedStore> {
  const { graph, last, snapshot, findings, droppedEvents } = await replayOrNothing(log, options);
  const summary = await log.summary();
  const [newest] = await log.snapshots();
  return {
    graph: withoutDropped(graph),
    recorded: graph,
    refused: summary.damage === null ? null : (await log.summary(newest)).damage,
    at: { sequence: graph.lastSequence, timeMicros: graph.lastTimeMicros },
    last,
    snapshot,
    findings,
    droppedEvents,
    damage: summary.damage,
    summary,
    topology: { topology: 'recorded', assumptions: [] },
    lostPlaces: [],
    plan: (survivors) => planRecovery(graph, survivors, jobrecRecoveryRules),
  };
}

async function replayOrNothing(log: JobLog, options: ReplayedStoreOptions): Promise<LogReplay> {
  const { until, evenIfLost, onRecord } = options;
  try {
    return await replayLog(log, { until, onRecord });
  } catch (error) {
    if (!evenIfLost || !(error instanceof JobrecError) || error.code !== 'STORE_DAMAGED') throw error;
    return { graph: createExecutionGraph(), last: null, snapshot: null, findings: [], droppedEvents: [] };
  }
}

async function replayFlinkStore(store: OpenedStore, options: ReplayedStoreOptions): Promise<ReplayedStore> {
  const { replayFlink } = await import('../replay/flink-replay.ts');
  const { planFlinkRecovery } = await import('../replay/flink-recovery.ts');
  const { log, job } = store;
  const { until } = options;
  const replayed = await replayFlink(log.records(), {
    job,
    until,
    sourcesWithoutSnapshot: options.sourcesWithoutSnapshot,
    unread: options.unread ?? (until === undefined ? passedOver(log) : undefined),
    finishedNow: options.finishedNow,
  });
  const { graph, recorded, last, droppedEvents, topology } = replayed;
  graph.jobId ??= jobIdOf(store);
  recorded.jobId ??= graph.jobId;
  const summary = await log.summary();
  const failure = unreadableAt(summary, until) ?? replayed.failure;
  const snapshotMinPause = minPauseOf(store);
  return {
    graph,
    recorded,
    at: { sequence: last?.sequence ?? null, timeMicros: last?.timeMicros ?? null },
    last,
    refused: null,
    snapshot: null,
    findings: flinkFindings(replayed),
    droppedEvents,
    damage: summary.damage,
    summary,
    topology: { topology: topology.basis, assumptions: topology.assumptions },
    lostPlaces: lostPlaces(summary, replayed.history),
    plan: (survivors) => {
      const plan = planFlinkRecovery(replayed, survivors, { failure, snapshotMinPause });
      return summary.segments.length > 0 ? plan : { ...plan, ...anew };
    },
  };
}

/** Without a file there is nothing to recover from, and nothing to wait for. */
export const anew: Pick<RecoveryPlan, 'verdict' | 'why'> = {
  verdict: 'restart-from-scratch',
  why: 'no event is left: Flink runs the job as a new one',
};

/** Known when all records were read. */
async function* passedOver(log: JobLog): AsyncGenerator<UnreadEvent> {
  const { bytesPassedOver, lostEvents } = await import('../store/flink/lost-events.ts');
  const lost = bytesPassedOver(await log.summary());
  if (lost.length > 0) yield* lostEvents(log.location, lost);
}

/** Of a Flink store: its submitted job says it, else the name of the job's folder. */
export function jobIdOf({ job, log }: OpenedStore): string | null {
  if (job !== null && job.jobId !== null) return job.jobId;
  const name = basename(dirname(log.location));
  return /^[0-9a-f]{32}$/.test(name) ? name : null;
}

const minPauseOption = 'execution.batch.job-recovery.snapshot.min-pause';
const minPauseDefault = '3 min';

function minPauseOf({ job }: OpenedStore): string | null {
  if (job === null || job.source === 'plan') return null;
  return job.config[minPauseOption] ?? minPauseDefault;
}

/** Bytes at which Flink's replay fails; not before them. */
function unreadableAt({ findings }: StoreSummary, until: Bound | undefined) {
  const fatal = findings.find((finding) => finding.flinkDoes === 'deletes-store');
  if (fatal === undefined || (until !== undefined && until.sequence < (fatal.sequence ?? 0))) return null;
  const { segment, offset, sequence, message } = fatal;
  const [what = message] = message.split('; ');
  return { segment: segment ?? '', offset: offset ?? 0, sequence: sequence ?? 0, message: what };
}

/** What the events' misfits mean to Flink, and what of them is normal there. */
function flinkFindings({ findings, failure }: FlinkReplay): Finding[] {
  const judged = findings.map(judgedByFlink);
  const isNamed = judged.some((finding) => finding.sequence === failure?.sequence && finding.severity === 'error');
  if (failure === null || isNamed) return judged;
  const { segment, offset, sequence, message } = failure;
  return [...judged, { ...deletesStore(message), segment, offset, sequence, bytesLost: 0 }];
}

function deletesStore(message: string): Pick<Finding, 'code' | 'severity' | 'message' | 'flinkDoes'> {
  const what = 'Flink fails to replay this, deletes the whole store and runs the job from scratch';
  return { code: 'PAYLOAD_INVALID', severity: 'error', message: `${message}; ${what}`, flinkDoes: 'deletes-store' };
}

function judgedByFlink(finding: Finding): Finding {
  switch (finding.code) {
    case 'FINISH_WITHOUT_INIT': {
      const { message, flinkDoes, severity } = deletesStore(finding.message);
      return { ...finding, message, severity, ...(flinkDoes === undefined ? {} : { flinkDoes }) };
    }
    case 'FINISH_TWICE': {
      const message = `${finding.message}; normal after a recovery, whose resets Flink does not record: the later finish counts, in the place of the earlier`;
      return { ...finding, severity: 'info', message };
    }
    case 'RESET_UNKNOWN':
      return { ...finding, message: `${finding.message}; Flink skips it silently` };
    default:
      return finding;
  }
}
