// Whether a prediction and what Flink then did are the same: the finished tasks that ran again, those that were kept,
// and whether the job went on at all. Pure.
import type { DiffReport } from '../../src/services/diff-report.ts';

/** What one failover showed. */
export interface Observation {
  /** Finished by what Flink said before the kill, as `vertexId#subtask`. */
  readonly finished: ReadonlySet<string>;
  /** Whether `finished` is exactly what the store must hold, or only bounds it. */
  readonly finishedIsExact: boolean;
  /** Ran again after the recovery, finished before or not. */
  readonly ranAgain: ReadonlySet<string>;
  readonly hangs: boolean;
  /** Partitions that the new JobManager missed, as `datasetId#index`. */
  readonly missing: ReadonlySet<string>;
  /** What Flink's own replay of the store left finished. */
  readonly restored: ReadonlySet<string>;
}

export interface Comparison {
  readonly rerun: number;
  readonly kept: number;
  /** One line each; none where both agree. */
  readonly disagreements: readonly string[];
}

export function compare(predicted: DiffReport, observed: Observation): Comparison {
  const rerun = new Set(predicted.rerun.map(taskOf));
  const kept = new Set(predicted.kept.map(taskOf));
  const known = union(rerun, kept);
  const reallyReran = new Set([...known].filter((task) => observed.ranAgain.has(task)));
  const disagreements = [
    ...listed('ran again, predicted as kept', minus(reallyReran, rerun)),
    ...listed('predicted to run again, was kept', minus(rerun, reallyReran)),
    ...listed(
      'both kept and to run again',
      [...rerun].filter((task) => kept.has(task)),
    ),
    ...listed('restored by Flink, unknown to the prediction', minus(observed.restored, known)),
    ...listed('finished by the store, not by Flink', minus(known, observed.finished)),
    ...(observed.finishedIsExact ? listed('finished, unknown to the prediction', minus(observed.finished, known)) : []),
    ...hangs(predicted, observed),
  ];
  return { rerun: rerun.size, kept: kept.size, disagreements };
}

/** Tasks that had finished, but not in the store: their events were lost in the write buffer or with damaged bytes. */
export function lostFinishes(predicted: DiffReport, observed: Observation): string[] {
  return minus(observed.finished, new Set([...predicted.rerun, ...predicted.kept].map(taskOf)));
}

/** What the living workers really had, of what the recovery asked for: a report as `diff --partitions` reads it. */
export function realReport(predicted: DiffReport, living: readonly string[], missing: ReadonlySet<string>): object {
  const { reserved, optional } = predicted.partitions;
  const there = [...reserved, ...optional].filter(({ partitionId }) => !missing.has(partitionId.replace(/@.*/, '')));
  const partitionsOf = (workerId: string) =>
    there.filter((partition) => partition.workerId === workerId).map(({ partitionId }) => partitionId);
  return { workers: living.map((workerId) => ({ workerId, partitions: partitionsOf(workerId) })) };
}

function hangs({ verdict, why }: DiffReport, observed: Observation): string[] {
  if ((verdict === 'would-hang') === observed.hangs) return [];
  return [
    observed.hangs ? `the job hangs; predicted ${verdict}: ${why}` : `the job went on; predicted ${verdict}: ${why}`,
  ];
}

function taskOf({ vertexId, subtask }: { readonly vertexId: string; readonly subtask: number }): string {
  return `${vertexId}#${subtask}`;
}

function listed(what: string, tasks: readonly string[]): string[] {
  return tasks.length === 0 ? [] : [`${what}: ${[...tasks].sort().join(' ')}`];
}

export function union<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): Set<T> {
  return new Set([...one, ...other]);
}

function minus(all: ReadonlySet<string>, without: ReadonlySet<string>): string[] {
  return [...all].filter((task) => !without.has(task));
}
