// Moves a whole partition from the folder of the worker that wrote it to its new holder's, on one file system. Both files
// are linked under their final names, data first, and the folder is synced, before the worker's names go: so at every
// moment the partition is whole in one of the two folders, and a transfer that was cut short can be done again.
// Spec: docs/adr/0008-shuffle-service.md.
import { link, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../store/atomic-file.ts';
import { deletePartitions } from './partition-deletion.ts';
import { type PartitionName, partitionPath, sidecarPath } from './partition-path.ts';
import { isAt, readWhole } from './report-partitions.ts';

/** False where neither folder holds the partition whole. Throws what the file system throws; then it lies where it lay. */
export async function transferPartition(from: string, to: string, name: PartitionName): Promise<boolean> {
  const source = partitionPath(from, name);
  const target = partitionPath(to, name);
  if (!(await isWhole(target, name))) {
    if (!(await isWhole(source, name))) return false;
    await mkdir(dirname(target), { recursive: true });
    await linkAnew(source, target);
    await linkAnew(sidecarPath(source), sidecarPath(target));
    await syncFolder(dirname(target));
  }
  await deletePartitions(from, [name]);
  return true;
}

async function isWhole(path: string, name: PartitionName): Promise<boolean> {
  const description = await readWhole(path);
  return description !== null && isAt(description, name);
}

/** What is there under the name is of a transfer that was cut short, or damaged. */
async function linkAnew(source: string, target: string): Promise<void> {
  await rm(target, { force: true });
  await link(source, target);
}
