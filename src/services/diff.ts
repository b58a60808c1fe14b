// diff: what a recovery from this point of the log would keep and what would run again, and why. Calls the function
// that the JobMaster recovers by; only where the survivors come from differs. Reads only.
// Spec: docs/commands.md "diff".
import { JobrecError } from '../model/errors.ts';
import { formatPartitionId } from '../model/ids.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { PlannedPartition, RecoveryPlan, TaskRef } from '../replay/recovery-plan.ts';
import type { DiffPartition, DiffReport, DiffRerun, DiffTask } from './diff-report.ts';
import { jobSummary } from './inspect.ts';
import { jobIdOf, replayOpened } from './replayed-store.ts';
import { type OpenedStore, openStore, plannedGraph, type StoreInputOptions, vertexNamed } from './store-input.ts';
import { type StreamOutlook, streamOutlook } from './stream-outlook.ts';
import { chooseSurvivors, type SurvivorChoice } from './survivor-choice.ts';
import { boundOf, isoTime } from './times.ts';
import { unknownFinishesAssumption } from './unknown-finishes.ts';

export interface DiffOptions extends StoreInputOptions {
  /** A position, inclusive; null: the whole log. */
  readonly until: string | null;
  readonly survivors: SurvivorChoice;
  /** Base URL of a running Flink cluster to ask for the plan, and for its workers where no others are named; null: none. */
  readonly flinkRest: string | null;
  /** Ids or unique names of sources that cannot snapshot. */
  readonly sourcesWithoutSnapshot: readonly string[];
  /** Flags that ask for what only a Flink store has; refused for a jobrec store. */
  readonly flinkOnlyFlags: readonly string[];
}

export async function diffStore(options: DiffOptions): Promise<DiffReport> {
  const { store, workers, finished } = await openWithCluster(options);
  refuseFlinkOnly(store.log, options.flinkOnlyFlags);
  const until = await boundOf(store, options.until);
  const sourcesWithoutSnapshot = await sourceIds(store, options.sourcesWithoutSnapshot);
  const finishedNow = until === undefined ? (finished ?? undefined) : undefined;
  const replayed = await replayOpened(store, { until, sourcesWithoutSnapshot, finishedNow });
  const { graph, recorded, at, damage } = replayed;
  const choice: SurvivorChoice = workers === null ? options.survivors : { kind: 'rest', workers };
  const basis = await chooseSurvivors(choice, store.log, recorded);
  // A report says what is there, whatever the old JobMaster should have given up.
  if (basis.kind === 'report' && store.log.format === 'flink') graph.released.clear();
  const plan = replayed.plan(basis.survivors);
  const { lostPlaces: places } = replayed;
  const isCertain = options.until !== null || basis.kind === 'report' || store.log.format !== 'flink';
  const unknown = { places, job: store.job, finishedIsKnown: finished !== null };
  const assumptions = [
    ...basis.assumptions,
    ...(isCertain ? [] : unknownFinishesAssumption(unknown, plan)),
    ...pointAssumptions(options, basis.kind, replayed.refused !== null, store.log),
  ];
  const report: DiffReport = {
    verdict: plan.verdict,
    why: plan.why,
    job: jobSummary(graph),
    at: { sequence: at.sequence, time: isoTime(at.timeMicros) },
    summary: plan.summary,
    ...tasksOf(plan, graph),
    partitions: partitionsOf(plan),
    basis: {
      topology: replayed.topology.topology,
      survivors: basis.kind,
      assumptions: [...replayed.topology.assumptions, ...assumptions],
    },
    warnings: [...store.warnings, ...basis.warnings],
    damage,
  };
  return withRestore(report, await streamOutlook(graph), options.until);
}

/** A streaming job keeps no partitions: what its tasks begin from is a checkpoint. */
function withRestore(report: DiffReport, outlook: StreamOutlook | null, until: string | null): DiffReport {
  if (!outlook) return report;
  const now = 'the checkpoints were read as they are now, not as they were at that point of the log';
  const assumptions = until === null ? [] : [now];
  const basis: DiffReport['basis'] = { ...report.basis, survivors: 'folders', assumptions };
  return { ...report, ...outlook, partitions: { reserved: [], released: [], optional: [], missing: [] }, basis };
}

interface Opened {
  readonly store: OpenedStore;
  /** null: no cluster was asked. */
  readonly workers: readonly string[] | null;
  /** What a cluster says of a job that runs; null: nobody said. */
  readonly finished: readonly TaskRef[] | null;
}

/** A cluster is asked once: for the job's plan and names, its workers, and the tasks that have finished. */
async function openWithCluster(options: DiffOptions): Promise<Opened> {
  const { flinkRest } = options;
  const store = await openStore(options);
  if (flinkRest === null || store.log.format !== 'flink') return { store, workers: null, finished: null };
  const { askFlinkCluster } = await import('./flink-rest.ts');
  const { firstInitialized } = await import('./flink-job-input.ts');
  const vertexId = (await firstInitialized(store.log))?.vertexId ?? null;
  const { job, workers, finished } = await askFlinkCluster(flinkRest, { jobId: jobIdOf(store), vertexId });
  return { store: job === null ? store : await openStore(options, [job]), workers, finished };
}

async function sourceIds(store: OpenedStore, named: readonly string[]): Promise<ReadonlySet<string>> {
  if (named.length === 0) return new Set();
  const graph = await plannedGraph(store);
  return new Set(named.map((text) => vertexNamed(graph, text)));
}

function refuseFlinkOnly(log: JobLog, flags: readonly string[]): void {
  const [flag] = flags;
  if (flag === undefined || log.format === 'flink') return;
  const message = `${flag} is for Flink stores; this is a jobrec store, which records what the flag would supply`;
  throw new JobrecError('UNSUPPORTED_FOR_FORMAT', message, { data: { flag, format: log.format } });
}

function pointAssumptions(options: DiffOptions, kind: string, isDamaged: boolean, log: JobLog): string[] {
  const now =
    options.until !== null && kind === 'folders'
      ? ["the workers' folders were read as they are now, not as they were at that point of the log"]
      : [];
  const prefix =
    isDamaged && log.format === 'jobrec'
      ? ['the store is damaged and recovery refuses it: this is what a recovery from its good prefix would do']
      : [];
  return [...now, ...prefix];
}

function tasksOf(plan: RecoveryPlan, graph: ExecutionGraph): Pick<DiffReport, 'rerun' | 'kept' | 'pending'> {
  const named = ({ vertexId, subtask }: TaskRef): DiffTask => ({
    vertexId,
    vertexName: graph.vertices.get(vertexId)?.name ?? null,
    subtask,
  });
  const rerun = plan.rerun.map((task): DiffRerun => {
    const { attempt, reasons, cost } = task;
    return { ...named(task), attempt, reasons, cost };
  });
  return { rerun, kept: plan.kept.map(named), pending: plan.pending.map(named) };
}

function partitionsOf({ partitions }: RecoveryPlan): DiffReport['partitions'] {
  const listed = (each: readonly PlannedPartition[]): DiffPartition[] =>
    each.map((partition) => ({ partitionId: formatPartitionId(partition), workerId: partition.workerId }));
  return {
    reserved: listed(partitions.reserved),
    released: listed(partitions.released),
    optional: listed(partitions.optional),
    missing: listed(partitions.missing),
  };
}
