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

/** Holders that are no workers: losing a worker takes nothing from them. */
export function shuffleHolders(graph: ExecutionGraph): Set<WorkerId> {
  return new Set([...(graph.shuffleMaster?.placements.values() ?? [])].map(({ holderId }) => holderId));
}
