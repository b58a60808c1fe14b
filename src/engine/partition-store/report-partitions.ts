// Which partitions lie whole in a worker's folder. Used by the worker when it registers, by the JobMaster for folders
// that nobody claims, and by the offline `diff`: so it keeps no state and changes nothing. Whole means: the sidecar is
// as it was written, describes this very name, and the data file has its length and checksum (invariant 7).
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PartitionLocation, WholePartition } from '../protocol/messages.ts';
import { fileChecksum } from './file-checksum.ts';
import { dataFileOf, type PartitionName, partitionPath, partitionsFolder, sidecarPath } from './partition-path.ts';
import { decodeSidecar, type PartitionDescription, sidecarBytesMax } from './sidecar.ts';

/** The whole partitions in `workerFolder`, ordered by path; none where the folder does not exist. */
export async function reportPartitions(workerFolder: string): Promise<WholePartition[]> {
  const whole: WholePartition[] = [];
  const root = partitionsFolder(workerFolder);
  for (const datasetId of await namesIn(root)) {
    for (const name of await namesIn(join(root, datasetId))) {
      const dataFile = dataFileOf(name);
      const description = dataFile === null ? null : await readWhole(join(root, datasetId, dataFile));
      if (description === null) continue;
      if (partitionPath(workerFolder, description) !== join(root, datasetId, dataFile ?? '')) continue;
      whole.push(wholePartition(description));
    }
  }
  return whole;
}

/** The description of the partition at `path` if it is whole, else null. */
export async function readWhole(path: string): Promise<PartitionDescription | null> {
  const description = await readDescription(path);
  if (description === null) return null;
  const bytes = await sizeOf(path);
  if (bytes !== description.bytes) return null;
  const checksum = await fileChecksum(path).catch(() => null);
  return checksum?.crc32 === description.crc32 && checksum.bytes === description.bytes ? description : null;
}

/** What the sidecar of the data file at `path` says; null where there is none that is sound. */
export async function readDescription(path: string): Promise<PartitionDescription | null> {
  const sidecar = sidecarPath(path);
  const bytes = await sizeOf(sidecar);
  if (bytes === null || bytes > sidecarBytesMax) return null;
  const text = await readFile(sidecar, 'utf8').catch(() => null);
  return text === null ? null : decodeSidecar(text);
}

/** Whether `description` is the partition that `location` asks for. */
export function isAt(description: PartitionDescription, location: PartitionName | PartitionLocation): boolean {
  return (
    description.datasetId === location.datasetId &&
    description.partitionIndex === location.partitionIndex &&
    description.attempt === location.attempt &&
    description.epoch === location.epoch
  );
}

function wholePartition({ datasetId, partitionIndex, attempt, epoch, bytes }: PartitionDescription): WholePartition {
  return { datasetId, partitionIndex, attempt, epoch, bytes };
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found?.isFile() ? found.size : null;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch(() => [])).sort();
}
