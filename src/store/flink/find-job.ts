// Looks for the submitted job beside a store: Flink keeps `submittedJobGraph*` (1.20) or `submittedExecutionPlan*` (2.x) in
// its high-availability folder, one or two levels above the job's. Reads only. Spec: docs/flink.md "The submitted job".
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import type { FlinkJob } from '../../model/flink-job.ts';
import { readJobFile } from './job-file.ts';

const submittedName = /^submitted(JobGraph|ExecutionPlan)/;
/** job-events → job → cluster → storage. */
const levelsAbove = 3;
/** A cluster keeps one file a running job; more than this is some other folder. */
const filesMax = 100;

export interface FoundJobs {
  readonly jobs: readonly FlinkJob[];
  /** What was found and could not be read, one line each. */
  readonly problems: readonly string[];
}

/** Submitted jobs in the folders above the store; of the job whose folder it lies in, where that tells. */
export async function findJobsNear(location: string): Promise<FoundJobs> {
  const jobs: FlinkJob[] = [];
  const problems: string[] = [];
  for (const path of await submittedFiles(location)) {
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

async function submittedFiles(location: string): Promise<string[]> {
  const files: string[] = [];
  let folder = location;
  for (let level = 0; level < levelsAbove; level += 1) {
    folder = dirname(folder);
    const names = await readdir(folder).catch(() => []);
    files.push(...names.filter((name) => submittedName.test(name)).map((name) => join(folder, name)));
  }
  return files.slice(0, filesMax);
}
