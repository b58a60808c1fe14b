// Asks the JobMaster that leads a streaming job for a savepoint, over a connection of its own, and waits for the answer;
// where the job is to end with it, for the end as well. Spec: docs/streaming.md, "Savepoints".
import { isGloballyTerminal, type JobState } from '../../model/states.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import type { SavepointPurpose, ToClient } from '../protocol/messages.ts';
import { linkToMaster, type MasterLink } from './master-link.ts';

type Taken = Extract<ToClient, { type: 'savepoint-taken' }>;

export type SavepointAnswer =
  | { readonly kind: 'taken'; readonly savepoint: Taken; readonly lastState: JobState | null }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Nobody answers at the door of the JobMaster. */
  | { readonly kind: 'unreachable' };

/** @param folder absolute path of the savepoint's own folder, which is made */
export async function orderSavepoint(
  job: JobFolder,
  folder: string,
  purpose: SavepointPurpose,
): Promise<SavepointAnswer> {
  const link = await linkToMaster(job, 0);
  return link ? awaitAnswer(link, folder, purpose) : { kind: 'unreachable' };
}

/** No time limit of its own: the JobMaster gives a savepoint up at `execution.checkpointing.timeout`, or its end is seen. */
function awaitAnswer({ connection, token }: MasterLink, folder: string, purpose: SavepointPurpose) {
  return new Promise<SavepointAnswer>((resolve) => {
    let taken: Taken | null = null;
    const done = (answer: SavepointAnswer) => {
      connection.destroy();
      resolve(answer);
    };
    connection.onClose(() => {
      if (taken) return done({ kind: 'taken', savepoint: taken, lastState: null });
      done({ kind: 'failed', reason: 'the JobMaster went away before the savepoint was complete' });
    });
    connection.onMessage((message) => {
      if (message.type === 'savepoint-failed') return done({ kind: 'failed', reason: message.reason });
      if (message.type === 'savepoint-taken') {
        taken = message;
        if (purpose === 'go-on') done({ kind: 'taken', savepoint: message, lastState: null });
      }
      if (taken && message.type === 'status' && isGloballyTerminal(message.state)) {
        done({ kind: 'taken', savepoint: taken, lastState: message.state });
      }
    });
    connection.send({ type: 'savepoint', token, folder, purpose });
  });
}
