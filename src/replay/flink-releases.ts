// Which partitions the JobMasters gave up while they lived (recovery rules 8 and 9). A partition goes when every group of
// tasks that reads it has finished under the same JobMaster, and all its consumers are initialized. A JobMaster that took
// over counts only what finished under itself, and lets go only of what it tracks: what it ran itself, or reserved.
// Doc: docs/flink.md "Partitions that are gone although their worker lives".
import { partitionKey } from '../model/ids.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { FinishOrder, taskKey } from './flink-finishes.ts';
import type { FinishedStep, FlinkStep } from './flink-history.ts';
import { NumberedSet } from './numbered-set.ts';
import { type DataSetReaders, findReaders, type ReaderGroup, type Readers } from './reader-groups.ts';
import { recordedTopology, type Topology } from './topology.ts';

/** Keys of the partitions that were given up and not produced again since. `graph` has its topology, and no task dropped. */
export function releasedPartitions(graph: ExecutionGraph, history: readonly FlinkStep[]): ReadonlySet<string> {
  const simulation = new ReleaseSimulation(graph, recordedTopology(graph), hasTakeOver(history));
  for (const [index, step] of history.entries()) simulation.step(step, history, index);
  return simulation.released;
}

function hasTakeOver(history: readonly FlinkStep[]): boolean {
  let first: string | null = null;
  return history.some((step) => {
    if (step.kind !== 'finished') return false;
    first ??= step.executionGraphId;
    return step.executionGraphId !== first;
  });
}

class ReleaseSimulation {
  readonly released = new Set<string>();
  readonly #graph: ExecutionGraph;
  readonly #topology: Topology;
  readonly #readers: Readers;
  /** Asked at a take-over only; null where there is none. */
  readonly #order: FinishOrder | null;
  readonly #initialized = new Set<string>();
  /** Of the JobMaster whose events are read now. */
  #executionGraphId: string | null = null;
  #done = new NumberedSet();
  #doneInGroup = new Map<ReaderGroup, number>();
  #releasable = new Map<string, Set<ReaderGroup>>();
  #tracked = new NumberedSet();

  constructor(graph: ExecutionGraph, topology: Topology, hasTakeOver: boolean) {
    this.#order = hasTakeOver ? new FinishOrder() : null;
    this.#graph = graph;
    this.#topology = topology;
    this.#readers = findReaders(graph, topology);
  }

