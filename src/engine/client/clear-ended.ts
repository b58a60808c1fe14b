// Clears away what a job that has ended still keeps: its last JobMaster was killed after it had recorded the end and
// before it had cleaned up, and nobody else will. Store, logs and outputs stay (run-files.ts).
import { readOptions } from '../../model/options.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { latestHolder } from '../../store/generation.ts';
import { type JobFolder, shuffleServiceFolder, workerFolder } from '../../store/job-folder.ts';
import { knownWorkers } from '../job-master/reconciling.ts';
import { signalProcess } from '../processes.ts';
import { deleteRunFiles } from '../run-files.ts';
import { knownShuffleServices } from '../shuffle-service/service-folder.ts';
import { deleteStreamFiles } from '../streaming/stream-files.ts';
import { findSubmission } from '../submission.ts';
import { workerClaims } from '../task-manager/worker-claim.ts';

/** For a job that has ended and that no JobMaster leads any more. Doing it again changes nothing. */
export async function clearEnded(
  folder: JobFolder,
  { graph: jobGraph, config, state, jobId, checkpoints }: ExecutionGraph,
): Promise<void> {
  if (jobGraph === null || jobId === null) return;
  await endOrphans(folder);
  const plan = jobGraph.streaming;
  // As it was run last: a run that resumes may have other options than the one that was recorded.
  const submission = await findSubmission(folder).catch(() => null);
  const options = readOptions(submission?.config ?? config).streaming;
  if (plan) await deleteStreamFiles({ folder, plan, jobId, options, state, checkpoints });
  await deleteRunFiles({ folder, jobGraph, jobId });
}

/** Processes that outlived their JobMaster would wait for another one. */
async function endOrphans(folder: JobFolder): Promise<void> {
  const workers = (await knownWorkers(folder)).map((id) => workerFolder(folder, id));
  const services = (await knownShuffleServices(folder)).map((id) => shuffleServiceFolder(folder, id));
  for (const claimed of [...workers, ...services]) {
    const { livePid } = await latestHolder(workerClaims(claimed));
    if (livePid !== null) signalProcess(livePid, 'SIGKILL');
  }
}
