// diff: what a recovery from this point of the log would keep and what would run again, and why. Calls the function
// that the JobMaster recovers by; only where the survivors come from differs. Reads only.
// Spec: docs/commands.md "diff".
import { JobrecError } from '../model/errors.ts';
import { formatPartitionId } from '../model/ids.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { planRecovery } from '../replay/reconcile.ts';
import {
  jobrecRecoveryRules,
  type PlannedPartition,
  type RecoveryPlan,
  type TaskRef,
} from '../replay/recovery-plan.ts';
import { replay } from '../replay/replay.ts';
import type { DiffPartition, DiffReport, DiffRerun, DiffTask } from './diff-report.ts';
import { jobSummary } from './inspect.ts';
import { openStore, type StoreInputOptions } from './store-input.ts';
import { chooseSurvivors, type SurvivorChoice } from './survivor-choice.ts';
import { boundOf, isoTime } from './times.ts';

export interface DiffOptions extends StoreInputOptions {
  /** A position, inclusive; null: the whole log. */
  readonly until: string | null;
  readonly survivors: SurvivorChoice;
  /** Flags that ask for what only a Flink store has; refused for a jobrec store. */
  readonly flinkOnlyFlags: readonly string[];
}

export async function diffStore(options: DiffOptions): Promise<DiffReport> {
  const log = await openStore(options);
  refuseFlinkOnly(log, options.flinkOnlyFlags);
  const until = await boundOf(log, options.until);
  const { graph, last } = await replay(log.records(), until === undefined ? {} : { until });
  const { damage } = await log.summary();
  const basis = await chooseSurvivors(options.survivors, log, graph);
  const plan = planRecovery(graph, basis.survivors, jobrecRecoveryRules);
  return {
    verdict: plan.verdict,
    why: plan.why,
    job: jobSummary(graph),
    at: { sequence: last?.sequence ?? null, time: isoTime(last?.timeMicros ?? null) },
    summary: plan.summary,
    ...tasksOf(plan, graph),
    partitions: partitionsOf(plan),
    basis: {
      topology: 'recorded',
      survivors: basis.kind,
      assumptions: [...basis.assumptions, ...pointAssumptions(options, basis.kind, damage !== null)],
    },
    warnings: basis.warnings,
    damage,
  };
}

function refuseFlinkOnly(log: JobLog, flags: readonly string[]): void {
  const [flag] = flags;
  if (flag === undefined || log.format === 'flink') return;
  const message = `${flag} is for Flink stores; this is a jobrec store, which records what the flag would supply`;
  throw new JobrecError('UNSUPPORTED_FOR_FORMAT', message, { data: { flag, format: log.format } });
}

function pointAssumptions(options: DiffOptions, kind: string, isDamaged: boolean): string[] {
  const now =
    options.until !== null && kind === 'folders'
      ? ["the workers' folders were read as they are now, not as they were at that point of the log"]
      : [];
  const prefix = isDamaged
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
