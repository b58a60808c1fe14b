// `cancel`: ends a job for good; its partitions and staged parts go, its store stays.
import { cancelOffline, cancelThroughMaster } from '../engine/client/cancel-job.ts';
import { JobrecError } from '../model/errors.ts';
import { isGloballyTerminal } from '../model/states.ts';
import { findJob, isLed, readGraph } from './job-home.ts';
import type { CancelOptions, CancelReport } from './run-report.ts';
import { takeSavepoint } from './savepoint.ts';

export async function cancelJob(options: CancelOptions): Promise<CancelReport> {
  if (options.savepointFolder !== null) return cancelWithSavepoint(options);
  const { folder, submission } = await findJob(options.home, options.job);
  const { jobId, name } = submission;
  const graph = await readGraph(folder);
  if (graph && isGloballyTerminal(graph.state) && !(await isLed(folder))) {
    if (graph.state === 'CANCELED') return { jobId, state: graph.state };
    throw new JobrecError('INVALID_ARGUMENT', `job ${name} has ended already: ${graph.state}`, {
      data: { jobId, state: graph.state },
    });
  }
  const state = (await isLed(folder)) ? await cancelThroughMaster(folder) : null;
  return { jobId, state: state ?? (await cancelOffline(folder)) };
}

/** A savepoint that fails leaves the job running: the state is worth more than the end. */
async function cancelWithSavepoint({ home, job, savepointFolder }: CancelOptions): Promise<CancelReport> {
  const report = await takeSavepoint({ home, job, folder: savepointFolder, purpose: 'cancel' });
  const { jobId, state, path, checkpointId, bytes, failure } = report;
  if (failure) {
    const message = `${failure.message}; the job is not canceled`;
    return { jobId, state, savepoint: null, failure: { ...failure, message } };
  }
  const taken = path !== null && checkpointId !== null && bytes !== null;
  return { jobId, state, savepoint: taken ? { path, checkpointId, bytes } : null };
}
