// Step two of a recovery: from the tasks that lost something themselves to all that restart with them, up to the
// producers of inputs that are gone, down to all consumers, across the vertices whose coordinator is lost, until nothing
// is added. Breadth first, so that each reason names a task that was in before; each reader group is walked once.
import { decide } from './decision-table.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from './execution-graph.ts';
import type { PartitionStates } from './partition-states.ts';
import type { ReaderGroup, Readers } from './reader-groups.ts';
import {
  downstreamReason,
  lostSourceReason,
  notDurableReason,
  partitionReason,
  stagedPartReason,
  taskLabel,
  wholeSourceReason,
} from './reasons.ts';
import type { SpreadFacts } from './recovery-cases.ts';
import { spreadCases, taskCases } from './recovery-cases.ts';
import type { Reason, RecoveryRules, Survivors } from './recovery-plan.ts';

/** Finished tasks that run again, with their reasons, in the order in which they were found. */
export type Reruns = ReadonlyMap<ExecutionVertex, readonly Reason[]>;

interface QueuedTask {
  readonly vertex: ExecutionJobVertex;
  readonly task: ExecutionVertex;
}

interface Spread {
  readonly rules: RecoveryRules;
  readonly survivors: Survivors;
  readonly readers: Readers;
  readonly states: PartitionStates;
  readonly reruns: Map<ExecutionVertex, readonly Reason[]>;
  /** Tasks yet to run that the walk went through. */
  readonly passed: Set<ExecutionVertex>;
  readonly queue: QueuedTask[];
  readonly walkedUp: Set<ReaderGroup>;
  readonly walkedDown: Set<ReaderGroup>;
  readonly pulledIn: Set<ExecutionJobVertex>;
}

/** All finished tasks that run again. */
export function findReruns(
  graph: ExecutionGraph,
  readers: Readers,
  states: PartitionStates,
  survivors: Survivors,
  rules: RecoveryRules,
): Reruns {
  const spread: Spread = {
    rules,
    survivors,
    readers,
    states,
    reruns: new Map(),
    passed: new Set(),
    queue: [],
    walkedUp: new Set(),
    walkedDown: new Set(),
    pulledIn: new Set(),
  };
  for (const vertex of graph.vertices.values()) seed(spread, vertex);
  if (rules.pendingRestartsConsumers) spreadFromPending(spread, graph);
  for (let next = 0; next < spread.queue.length; next += 1) spreadFrom(spread, spread.queue[next] as QueuedTask);
  return spread.reruns;
}

function seed(spread: Spread, vertex: ExecutionJobVertex): void {
  const vertexFinished = vertex.tasks.every((task) => task.state === 'FINISHED');
  const coordinatorLost = isCoordinatorLost(spread, vertex);
  for (const task of vertex.tasks) {
    const finished = task.state === 'FINISHED';
    const missingPart = finished ? task.parts.find((part) => !spread.survivors.partHas(part)) : undefined;
    const decision = decide(taskCases, {
      finished,
      coordinatorLost,
      vertexFinished,
      partsThere: missingPart === undefined,
      durable: isDurable(spread, vertex, task.subtask),
    });
    if (decision.outcome === 'pending') continue;
    const reasons = lostPartitions(spread, vertex, task);
    if (missingPart !== undefined) reasons.push(stagedPartReason(missingPart));
    if (decision.outcome === 'rerun' && decision.code === 'source-without-batch-snapshot') {
      reasons.push(lostSourceReason(vertex));
    }
    if (decision.outcome === 'rerun' && decision.code === 'finish-not-durable') {
      reasons.push(notDurableReason(vertex, task));
    }
    if (reasons.length > 0) join(spread, { vertex, task }, reasons);
  }
}

/** One that gives no snapshots and does not live: what it had handed out is not known any more. */
function isCoordinatorLost({ survivors }: Spread, vertex: ExecutionJobVertex): boolean {
  return vertex.coordinator?.supportsBatchSnapshot === false && survivors.coordinatorLives?.(vertex.id) !== true;
}

function isDurable({ survivors }: Spread, vertex: ExecutionJobVertex, subtask: number): boolean {
  return !vertex.awaitingSnapshots.has(subtask) || survivors.coordinatorLives?.(vertex.id) === true;
}

