// What is left of a job around a store, looked up the way a recovering JobMaster looks it up, so that a prediction and a
// recovery see the same. Reads only.
import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { survivorsInFolders } from '../engine/job-master/survivors-in-folders.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { Survivors } from '../replay/recovery-plan.ts';
import { type JobFolder, jobEventsName, jobFolderAt } from '../store/job-folder.ts';

/** null where the store lies away from its job's folder: then nothing is known of the workers. */
export async function survivorsFromFolders(location: string, graph: ExecutionGraph): Promise<Survivors | null> {
  const folder = await jobFolderOf(location);
  if (folder === null) return null;
  const { graph: jobGraph, jobId } = graph;
  return survivorsInFolders(folder, jobGraph === null || jobId === null ? null : { graph: jobGraph, jobId });
}

/** The job's folder around a store; null for a store that was copied elsewhere. */
async function jobFolderOf(location: string): Promise<JobFolder | null> {
  if (basename(location) !== jobEventsName) return null;
  const folder = jobFolderAt(dirname(location));
  const isJobFolder = (await exists(folder.workers)) || (await exists(folder.planFile));
  return isJobFolder ? folder : null;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
