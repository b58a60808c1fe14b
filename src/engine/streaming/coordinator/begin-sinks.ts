// The folders of file sinks when a job begins: it replaces what its last run wrote; one that begins from a savepoint keeps
// the parts up to it and takes back those behind it, whichever job wrote them: the numbers of checkpoints go on from a job
// to those that begin from its state. Can be done twice. Spec: docs/streaming.md, "Beginning from a savepoint".
import { claimSinkFolder, commitParts, rollBackParts } from '../sinks/part-commit.ts';
import { readWhole } from './restore-point.ts';

/** Returns the number of parts that were taken back. */
export async function beginSinks(
  folders: readonly string[],
  jobName: string,
  restoreFrom: string | null,
): Promise<number> {
  for (const path of folders) await claimSinkFolder(path, jobName, restoreFrom === null);
  const metadata = restoreFrom === null ? null : await readWhole(restoreFrom);
  // What cannot be read is told where the tasks are to be restored.
  if (metadata === null || typeof metadata === 'string') return 0;
  await commitParts(metadata.parts);
  return rollBackParts(folders, null, metadata.checkpointId);
}
