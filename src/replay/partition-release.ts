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

/** First and last partition that a task which has not finished reads, inclusive. */
type UnreadRange = readonly [first: number, last: number];

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
    if (vertex === undefined || producer === undefined) return [];
    const unread = unreadRanges(graph, datasetId, topology.consumersOf(datasetId), producer);
    if (unread === null) return [];
    const [first, last] = partitionsRead(rangesOf(vertex, datasetId)[subtask], producer.tasks.length);
    return indices(first, last)
      .filter((index) => producer.tasks[index]?.state === 'FINISHED')
      .filter((index) => !graph.released.has(partitionKey(datasetId, index)))
      .filter((index) => unread.every(([from, to]) => index < from || index > to))
      .map((partitionIndex) => ({ datasetId, partitionIndex }));
  });
}

/** Of the consumers' unfinished tasks, looked up once for all partitions; null while a consumer has no tasks yet. */
function unreadRanges(
  graph: ExecutionGraph,
  datasetId: string,
  consumerIds: readonly string[],
  producer: ExecutionJobVertex,
): UnreadRange[] | null {
  const unread: UnreadRange[] = [];
  for (const id of consumerIds) {
    const vertex = graph.vertices.get(id);
    if (vertex === undefined || vertex.parallelism === null) return null;
    const ranges = rangesOf(vertex, datasetId);
    for (const { state, subtask } of vertex.tasks) {
      if (state !== 'FINISHED') unread.push(partitionsRead(ranges[subtask], producer.tasks.length));
    }
  }
  return unread;
}

function rangesOf(vertex: ExecutionJobVertex, datasetId: string): readonly InputRange[] {
  return vertex.inputs.find((input) => input.datasetId === datasetId)?.ranges ?? [];
}

function indices(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}
