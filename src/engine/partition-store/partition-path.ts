// Names of a result partition's files: `partitions/<datasetId>/<index>-a<attempt>-e<epoch>.parquet` in the worker's
// folder, its sidecar beside it with `.json`, and both with `.tmp` until they are whole. Spec: docs/adr/0004-partition-files.md.
import { join } from 'node:path';
import type { PartitionName } from '../protocol/messages.ts';

export type { PartitionName };

/** The name alone of what says more. */
export function partitionNameOf({ datasetId, partitionIndex, attempt, epoch }: PartitionName): PartitionName {
  return { datasetId, partitionIndex, attempt, epoch };
}

export const temporarySuffix = '.tmp';
const dataSuffix = '.parquet';
const sidecarSuffix = '.json';

export function partitionsFolder(workerFolder: string): string {
  return join(workerFolder, 'partitions');
}

/** Path of the data file. */
export function partitionPath(workerFolder: string, name: PartitionName): string {
  const file = `${name.partitionIndex}-a${name.attempt}-e${name.epoch}${dataSuffix}`;
  return join(partitionsFolder(workerFolder), name.datasetId, file);
}

/** Path of the sidecar of a data file. */
export function sidecarPath(dataPath: string): string {
  return `${dataPath.slice(0, -dataSuffix.length)}${sidecarSuffix}`;
}

/** The data file that a sidecar describes; null where the name is not a sidecar's. */
export function dataFileOf(sidecarName: string): string | null {
  return /^\d+-a\d+-e\d+\.json$/.test(sidecarName)
    ? `${sidecarName.slice(0, -sidecarSuffix.length)}${dataSuffix}`
    : null;
}
