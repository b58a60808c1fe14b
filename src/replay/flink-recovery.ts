// planFlinkRecovery: what Flink would keep and run again, and why, from a replayed Flink store. In its order: finishes
// that are not durable are dropped, coordinators reset tasks, then partitions are reconciled by the tables that jobrec's
// own recovery uses, under Flink's rules. Doc: docs/flink.md "Prediction".
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from './execution-graph.ts';
import { type CoordinatorResets, coordinatorResets } from './flink-coordinator-resets.ts';
import type { FlinkReplay } from './flink-replay.ts';
import type { ReplayFailure } from './flink-replay-failure.ts';
import { findReaders } from './reader-groups.ts';
import { assemblePlan, type Reconciled, reconcile } from './reconcile.ts';
import { flinkRecoveryRules, type Reason, type RecoveryPlan, type Survivors } from './recovery-plan.ts';
import { recordedTopology } from './topology.ts';

export interface FlinkRecoveryOptions {
  /** The store cannot be replayed as it is (what readers found, or `FlinkReplay.failure`); null: it can. */
  readonly failure: ReplayFailure | null;
  /** `execution.batch.job-recovery.snapshot.min-pause` as it is set, for the reasons; null: not known. */
  readonly snapshotMinPause: string | null;
}

type Reruns = Map<ExecutionVertex, readonly Reason[]>;

/** The plan of a restart after this store, given what survived. Does not change the replayed graph. */
export function planFlinkRecovery(
  replayed: FlinkReplay,
  survivors: Survivors,
  options: FlinkRecoveryOptions,
): RecoveryPlan {
  if (options.failure !== null) return planFromScratch(replayed, options.failure);
  const { graph, recorded } = replayed;
  const resets = coordinatorResets(graph, findReaders(graph, recordedTopology(graph)));
  const { graph: reset, originals } = afterResets(graph, resets);
  const { reruns, partitions } = reconcile(reset, survivors, flinkRecoveryRules);
  const all: Reruns = new Map();
  for (const dropped of replayed.droppedEvents) all.set(dropped.task, [droppedReason(options)]);
  for (const [task, reasons] of resets.resets) all.set(task, reasons);
  for (const [task, reasons] of reruns) all.set(originals.get(task) ?? task, reasons);
  return assemblePlan(recorded, flinkRecoveryRules, all, partitions);
}

const noPartitions: Reconciled['partitions'] = { reserved: [], released: [], optional: [], missing: [] };

/** Flink deletes the store and starts the job as a new one. */
function planFromScratch({ recorded }: FlinkReplay, failure: ReplayFailure): RecoveryPlan {
  const place = `${failure.segment} at byte ${failure.offset}`;
  const reason: Reason = {
    code: 'store-unusable',
    message: `Flink cannot replay the store (${place}: ${failure.message}), deletes it and starts from scratch`,
    because: { kind: 'event', id: `${failure.segment}@${failure.offset}` },
  };
  const all: Reruns = new Map();
  for (const { tasks } of recorded.vertices.values()) {
    for (const task of tasks) if (task.state === 'FINISHED') all.set(task, [reason]);
  }
  const plan = assemblePlan(recorded, flinkRecoveryRules, all, noPartitions);
  return { ...plan, verdict: 'restart-from-scratch', why: reason.message };
}

/** The graph after phase one; its tasks are copies where they differ, and no coordinator but the marked ones counts. */
function afterResets(
  graph: ExecutionGraph,
  { resets, marked }: CoordinatorResets,
): { readonly graph: ExecutionGraph; readonly originals: ReadonlyMap<ExecutionVertex, ExecutionVertex> } {
  const originals = new Map<ExecutionVertex, ExecutionVertex>();
  const vertices = new Map<string, ExecutionJobVertex>();
  for (const vertex of graph.vertices.values()) {
    const tasks = vertex.tasks.map((task) => {
      if (!resets.has(task)) return task;
      const copy: ExecutionVertex = { ...task, state: 'CREATED', workerId: null };
      originals.set(copy, task);
      return copy;
    });
    const coordinator = marked.has(vertex) ? { operators: new Map(), supportsBatchSnapshot: false } : null;
    vertices.set(vertex.id, { ...vertex, tasks, coordinator });
  }
  return { graph: { ...graph, vertices }, originals };
}

const minPauseOption = 'execution.batch.job-recovery.snapshot.min-pause';

function droppedReason({ snapshotMinPause }: FlinkRecoveryOptions): Reason {
  const pause = snapshotMinPause === null ? '' : ` (${snapshotMinPause})`;
  const isOff = /^0\s*[a-z]*$/.test(snapshotMinPause ?? '');
  const what = isOff
    ? 'the last snapshot of the store lies before its place in the replay order'
    : `no snapshot followed it within snapshot.min-pause${pause}`;
  return {
    code: 'finish-not-durable',
    message: `finished, but ${what}, so Flink drops it`,
    because: { kind: 'setting', id: minPauseOption },
  };
}
