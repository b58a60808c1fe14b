// What is left of a job on this machine: the partitions that lie whole in its workers' folders and the sink parts that
// are staged, looked up the way a recovering JobMaster looks them up, so that a prediction and a recovery see the same.
// Reads only.
import { access, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reportPartitions } from '../engine/partition-store/report-partitions.ts';
import { stagedFiles } from '../engine/sinks/sink-commit.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { Survivors } from '../replay/recovery-plan.ts';
import { survivorsFromReport, type WorkerReport } from '../replay/survivors.ts';
import { epochsName, type JobFolder, jobEventsName, jobFolderAt } from '../store/job-folder.ts';

/** null where the store lies away from its job's folder: then nothing is known of the workers. */
export async function survivorsFromFolders(location: string, graph: ExecutionGraph): Promise<Survivors | null> {
  const folder = await jobFolderOf(location);
  if (folder === null) return null;
  const staged = await stagedPartKeys(graph);
  return survivorsFromReport(await workerReports(folder), ({ sink, file }) => staged.has(`${sink}/${file}`));
}

/** The job's folder around a store; null for a store that was copied elsewhere. */
async function jobFolderOf(location: string): Promise<JobFolder | null> {
  if (basename(location) !== jobEventsName) return null;
  const folder = jobFolderAt(dirname(location));
  const isJobFolder = (await exists(folder.workers)) || (await exists(join(folder.root, epochsName)));
  return isJobFolder ? folder : null;
}

async function workerReports(folder: JobFolder): Promise<WorkerReport[]> {
  const entries = await readdir(folder.workers, { withFileTypes: true }).catch(() => []);
  const workers = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    workers.map(async (workerId) => ({ workerId, partitions: await reportPartitions(join(folder.workers, workerId)) })),
  );
}

async function stagedPartKeys(graph: ExecutionGraph): Promise<ReadonlySet<string>> {
  if (graph.graph === null || graph.jobId === null) return new Set();
  return new Set((await stagedFiles(graph.graph, graph.jobId)).keys());
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
