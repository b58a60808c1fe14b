// Takes a savepoint into the folder that its order names; one that fails leaves nothing there.
// Spec: docs/streaming.md, "Savepoints".
import { messageOf } from '../../../model/errors.ts';
import { discardFolder, makeCheckpointFolder } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { SavepointOrder, ToClient } from '../../protocol/messages.ts';
import type { CheckpointDriver, RequestOutcome } from './checkpoint-driver.ts';

export async function takeSavepoint(
  checkpoints: CheckpointDriver,
  { folder, purpose }: SavepointOrder,
): Promise<RequestOutcome> {
  // Before any barrier: a folder that cannot be made must cost a job that is to stop nothing.
  const problem = await makeCheckpointFolder(folder).then(() => null, messageOf);
  if (problem) return { kind: 'failed', reason: `${folder} cannot be made: ${problem}` };
  const mode = purpose === 'cancel' ? 'stop' : purpose;
  const outcome = await checkpoints.request({ kind: 'savepoint', mode, folder });
  if (outcome.kind === 'failed') await discardFolder(folder).catch(() => {});
  return outcome;
}

/** What the client that asked for the savepoint is told. */
export function savepointAnswer(outcome: RequestOutcome): ToClient {
  if (outcome.kind === 'failed') return { type: 'savepoint-failed', reason: outcome.reason };
  const { checkpointId, location: path, bytes } = outcome;
  return { type: 'savepoint-taken', checkpointId, path, bytes };
}
