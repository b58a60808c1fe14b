// Who reads which partition. Consumer tasks with the same range of partitions form one group, so that an all-to-all edge
// of n by m tasks is one group and not n times m pairs, while a pointwise edge keeps its full precision.
import type { IntermediateDataSetId } from '../model/ids.ts';
import type { InputRange } from '../model/job-events.ts';
import type { ExecutionGraph, ExecutionJobVertex } from './execution-graph.ts';
import type { Topology } from './topology.ts';

/** Tasks of one consumer that read the same partitions (`first` to `last`, inclusive) of one data set. */
export interface ReaderGroup {
  readonly dataSet: DataSetReaders;
  readonly consumer: ExecutionJobVertex;
  readonly first: number;
  readonly last: number;
  readonly subtasks: number[];
}

export interface DataSetReaders {
  readonly datasetId: IntermediateDataSetId;
  readonly producer: ExecutionJobVertex;
  /** The first consumer without tasks yet; null where all are initialized. */
  readonly uninitialized: string | null;
  /** By partition index. */
  readonly byPartition: readonly ReaderGroup[][];
}

export interface Readers {
  /** Data sets of the initialized vertices, producers in the graph's order. */
  readonly dataSets: readonly DataSetReaders[];
  readonly outputsOf: ReadonlyMap<ExecutionJobVertex, readonly DataSetReaders[]>;
  /** By consumer and subtask. */
  readonly groupsOf: ReadonlyMap<ExecutionJobVertex, readonly ReaderGroup[][]>;
}

/** Looks up all readers once; linear in the number of tasks, partitions and (partition, group) pairs. */
export function findReaders(graph: ExecutionGraph, topology: Topology): Readers {
  const groupsOf = new Map<ExecutionJobVertex, ReaderGroup[][]>();
  const outputsOf = new Map<ExecutionJobVertex, DataSetReaders[]>();
  for (const vertex of graph.vertices.values())
    groupsOf.set(
      vertex,
      vertex.tasks.map(() => []),
    );
  for (const producer of graph.vertices.values()) {
    if (producer.parallelism === null) continue;
    outputsOf.set(
      producer,
      topology.outputsOf(producer.id).map((id) => readersOf(graph, producer, id, topology.consumersOf(id))),
    );
  }
  const dataSets = [...outputsOf.values()].flat();
  for (const dataSet of dataSets) indexBySubtask(dataSet, groupsOf);
  return { dataSets, outputsOf, groupsOf };
}

function readersOf(
  graph: ExecutionGraph,
  producer: ExecutionJobVertex,
  datasetId: IntermediateDataSetId,
  consumerIds: readonly string[],
): DataSetReaders {
  const consumers = consumerIds.map((id) => graph.vertices.get(id));
  const missing = consumers.findIndex((consumer) => (consumer?.parallelism ?? null) === null);
  const uninitialized = missing < 0 ? null : (consumers[missing]?.name ?? consumerIds[missing] ?? null);
  const byPartition: ReaderGroup[][] = producer.tasks.map(() => []);
  const dataSet: DataSetReaders = { datasetId, producer, uninitialized, byPartition };
  for (const consumer of consumers) {
    for (const group of consumer === undefined ? [] : groupTasks(dataSet, consumer)) {
      for (let index = group.first; index <= group.last; index += 1) byPartition[index]?.push(group);
    }
  }
  return dataSet;
}

function groupTasks(dataSet: DataSetReaders, consumer: ExecutionJobVertex): Iterable<ReaderGroup> {
  const inputs = consumer.inputs.filter((input) => input.datasetId === dataSet.datasetId);
  const rangeLists = inputs.length === 0 ? [[]] : inputs.map((input) => input.ranges);
  const groups = new Map<string, ReaderGroup>();
  for (const ranges of rangeLists) {
    for (const { subtask } of consumer.tasks) {
      const [first, last] = partitionsRead(ranges[subtask], dataSet.producer.tasks.length);
      const key = `${first}-${last}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { dataSet, consumer, first, last, subtasks: [subtask] });
      else group.subtasks.push(subtask);
    }
  }
  return groups.values();
}

/**
 * A task without a recorded range reads everything. One with an empty range reads no rows, but it takes their types
 * from the first partition, so it cannot run without that one. Ranges are cut to the partitions that there are.
 */
export function partitionsRead(range: InputRange | undefined, partitions: number): readonly [number, number] {
  const [first, last] = range?.partitions ?? [0, partitions - 1];
  return last < first ? [0, Math.min(0, partitions - 1)] : [Math.max(first, 0), Math.min(last, partitions - 1)];
}

function indexBySubtask(dataSet: DataSetReaders, groupsOf: ReadonlyMap<ExecutionJobVertex, ReaderGroup[][]>): void {
  for (const group of new Set(dataSet.byPartition.flat())) {
    const bySubtask = groupsOf.get(group.consumer);
    for (const subtask of group.subtasks) bySubtask?.[subtask]?.push(group);
  }
}
