// Step one of a recovery: the answer of partition-cases for every partition of every initialized vertex, as things are
// before anything restarts.
import { partitionKey } from '../model/ids.ts';
import { decide } from './decision-table.ts';
import type { ExecutionGraph, ExecutionVertex } from './execution-graph.ts';
import { holderOf, usesShuffleService } from './partition-holder.ts';
import type { DataSetReaders, ReaderGroup } from './reader-groups.ts';
import { taskLabel } from './reasons.ts';
import type { PartitionDecision } from './recovery-cases.ts';
import { partitionCases } from './recovery-cases.ts';
import type { PlannedPartition, PlannedPartitions, RecoveryRules, Survivors } from './recovery-plan.ts';

export interface PartitionState {
  readonly partition: PlannedPartition;
  readonly decision: PartitionDecision;
  /** The first who waits for it, in words; null: nobody. */
  readonly neededBy: string | null;
}

export type PartitionStates = ReadonlyMap<DataSetReaders, readonly PartitionState[]>;

/** States by data set and partition index. */
export function partitionStates(
  graph: ExecutionGraph,
  dataSets: readonly DataSetReaders[],
  survivors: Survivors,
  rules: RecoveryRules,
): PartitionStates {
  const states = new Map<DataSetReaders, readonly PartitionState[]>();
  for (const dataSet of dataSets) {
    const waiting = new Map<ReaderGroup, string | null>();
    for (const group of new Set(dataSet.byPartition.flat())) waiting.set(group, firstWaiting(group));
    states.set(
      dataSet,
      dataSet.producer.tasks.map((task) => stateOf(graph, dataSet, task, waiting, survivors, rules)),
    );
  }
  return states;
}

function firstWaiting({ consumer, subtasks }: ReaderGroup): string | null {
  const waiting = subtasks.find((subtask) => consumer.tasks[subtask]?.state !== 'FINISHED');
  return waiting === undefined ? null : `${taskLabel(consumer, waiting)}, not finished`;
}

function stateOf(
  graph: ExecutionGraph,
  dataSet: DataSetReaders,
  task: ExecutionVertex,
  waiting: ReadonlyMap<ReaderGroup, string | null>,
  survivors: Survivors,
  rules: RecoveryRules,
): PartitionState {
  const { datasetId } = dataSet;
  const { attempt, epoch } = task;
  const workerId = holderOf(graph, datasetId, task);
  const partition = { datasetId, partitionIndex: task.subtask, attempt, workerId };
  const producerFinished = task.state === 'FINISHED';
  const neededBy = waitingFor(dataSet, task.subtask, waiting);
  const decision = decide(partitionCases, {
    producerFinished,
    needed: neededBy !== null,
    givenUp: graph.released.has(partitionKey(datasetId, task.subtask)),
    survives: producerFinished && isHeld(graph, workerId) && survivors.has({ ...partition, epoch }),
    optionalAvailable: rules.optionalPartitionsAvailable,
  });
  return { partition, decision, neededBy };
}

/** With a shuffle service a partition that no snapshot places was never handed over. */
function isHeld(graph: ExecutionGraph, holder: string | null): boolean {
  return holder !== null || !usesShuffleService(graph);
}

function waitingFor(
  dataSet: DataSetReaders,
  partitionIndex: number,
  waiting: ReadonlyMap<ReaderGroup, string | null>,
): string | null {
  if (dataSet.uninitialized !== null) return `${dataSet.uninitialized}, not initialized`;
  for (const group of dataSet.byPartition[partitionIndex] ?? []) {
    const who = waiting.get(group) ?? null;
    if (who !== null) return who;
  }
  return null;
}

/** The plan's four lists. */
export function listPartitions(states: PartitionStates): PlannedPartitions {
  const all = [...states.values()].flat();
  const kept = (keep: PartitionDecision['keep']) => all.filter(({ decision }) => decision.keep === keep);
  const reserved = kept('RESERVE');
  return {
    reserved: reserved.map(({ partition }) => partition),
    released: kept('RELEASE').map(({ partition }) => partition),
    optional: kept('OPTIONAL').map(({ partition }) => partition),
    missing: reserved.filter(({ decision }) => decision.lost !== null).map(({ partition }) => partition),
  };
}
