// Looks for the submitted job beside a store: Flink keeps `submittedJobGraph*` (1.20) or `submittedExecutionPlan*` (2.x) in
// its high-availability folder, one or two levels above the job's; who collects evidence puts it into a folder beside the
// store, and points at what holds both. Reads only. Spec: docs/flink.md "The submitted job".
import type { Dirent } from 'node:fs';
import { readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import type { FlinkJob } from '../../model/flink-job.ts';
import { readJobFile } from './job-file.ts';

const submittedName = /^submitted(JobGraph|ExecutionPlan)/;
/** job-events → job → cluster → storage. */
const levelsAbove = 3;
/** Levels at which folders beside the way to the store are looked into, too, and how many of them. */
const levelsBeside = 2;
const foldersMax = 200;
/** A cluster keeps one file a running job; more than this is some other folder. */
const filesMax = 100;

export interface FoundJobs {
  readonly jobs: readonly FlinkJob[];
  /** What was found and could not be read, one line each. */
  readonly problems: readonly string[];
}

/**
 * Submitted jobs in the folders above the store, and in folders beside it as far as `root`, which the user named, holds
 * them; of the job whose folder the store lies in, where that tells.
 */
export async function findJobsNear(location: string, root: string): Promise<FoundJobs> {
  const jobs: FlinkJob[] = [];
  const problems: string[] = [];
  for (const path of await submittedFiles(location, await realpath(root))) {
    try {
      jobs.push(await readJobFile(path));
    } catch (error) {
      if (!(error instanceof JobrecError)) throw error;
      problems.push(error.message);
    }
  }
  const jobId = basename(dirname(location));
  const named = jobs.filter((job) => job.jobId === jobId);
  return { jobs: /^[0-9a-f]{32}$/.test(jobId) ? named : jobs, problems };
}

async function submittedFiles(location: string, root: string): Promise<string[]> {
  const files: string[] = [];
  let below = location;
  for (let level = 0; level < levelsAbove; level += 1) {
    const folder = dirname(below);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    files.push(...submittedIn(folder, entries));
    const isNamed = folder === root || folder.startsWith(`${root}/`);
    const besides = isNamed && level < levelsBeside ? entries.filter((entry) => entry.isDirectory()) : [];
    for (const { name } of besides.slice(0, foldersMax)) {
      const beside = join(folder, name);
      if (beside === below) continue;
      files.push(...submittedIn(beside, await readdir(beside, { withFileTypes: true }).catch(() => [])));
    }
    below = folder;
  }
  return files.slice(0, filesMax);
}

function submittedIn(folder: string, entries: readonly Dirent[]): string[] {
  const found = entries.filter((entry) => !entry.isDirectory() && submittedName.test(entry.name));
  return found.map(({ name }) => join(folder, name)).sort();
}
