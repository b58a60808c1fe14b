// A disk that loses something: deletes the data of one result partition in a worker's or the shuffle service's folder.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the partitions' data files that lie in the folders of the job's workers and its shuffle service. */
export async function partitionFiles(
  jobFolder: string,
  holders: readonly ('workers' | 'shuffle')[] = ['workers', 'shuffle'],
): Promise<string[]> {
  const found: string[] = [];
  const folders: string[] = [];
  for (const kind of holders) {
    const names = await readdir(join(jobFolder, kind)).catch(() => []);
    folders.push(...names.map((name) => join(jobFolder, kind, name)));
  }
  for (const folder of folders) {
    const partitions = join(folder, 'partitions');
    for (const dataset of await readdir(partitions).catch(() => [])) {
      const names = (await readdir(join(partitions, dataset))).filter((name) => name.endsWith('.parquet'));
      found.push(...names.map((name) => join(partitions, dataset, name)));
    }
  }
  return found.sort();
}

/** Deletes one of them, chosen by `pick`; false where there is none. */
export async function losePartition(jobFolder: string, pick: (count: number) => number): Promise<boolean> {
  const files = await partitionFiles(jobFolder);
  const victim = files[pick(files.length)];
  if (victim === undefined) return false;
  await rm(victim);
  return true;
}