function lostPartitions(spread: Spread, vertex: ExecutionJobVertex, task: ExecutionVertex): Reason[] {
  const reasons: Reason[] = [];
  for (const dataSet of spread.readers.outputsOf.get(vertex) ?? []) {
    const state = spread.states.get(dataSet)?.[task.subtask];
    if (state?.decision.keep !== 'RESERVE' || state.decision.lost === null) continue;
    reasons.push(partitionReason(state.decision.lost, state.partition, state.neededBy ?? 'a consumer'));
  }
  return reasons;
}

function join(spread: Spread, queued: QueuedTask, reasons: readonly Reason[]): void {
  spread.reruns.set(queued.task, reasons);
  spread.queue.push(queued);
}

type Relation = Omit<SpreadFacts, 'finished' | 'passesPending'>;

/** Pulls `other` in where the table says so; `reason` is asked for only then. */
function consider(spread: Spread, other: QueuedTask, relation: Relation, reason: () => Reason): void {
  if (spread.reruns.has(other.task) || spread.passed.has(other.task)) return;
  const { passesPending } = spread.rules;
  const decision = decide(spreadCases, { ...relation, finished: other.task.state === 'FINISHED', passesPending });
  if (decision === 'joins') join(spread, other, [reason()]);
  if (decision !== 'passes') return;
  spread.passed.add(other.task);
  spread.queue.push(other);
}

function spreadFromPending(spread: Spread, graph: ExecutionGraph): void {
  for (const vertex of graph.vertices.values()) {
    for (const task of vertex.tasks) {
      if (task.state !== 'FINISHED') walkDown(spread, { vertex, task });
    }
  }
}

function spreadFrom(spread: Spread, restarted: QueuedTask): void {
  walkUp(spread, restarted);
  walkDown(spread, restarted);
  walkAcross(spread, restarted);
}

function walkUp(spread: Spread, { vertex, task }: QueuedTask): void {
  for (const group of spread.readers.groupsOf.get(vertex)?.[task.subtask] ?? []) {
    if (spread.walkedUp.has(group)) continue;
    spread.walkedUp.add(group);
    const { producer } = group.dataSet;
    const states = spread.states.get(group.dataSet) ?? [];
    const reader = `${taskLabel(vertex, task.subtask)}, which runs again`;
    for (const { partition, decision } of states.slice(group.first, group.last + 1)) {
      const upstream = producer.tasks[partition.partitionIndex];
      if (upstream === undefined) continue;
      const inputLost = decision.lost !== null || upstream.state !== 'FINISHED';
      const facts = { relation: 'producer', inputLost, coordinatorLost: false } as const;
      const code = decision.lost ?? 'upstream-input-missing';
      consider(spread, { vertex: producer, task: upstream }, facts, () => partitionReason(code, partition, reader));
    }
  }
}

function walkDown(spread: Spread, { vertex, task }: QueuedTask): void {
  const facts = { relation: 'consumer', inputLost: false, coordinatorLost: false } as const;
  for (const dataSet of spread.readers.outputsOf.get(vertex) ?? []) {
    for (const group of dataSet.byPartition[task.subtask] ?? []) {
      if (spread.walkedDown.has(group)) continue;
      spread.walkedDown.add(group);
      for (const subtask of group.subtasks) {
        const consumer = group.consumer.tasks[subtask];
        if (consumer === undefined) continue;
        const reason = () => downstreamReason(vertex, task.subtask, task.state === 'FINISHED');
        consider(spread, { vertex: group.consumer, task: consumer }, facts, reason);
      }
    }
  }
}

function walkAcross(spread: Spread, { vertex, task }: QueuedTask): void {
  if (spread.pulledIn.has(vertex)) return;
  spread.pulledIn.add(vertex);
  const facts = {
    relation: 'same-vertex',
    inputLost: false,
    coordinatorLost: isCoordinatorLost(spread, vertex),
  } as const;
  for (const sibling of vertex.tasks) {
    consider(spread, { vertex, task: sibling }, facts, () => wholeSourceReason(vertex, task.subtask));
  }
}
