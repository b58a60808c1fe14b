// Loses a disk, in part: deletes one result partition of a finished task from its worker's folder, data and sidecar. Of
// all that are still needed the one whose loss costs least, so that the demo shows the same however late its kill came.
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { partitionPath, sidecarPath } from '../../src/engine/partition-store/partition-path.ts';
import { type PartitionRef, partitionKey } from '../../src/model/ids.ts';
import type { ProducedPartition } from '../../src/model/job-events.ts';
import type { ExecutionGraph, ExecutionVertex } from '../../src/replay/execution-graph.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import { jobrecRecoveryRules } from '../../src/replay/recovery-plan.ts';
import { checkout } from './job-run.ts';

export interface LostPartition {
  /** `late -> partial#3`. */
  readonly task: string;
  readonly workerId: string;
  /** What was removed, relative to the checkout. */
  readonly files: string;
}

type Place = Pick<PartitionRef, 'datasetId' | 'partitionIndex'>;

interface Candidate {
  readonly vertexName: string;
  readonly task: ExecutionVertex;
  readonly partition: ProducedPartition;
}

/** null where no result is needed any more. */
export async function losePartition(folder: string, graph: ExecutionGraph): Promise<LostPartition | null> {
  const costs = candidatesOf(graph).map((candidate) => ({ candidate, rerun: rerunWithout(graph, candidate) }));
  const [cheapest] = costs.filter(({ rerun }) => rerun > 0).sort((a, b) => a.rerun - b.rerun);
  if (cheapest === undefined) return null;
  const { vertexName, task, partition } = cheapest.candidate;
  const { subtask, attempt, epoch, workerId } = task;
  if (workerId === null || epoch === null) return null;
  const path = partitionPath(join(folder, 'workers', workerId), { ...partition, attempt, epoch });
  await rm(path);
  await rm(sidecarPath(path));
  return { task: `${vertexName}#${subtask}`, workerId, files: relative(checkout, path).replace(/parquet$/, '*') };
}

function candidatesOf(graph: ExecutionGraph): Candidate[] {
  return [...graph.vertices.values()].flatMap(({ id, name, tasks }) =>
    tasks
      .filter(({ state }) => state === 'FINISHED')
      .flatMap((task) => task.partitions.map((partition) => ({ vertexName: name ?? id, task, partition })))
      .filter(({ partition }) => !graph.released.has(keyOf(partition))),
  );
}

/** Finished tasks that a recovery would run again. */
function rerunWithout(graph: ExecutionGraph, { partition }: Candidate): number {
  const has = (held: Place) => keyOf(held) !== keyOf(partition) && !graph.released.has(keyOf(held));
  return planRecovery(graph, { has, partHas: () => true }, jobrecRecoveryRules).rerun.length;
}

function keyOf({ datasetId, partitionIndex }: Place): string {
  return partitionKey(datasetId, partitionIndex);
}
