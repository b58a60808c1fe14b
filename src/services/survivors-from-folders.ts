// What is left of a job on this machine: the partitions that lie whole in the folders of its workers and its shuffle
// service, and the sink parts that are staged, looked up the way a recovering JobMaster looks them up, so that a prediction and a recovery see the same.
// Reads only.
import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { knownWorkers } from '../engine/job-master/reconciling.ts';
import { reportPartitions } from '../engine/partition-store/report-partitions.ts';
import { knownShuffleServices } from '../engine/shuffle-service/service-folder.ts';
import { stagedFiles } from '../engine/sinks/sink-commit.ts';
import { stagedPartKey } from '../engine/sinks/sink-folders.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { Survivors } from '../replay/recovery-plan.ts';
import { survivorsFromHolders, type WorkerReport } from '../replay/survivors.ts';
import { type JobFolder, jobEventsName, jobFolderAt, shuffleServiceFolder, workerFolder } from '../store/job-folder.ts';

/** null where the store lies away from its job's folder: then nothing is known of the workers. */
export async function survivorsFromFolders(location: string, graph: ExecutionGraph): Promise<Survivors | null> {
  const folder = await jobFolderOf(location);
  if (folder === null) return null;
  const staged = await stagedPartKeys(graph);
  return survivorsFromHolders(await holderReports(folder), (part) => staged.has(stagedPartKey(part)));
}

/** The job's folder around a store; null for a store that was copied elsewhere. */
async function jobFolderOf(location: string): Promise<JobFolder | null> {
  if (basename(location) !== jobEventsName) return null;
  const folder = jobFolderAt(dirname(location));
  const isJobFolder = (await exists(folder.workers)) || (await exists(folder.planFile));
  return isJobFolder ? folder : null;
}

async function holderReports(folder: JobFolder): Promise<WorkerReport[]> {
  const workers = (await knownWorkers(folder)).map((id) => [id, workerFolder(folder, id)] as const);
  const services = (await knownShuffleServices(folder)).map((id) => [id, shuffleServiceFolder(folder, id)] as const);
  return Promise.all(
    [...workers, ...services].map(async ([workerId, own]) => ({ workerId, partitions: await reportPartitions(own) })),
  );
}

async function stagedPartKeys(graph: ExecutionGraph): Promise<ReadonlySet<string>> {
  if (graph.graph === null || graph.jobId === null) return new Set();
  return stagedFiles(graph.graph, graph.jobId);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
