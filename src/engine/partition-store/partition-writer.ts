// Makes a partition whole in one step (invariant 7): both files are written under temporary names and synced, then the
// data is renamed, then the sidecar, then the folder is synced. A crash anywhere before the last rename leaves nothing
// that a reader takes for a partition. Spec: docs/adr/0004-partition-files.md.
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, syncFile, syncFolder } from '../../store/atomic-file.ts';
import { fileChecksum } from './file-checksum.ts';
import { type PartitionName, partitionPath, sidecarPath, temporarySuffix } from './partition-path.ts';
import { encodeSidecar, type PartitionDescription } from './sidecar.ts';

/** What the writer of the data file knows of it. */
export interface WrittenPartition extends PartitionName {
  readonly jobId: string;
  readonly rows: number;
  readonly subpartitionRows: readonly number[];
  readonly columns: PartitionDescription['columns'];
}

/** Where the data file is to be written before `publishPartition`; makes the folder. */
export async function preparePartition(workerFolder: string, name: PartitionName): Promise<string> {
  const path = partitionPath(workerFolder, name);
  await makeFolder(dirname(path));
  return path + temporarySuffix;
}

/** Turns the file at preparePartition's path into a partition that is reported and served. */
export async function publishPartition(workerFolder: string, written: WrittenPartition): Promise<PartitionDescription> {
  const path = partitionPath(workerFolder, written);
  const temporary = path + temporarySuffix;
  const [description] = await Promise.all([describe(temporary, written), syncFile(temporary)]);
  const sidecar = sidecarPath(path);
  await writeSynced(sidecar + temporarySuffix, encodeSidecar(description));
  await rename(temporary, path);
  await rename(sidecar + temporarySuffix, sidecar);
  await syncFolder(dirname(path));
  return description;
}

/** Removes what an attempt that failed before `publishPartition` left. */
export async function discardPartition(workerFolder: string, name: PartitionName): Promise<void> {
  const path = partitionPath(workerFolder, name);
  await rm(path + temporarySuffix, { force: true });
  await rm(sidecarPath(path) + temporarySuffix, { force: true });
}

async function describe(path: string, written: WrittenPartition): Promise<PartitionDescription> {
  const { bytes, crc32 } = await fileChecksum(path);
  const { jobId, datasetId, partitionIndex, attempt, epoch, rows, columns } = written;
  const subpartitionRows = [...written.subpartitionRows];
  return { jobId, datasetId, partitionIndex, attempt, epoch, bytes, crc32, rows, subpartitionRows, columns };
}

async function writeSynced(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flush: true });
}
