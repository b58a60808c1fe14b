// Damages what a job keeps on the workers' disks and in its sinks' staging folders, as a failing disk or a careless
// hand would: results vanish, are cut, rot. Never the store: that is test/store's business.
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partitionFiles } from '../e2e/lose-partition.ts';
import type { Random } from '../replay/random.ts';
import { type ChaosJob, sinkFolder } from './chaos-job.ts';
import type { Damage } from './chaos-plan.ts';

/** Does it, to a file of the random choice; gives what was hit, null where there was nothing to hit. */
export async function inflict(
  damage: Damage,
  job: ChaosJob,
  jobFolder: string,
  random: Random,
): Promise<string | null> {
  const victim = await victimOf(damage, job, jobFolder, random);
  if (victim === null) return null;
  switch (damage) {
    case 'delete-partition':
    case 'delete-sidecar':
    case 'delete-worker':
    case 'delete-part':
      await rm(victim, { recursive: true, force: true });
      return `deleted ${victim}`;
    case 'cut-partition': {
      const { size } = await stat(victim);
      const length = random.below(size);
      await truncate(victim, length);
      return `cut ${victim} to ${length} of ${size} bytes`;
    }
    case 'flip-partition':
      return flip(victim, random);
  }
}

async function victimOf(damage: Damage, job: ChaosJob, jobFolder: string, random: Random): Promise<string | null> {
  const candidates = await candidatesOf(damage, job, jobFolder);
  return candidates.length === 0 ? null : random.pick(candidates);
}

async function candidatesOf(damage: Damage, job: ChaosJob, jobFolder: string): Promise<string[]> {
  if (damage === 'delete-worker') {
    const holders: string[] = [];
    for (const kind of ['workers', 'shuffle']) {
      const names = await readdir(join(jobFolder, kind)).catch(() => []);
      holders.push(...names.sort().map((name) => join(jobFolder, kind, name, 'partitions')));
    }
    return holders;
  }
  if (damage === 'delete-part') return stagedParts(job);
  const files = await partitionFiles(jobFolder);
  return damage === 'delete-sidecar' ? files.map((file) => file.replace(/\.parquet$/, '.json')) : files;
}

async function stagedParts(job: ChaosJob): Promise<string[]> {
  const found: string[] = [];
  for (const sink of job.shape.sinks) {
    const folder = sinkFolder(job, sink);
    for (const staging of (await readdir(folder).catch(() => [])).filter((name) => name.startsWith('.jobrec-'))) {
      const names = await readdir(join(folder, staging));
      found.push(...names.filter((name) => name.startsWith('part-')).map((name) => join(folder, staging, name)));
    }
  }
  return found.sort();
}

async function flip(file: string, random: Random): Promise<string> {
  const content = await readFile(file);
  const at = random.below(content.length);
  content[at] = (content[at] ?? 0) ^ (1 << random.below(8));
  await writeFile(file, content);
  return `flipped a bit of byte ${at} of ${file}`;
}
