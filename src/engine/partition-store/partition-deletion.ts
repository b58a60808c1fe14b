// Deletes partitions: the sidecar first, so that a partition is absent from the first moment on and never half there.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PartitionName, partitionPath, partitionsFolder, sidecarPath } from './partition-path.ts';

/** Deletes everything in a worker's partitions folder but the files of `keep`: stale attempts, temporary files. */
export async function deleteStale(workerFolder: string, keep: readonly PartitionName[]): Promise<void> {
  const kept = new Set(
    keep.map((name) => partitionPath(workerFolder, name)).flatMap((path) => [path, sidecarPath(path)]),
  );
  const root = partitionsFolder(workerFolder);
  for (const datasetId of await namesIn(root)) {
    const folder = join(root, datasetId);
    const stale = (await namesIn(folder)).map((name) => join(folder, name)).filter((path) => !kept.has(path));
    for (const path of stale.sort(sidecarsFirst)) await rm(path, { force: true, recursive: true });
  }
}

/** Deletes these partitions; what is not there is no error. Errors: those of the file system. */
export async function deletePartitions(workerFolder: string, names: readonly PartitionName[]): Promise<void> {
  for (const name of names) {
    const path = partitionPath(workerFolder, name);
    await rm(sidecarPath(path), { force: true });
    await rm(path, { force: true });
  }
}

function sidecarsFirst(left: string, right: string): number {
  return Number(right.endsWith('.json')) - Number(left.endsWith('.json'));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
