// What is left of a job on this machine: the partitions that lie whole in the folders of its workers and its shuffle
// service, and the sink parts that are staged. The offline `diff` predicts from it, and a JobMaster that takes over
// compares its recovery with it. Reads only.
import type { JobGraph } from '../../model/job-graph.ts';
import type { Survivors } from '../../replay/recovery-plan.ts';
import { survivorsFromHolders, type WorkerReport } from '../../replay/survivors.ts';
import { type JobFolder, shuffleServiceFolder, workerFolder } from '../../store/job-folder.ts';
import { reportPartitions } from '../partition-store/report-partitions.ts';
import { knownShuffleServices } from '../shuffle-service/service-folder.ts';
import { stagedFiles } from '../sinks/sink-commit.ts';
import { stagedPartKey } from '../sinks/sink-folders.ts';
import { knownWorkers } from './reconciling.ts';

/** `job`: whose sinks' folders hold staged parts; null: no part is there. */
export async function survivorsInFolders(
  folder: JobFolder,
  job: { readonly graph: JobGraph; readonly jobId: string } | null,
): Promise<Survivors> {
  const staged = job === null ? new Set<string>() : await stagedFiles(job.graph, job.jobId);
  return survivorsFromHolders(await holderReports(folder), (part) => staged.has(stagedPartKey(part)));
}

async function holderReports(folder: JobFolder): Promise<WorkerReport[]> {
  const workers = (await knownWorkers(folder)).map((id) => [id, workerFolder(folder, id)] as const);
  const services = (await knownShuffleServices(folder)).map((id) => [id, shuffleServiceFolder(folder, id)] as const);
  return Promise.all(
    [...workers, ...services].map(async ([workerId, own]) => ({ workerId, partitions: await reportPartitions(own) })),
  );
}
