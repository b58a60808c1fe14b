// Loses a disk, in part: deletes one result partition of a finished task from its worker's folder, data and sidecar.
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { partitionPath, sidecarPath } from '../../src/engine/partition-store/partition-path.ts';
import { partitionKey } from '../../src/model/ids.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { checkout } from './job-run.ts';

export interface LostPartition {
  /** `late -> partial#3`. */
  readonly task: string;
  readonly workerId: string;
  /** What was removed, relative to the checkout. */
  readonly files: string;
}

/** The vertex with the most finished tasks loses its first result that is still needed; null where none is. */
export async function losePartition(folder: string, graph: ExecutionGraph): Promise<LostPartition | null> {
  const vertices = [...graph.vertices.values()].sort((left, right) => right.tasks.length - left.tasks.length);
  for (const vertex of vertices) {
    for (const { subtask, state, attempt, epoch, workerId, partitions } of vertex.tasks) {
      const partition = partitions.find(
        (each) => !graph.released.has(partitionKey(each.datasetId, each.partitionIndex)),
      );
      if (state !== 'FINISHED' || partition === undefined || workerId === null || epoch === null) continue;
      const path = partitionPath(join(folder, 'workers', workerId), { ...partition, attempt, epoch });
      await rm(path);
      await rm(sidecarPath(path));
      return {
        task: `${vertex.name ?? vertex.id}#${subtask}`,
        workerId,
        files: relative(checkout, path).replace(/parquet$/, '*'),
      };
    }
  }
  return null;
}
