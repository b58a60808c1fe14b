// A disk that loses something: deletes the data of one result partition in a worker's folder.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the partitions' data files that lie in the job's worker folders. */
export async function partitionFiles(jobFolder: string): Promise<string[]> {
  const found: string[] = [];
  const workers = join(jobFolder, 'workers');
  for (const worker of await readdir(workers).catch(() => [])) {
    const partitions = join(workers, worker, 'partitions');
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
