// Which partitions nobody needs any more: exactly those that a recovery would call OPTIONAL (recovery-cases.ts,
// "partition-cases"), looked up from the task that was the last to read them, so that a finish costs no walk over the
// whole graph. Who gives one up records that first and deletes after. Doc: docs/recovery.md "Partitions".
import { type IntermediateDataSetId, type JobVertexId, partitionKey } from '../model/ids.ts';
import type { InputRange } from '../model/job-events.ts';
import type { ExecutionGraph, ExecutionJobVertex } from './execution-graph.ts';
import { partitionsRead } from './reader-groups.ts';
import type { Topology } from './topology.ts';

export interface ReleasablePartition {
  readonly datasetId: IntermediateDataSetId;
  readonly partitionIndex: number;
}

interface Reader {
  readonly vertex: ExecutionJobVertex;
  readonly ranges: readonly InputRange[];
}

/** What can be given up now that this task has finished, of all that it read; not what was given up before. */
export function releasableAfter(
  graph: ExecutionGraph,
  topology: Topology,
  vertexId: JobVertexId,
  subtask: number,
): ReleasablePartition[] {
  const vertex = graph.vertices.get(vertexId);
  const edges = graph.edges.filter((edge) => edge.consumerVertexId === vertexId);
  return edges.flatMap(({ datasetId, producerVertexId }) => {
    const producer = graph.vertices.get(producerVertexId);
    const readers = readersOf(graph, datasetId, topology.consumersOf(datasetId));
    if (vertex === undefined || producer === undefined || readers === null) return [];
    const [first, last] = rangeOf({ vertex, ranges: rangesOf(vertex, datasetId) }, subtask, producer);
    return indices(first, last)
      .filter((index) => producer.tasks[index]?.state === 'FINISHED')
      .filter((index) => !graph.released.has(partitionKey(datasetId, index)))
      .filter((index) => readers.every((reader) => hasRead(reader, index, producer)))
      .map((partitionIndex) => ({ datasetId, partitionIndex }));
  });
}

/** null while one of them has no tasks yet. */
function readersOf(graph: ExecutionGraph, datasetId: string, consumerIds: readonly string[]): Reader[] | null {
  const readers: Reader[] = [];
  for (const id of consumerIds) {
    const vertex = graph.vertices.get(id);
    if (vertex === undefined || vertex.parallelism === null) return null;
    readers.push({ vertex, ranges: rangesOf(vertex, datasetId) });
  }
  return readers;
}

function rangesOf(vertex: ExecutionJobVertex, datasetId: string): readonly InputRange[] {
  return vertex.inputs.find((input) => input.datasetId === datasetId)?.ranges ?? [];
}

function rangeOf({ ranges }: Reader, subtask: number, producer: ExecutionJobVertex): readonly [number, number] {
  return partitionsRead(ranges[subtask], producer.tasks.length);
}

/** Whether all tasks of the reader that read the partition have finished. */
function hasRead(reader: Reader, partitionIndex: number, producer: ExecutionJobVertex): boolean {
  return reader.vertex.tasks.every((task) => {
    if (task.state === 'FINISHED') return true;
    const [first, last] = rangeOf(reader, task.subtask, producer);
    return partitionIndex < first || partitionIndex > last;
  });
}

function indices(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
