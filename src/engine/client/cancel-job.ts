// Cancels a job: through its JobMaster where one leads, else by taking the next epoch and recording the end.
import { JobrecError } from '../../model/errors.ts';
import { isGloballyTerminal, type JobState } from '../../model/states.ts';
import { latestGenerationNumber } from '../../store/generation.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import { Mastership } from '../job-master/mastership.ts';
import { clearEnded } from './clear-ended.ts';
import { linkToMaster, type MasterLink } from './master-link.ts';

/** How long a live JobMaster gets to end the job. */
const answerTimeoutMs = 60_000;

/** Resolves with the job's last state: CANCELED, or FINISHED where the commit had begun already. */
export async function cancelThroughMaster(folder: JobFolder): Promise<JobState | null> {
  const link = await linkToMaster(folder, 0);
  return link ? awaitEnd(link) : null;
}

function awaitEnd(link: MasterLink): Promise<JobState | null> {
  const { connection, token } = link;
  return new Promise((resolve) => {
    const done = (state: JobState | null) => {
      clearTimeout(timer);
      connection.destroy();
      resolve(state);
    };
    const timer = setTimeout(() => done(null), answerTimeoutMs);
    connection.onClose(() => done(null));
    connection.onMessage((message) => {
      if (message.type === 'status' && isGloballyTerminal(message.state)) done(message.state);
    });
    connection.send({ type: 'control', token, command: 'cancel', reason: 'canceled by the user' });
  });
}

/** For a job that no JobMaster leads. Throws JOB_HELD where one takes over at the same time. */
export async function cancelOffline(folder: JobFolder): Promise<JobState> {
  const everLed = (await latestGenerationNumber(folder.epochs)) > 0;
  const mastership = await Mastership.take(folder, everLed ? 'resumed' : 'submitted');
  const { graph } = mastership.recorder;
  if (graph.commit && !isGloballyTerminal(graph.state)) {
    await mastership.close(false);
    throw new JobrecError('INVALID_ARGUMENT', `job ${graph.name} is committing its results and can only go forward`, {
      hint: 'run it again: it ends at once',
    });
  }
  if (!isGloballyTerminal(graph.state)) {
    await mastership.recorder.record({ type: 'job-status-changed', state: 'CANCELED', reason: 'canceled by the user' });
  }
  await mastership.close(true);
  await clearEnded(folder, graph);
  return graph.state;
}
