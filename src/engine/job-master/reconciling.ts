// RECONCILING: waiting for the workers that held partitions to come back and report them, bounded by
// `execution.batch.job-recovery.previous-worker.recovery.timeout`, and reading the folders that no worker claims any
// more (a run with fewer workers): their partitions are as good as any.
import { readdir } from 'node:fs/promises';
import type { WorkerId } from '../../model/ids.ts';
import { type JobFolder, workerFolder } from '../../store/job-folder.ts';
import { reportPartitions } from '../partition-store/report-partitions.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import type { WorkerPool } from './worker-pool.ts';
import type { WorkerSupervisor } from './worker-supervisor.ts';

const pollIntervalMs = 5;

/** Ids of the workers that ever had a folder in this job. */
export async function knownWorkers(folder: JobFolder): Promise<WorkerId[]> {
  const entries = await readdir(folder.workers, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Resolves when every known configured worker has registered, or after `timeoutMs`; then those that hang are killed. */
export async function awaitWorkers(
  folder: JobFolder,
  supervisor: WorkerSupervisor,
  pool: WorkerPool,
  timeoutMs: number,
): Promise<void> {
  const known = new Set(await knownWorkers(folder));
  const awaited = supervisor.workerIds.filter((workerId) => known.has(workerId));
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    if (awaited.every((workerId) => pool.workers.has(workerId))) return;
    await new Promise((resolve) => setTimeout(resolve, pollIntervalMs));
  }
  await supervisor.killUnregistered();
}

/**
 * Adds what lies whole in the folders of workers that have not registered: those that this run does not start, and those
 * that did not come back in time. A partition that is whole can be read without its worker.
 */
export async function reportUnregistered(
  folder: JobFolder,
  pool: WorkerPool,
  tracker: PartitionTracker,
): Promise<void> {
  for (const workerId of await knownWorkers(folder)) {
    if (pool.workers.has(workerId)) continue;
    const partitions = await reportPartitions(workerFolder(folder, workerId));
    // It may have registered meanwhile: then its own report counts.
    if (!pool.workers.has(workerId)) tracker.report(workerId, partitions);
  }
}