  step(step: FlinkStep, history: readonly FlinkStep[], index: number): void {
    if (step.kind === 'initialized') this.#initialized.add(step.event.vertexId);
    if (step.kind === 'reset') for (const tasks of step.tasks) this.#reset(tasks.vertexId, tasks.subtasks);
    if (step.kind !== 'finished') return;
    if (this.#executionGraphId !== step.executionGraphId) this.#takeOver(step.executionGraphId, history, index);
    this.#order?.finish(step);
    this.#finish(step);
  }

  #finish({ vertexId, subtask }: FinishedStep): void {
    const vertex = this.#graph.vertices.get(vertexId);
    if (vertex === undefined) return;
    for (const datasetId of vertex.outputs ?? []) {
      if (this.released.size > 0) this.released.delete(partitionKey(datasetId, subtask));
      if (this.#releasable.size > 0) this.#releasable.delete(partitionKey(datasetId, subtask));
      this.#tracked.add(datasetId, subtask);
    }
    const isNew = this.#done.add(vertexId, subtask);
    for (const group of this.#readers.groupsOf.get(vertex)?.[subtask] ?? []) {
      const done = (this.#doneInGroup.get(group) ?? 0) + (isNew ? 1 : 0);
      this.#doneInGroup.set(group, done);
      if (done === group.subtasks.length) this.#groupFinished(group);
    }
  }

  #groupFinished(group: ReaderGroup): void {
    const { dataSet } = group;
    const consumers = this.#topology.consumersOf(dataSet.datasetId);
    const allInitialized = consumers.every((consumer) => this.#initialized.has(consumer));
    for (let index = group.first; index <= group.last; index += 1) {
      const key = partitionKey(dataSet.datasetId, index);
      const releasable = this.#releasable.get(key) ?? new Set();
      this.#releasable.set(key, releasable.add(group));
      if (allInitialized && releasable.size === groupsAt(dataSet, index)) this.#release(dataSet.datasetId, index);
    }
  }

  /** A partition that is not tracked stays where it is: the JobMaster does not know of it. */
  #release(datasetId: string, index: number): void {
    if (this.#tracked.delete(datasetId, index)) this.released.add(partitionKey(datasetId, index));
  }

  #reset(vertexId: string, subtasks: readonly number[]): void {
    this.#order?.reset(vertexId, subtasks);
    const vertex = this.#graph.vertices.get(vertexId);
    if (vertex === undefined) return;
    for (const subtask of subtasks) {
      if (this.#done.delete(vertexId, subtask)) {
        for (const group of this.#readers.groupsOf.get(vertex)?.[subtask] ?? []) {
          this.#doneInGroup.set(group, (this.#doneInGroup.get(group) ?? 1) - 1);
        }
      }
      for (const datasetId of vertex.outputs ?? []) {
        this.#releasable.delete(partitionKey(datasetId, subtask));
        this.#tracked.delete(datasetId, subtask);
      }
    }
  }

  #takeOver(executionGraphId: string, history: readonly FlinkStep[], index: number): void {
    const isFirst = this.#executionGraphId === null;
    this.#executionGraphId = executionGraphId;
    if (isFirst) return;
    const kept = new Set(this.#order?.split().kept.map(({ vertexId, subtask }) => taskKey(vertexId, subtask)));
    this.#done = new NumberedSet();
    this.#doneInGroup = new Map();
    this.#releasable = new Map();
    this.#tracked = this.#reserved(kept);
    for (const task of this.#downwards(resetUnrecorded(history, index, kept), kept)) {
      const [vertexId = '', subtask = ''] = task.split('#');
      const vertex = this.#graph.vertices.get(vertexId);
      for (const datasetId of vertex?.outputs ?? []) this.#release(datasetId, Number(subtask));
    }
  }

  /** Partitions of kept tasks that some consumer still needed. */
  #reserved(kept: ReadonlySet<string>): NumberedSet {
    const reserved = new NumberedSet();
    for (const dataSet of this.#readers.dataSets) {
      const consumers = this.#topology.consumersOf(dataSet.datasetId);
      const allInitialized = consumers.every((consumer) => this.#initialized.has(consumer));
      for (const { subtask } of dataSet.producer.tasks) {
        const key = partitionKey(dataSet.datasetId, subtask);
        if (!kept.has(taskKey(dataSet.producer.id, subtask)) || this.released.has(key)) continue;
        if (!allInitialized || isAwaited(dataSet, subtask, kept)) reserved.add(dataSet.datasetId, subtask);
      }
    }
    return reserved;
  }

  /** With all kept tasks below them: a reset takes its consumers along. */
  #downwards(tasks: Iterable<string>, kept: ReadonlySet<string>): Set<string> {
    const reached = new Set(tasks);
    for (const task of reached) {
      const [vertexId = '', subtask = ''] = task.split('#');
      const vertex = this.#graph.vertices.get(vertexId);
      const outputs = vertex === undefined ? [] : (this.#readers.outputsOf.get(vertex) ?? []);
      for (const group of outputs.flatMap((dataSet) => dataSet.byPartition[Number(subtask)] ?? [])) {
        for (const reader of group.subtasks) {
          const key = taskKey(group.consumer.id, reader);
          if (kept.has(key)) reached.add(key);
        }
      }
    }
    return reached;
  }
}

function groupsAt(dataSet: DataSetReaders, index: number): number {
  return new Set(dataSet.byPartition[index]).size;
}

function isAwaited({ byPartition }: DataSetReaders, index: number, kept: ReadonlySet<string>): boolean {
  return (byPartition[index] ?? []).some((group) =>
    group.subtasks.some((subtask) => !kept.has(taskKey(group.consumer.id, subtask))),
  );
}

/**
 * Tasks that were kept at the take-over and finish again without a recorded reset: recovery itself had reset them, which
 * Flink does not record.
 */
function resetUnrecorded(history: readonly FlinkStep[], from: number, kept: ReadonlySet<string>): Set<string> {
  const executionGraphId = (history[from] as FinishedStep).executionGraphId;
  const recorded = new Set<string>();
  const unrecorded = new Set<string>();
  for (const step of history.slice(from)) {
    if (step.kind === 'reset') {
      for (const { vertexId, subtasks } of step.tasks)
        for (const each of subtasks) recorded.add(taskKey(vertexId, each));
    }
    if (step.kind !== 'finished') continue;
    if (step.executionGraphId !== executionGraphId) break;
    const key = taskKey(step.vertexId, step.subtask);
    if (kept.has(key) && !recorded.has(key)) unrecorded.add(key);
    recorded.add(key);
  }
  return unrecorded;
}
