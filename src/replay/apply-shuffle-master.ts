// What `shuffle-master-snapshot` does to the graph: where the partitions are that a shuffle service holds. An increment
// adds, a full snapshot replaces; a reset of the producer, and giving a partition up, take out what they name. Spec: docs/adr/0008-shuffle-service.md.
import { partitionKey } from '../model/ids.ts';
import type { ShuffleMasterSnapshot } from '../model/job-events.ts';
import { decodePlacements, type PartitionPlacement } from '../model/shuffle-placements.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import type { ApplyFinding } from './semantic-checks.ts';

/** PAYLOAD_INVALID for a state of our own that is none: the snapshot is counted, and places nothing. */
export function applyShuffleMasterSnapshot(graph: ExecutionGraph, event: ShuffleMasterSnapshot): ApplyFinding | null {
  const before = event.incremental ? graph.shuffleMaster : null;
  const bytes = (before?.bytes ?? 0) + event.state.byteLength;
  const placements = before?.placements ?? new Map<string, PartitionPlacement>();
  graph.shuffleMaster = { bytes, incremental: event.incremental, placements };
  const decoded = decodePlacements(event.state);
  if (decoded === 'opaque') return null;
  if (decoded === 'invalid') {
    const message = 'the state in a ShuffleMaster snapshot is not one: no partition is placed by it';
    return { code: 'PAYLOAD_INVALID', severity: 'error', message };
  }
  for (const placement of decoded) {
    placements.set(partitionKey(placement.datasetId, placement.partitionIndex), placement);
  }
  return null;
}

/** Partitions of a task that runs again, or that were given up, are nowhere. */
export function forgetPlacements(
  graph: ExecutionGraph,
  partitions: readonly { readonly datasetId: string; readonly partitionIndex: number }[],
): void {
  const placements = graph.shuffleMaster?.placements;
  if (placements === undefined || placements.size === 0) return;
  for (const { datasetId, partitionIndex } of partitions) {
    placements.delete(partitionKey(datasetId, partitionIndex));
  }
}
