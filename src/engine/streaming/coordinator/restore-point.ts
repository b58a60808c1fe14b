// Which checkpoint the tasks begin from: the newest that the store records and that is whole; one that is damaged or
// gone is passed over, and said so. Reads every state file of the one that is chosen: what is damaged must show here,
// where there is still a choice.
import type { CompletedCheckpoint } from '../../../replay/execution-graph.ts';
import { checkStates, readMetadata } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { CheckpointMetadata } from '../../../store/checkpoint/own-metadata.ts';

export interface SkippedCheckpoint {
  readonly checkpointId: number;
  readonly location: string;
  readonly reason: string;
}

export type RestorePoint =
  /** Nothing was ever completed: from the beginning. */
  | { readonly kind: 'beginning' }
  | {
      readonly kind: 'checkpoint';
      readonly location: string;
      readonly metadata: CheckpointMetadata;
      /** Newer ones that cannot be used, newest first. */
      readonly skipped: readonly SkippedCheckpoint[];
    }
  /** There were some, and none can be used. */
  | { readonly kind: 'none-usable'; readonly skipped: readonly SkippedCheckpoint[] };

/** `checkpoint 9 cannot be used: _metadata is missing`; 0 stands for what the job was submitted with. */
export function skippedText({ checkpointId, location, reason }: SkippedCheckpoint): string {
  return `${checkpointId === 0 ? location : `checkpoint ${checkpointId}`} cannot be used: ${reason}`;
}

/** @param initial folder of the checkpoint that the job began from; null: it began with nothing */
export async function findRestorePoint(
  completed: readonly CompletedCheckpoint[],
  retained: number,
  initial: string | null = null,
): Promise<RestorePoint> {
  if (completed.length === 0 && initial === null) return { kind: 'beginning' };
  const skipped: SkippedCheckpoint[] = [];
  // A job that began from a savepoint can always begin from there again.
  const begin = initial === null ? [] : [{ checkpointId: 0, location: initial }];
  for (const { checkpointId, location } of [...candidates(completed, retained), ...begin]) {
    const read = await readWhole(location);
    if (typeof read !== 'string') return { kind: 'checkpoint', location, metadata: read, skipped };
    skipped.push({ checkpointId, location, reason: read });
  }
  return { kind: 'none-usable', skipped };
}

/** Newest first; of the job's own checkpoints only those that retention keeps. */
function candidates(completed: readonly CompletedCheckpoint[], retained: number): CompletedCheckpoint[] {
  let own = 0;
  return [...completed]
    .sort((a, b) => b.checkpointId - a.checkpointId)
    .filter(({ kind }) => {
      if (kind === 'savepoint') return true;
      own += 1;
      return own <= retained;
    });
}

/** The metadata, or why the checkpoint cannot be used. */
export async function readWhole(location: string): Promise<CheckpointMetadata | string> {
  const decoded = await readMetadata(location);
  if (decoded.kind === 'damaged') return decoded.reason;
  if (decoded.kind === 'version') return `its format version ${decoded.formatVersion} is not known here`;
  return (await checkStates(location, decoded.metadata)) ?? decoded.metadata;
}
