// `cancel`: ends a job for good; its partitions and staged parts go, its store stays.
import { cancelOffline, cancelThroughMaster } from '../engine/client/cancel-job.ts';
import { JobrecError } from '../model/errors.ts';
import { isGloballyTerminal } from '../model/states.ts';
import { findJob, isLed, readGraph } from './job-home.ts';
import type { CancelOptions, CancelReport } from './run-report.ts';

export async function cancelJob(options: CancelOptions): Promise<CancelReport> {
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
