// Who holds a finished task's partition: the worker that ran the task, or, in a job with a shuffle service, whoever the
// ShuffleMaster's recorded state names for exactly this attempt. Deployments, plans and reports all ask here.
// Spec: docs/adr/0008-shuffle-service.md.
import { partitionKey, type WorkerId } from '../model/ids.ts';
import type { ExecutionGraph, ExecutionVertex } from './execution-graph.ts';

export function usesShuffleService(graph: ExecutionGraph): boolean {
  return graph.graph?.shuffle === 'service';
}

/** null: nobody is known to hold it; with a shuffle service that is a finish whose snapshot was not recorded. */
export function holderOf(graph: ExecutionGraph, datasetId: string, task: ExecutionVertex): WorkerId | null {
  if (!usesShuffleService(graph)) return task.workerId;
  const placed = graph.shuffleMaster?.placements.get(partitionKey(datasetId, task.subtask));
  return placed?.attempt === task.attempt && placed.epoch === task.epoch ? placed.holderId : null;
}

/** A partition by its exact attempt, with who is said to have it. */
export interface PartitionCopy {
  readonly datasetId: string;
  readonly partitionIndex: number;
  readonly attempt: number;
  readonly epoch: number;
}

/** Whether a recorded finish vouches for exactly this attempt's partition, and it was not given up. */
export function isProduced(graph: ExecutionGraph, copy: PartitionCopy): boolean {
  if (graph.released.has(partitionKey(copy.datasetId, copy.partitionIndex))) return false;
  const task = producerOf(graph, copy);
  return task?.state === 'FINISHED' && task.attempt === copy.attempt && task.epoch === copy.epoch;
}

/** Whether it is produced, and recorded to be there and nowhere else. */
export function isProducedBy(graph: ExecutionGraph, copy: PartitionCopy, holderId: WorkerId): boolean {
  const task = producerOf(graph, copy);
  return task !== null && isProduced(graph, copy) && holderOf(graph, copy.datasetId, task) === holderId;
}

function producerOf(graph: ExecutionGraph, { datasetId, partitionIndex }: PartitionCopy): ExecutionVertex | null {
  const producerId = graph.edges.find((edge) => edge.datasetId === datasetId)?.producerVertexId;
  const vertex = producerId === undefined ? undefined : graph.vertices.get(producerId);
  return vertex?.tasks[partitionIndex] ?? null;
}

/** Holders that are no workers: losing a worker takes nothing from them. */
export function shuffleHolders(graph: ExecutionGraph): Set<WorkerId> {
  return new Set([...(graph.shuffleMaster?.placements.values() ?? [])].map(({ holderId }) => holderId));
}
