// What a format of checkpoint metadata offers, and the error for bytes that are none. Flink's is in store/flink/checkpoint/,
// jobrec's in own-format.ts; read-checkpoint.ts lists all of them. Spec: docs/checkpoints.md.
import type { CheckpointFormatName, CheckpointMetadata } from '../../model/checkpoint.ts';
import { JobrecError } from '../../model/errors.ts';
import { printable } from '../../model/printable-text.ts';

/** The name of the file that is written last, and makes a checkpoint complete. */
export const metadataName = '_metadata';

/** A metadata file, read whole. */
export interface MetadataFile {
  readonly file: string;
  readonly folder: string;
  readonly bytes: Buffer;
}

export interface CheckpointFormat {
  readonly name: CheckpointFormatName;
  /** By its first bytes alone. */
  recognises(bytes: Buffer): boolean;
  /** Errors: FORMAT_TOO_NEW, FORMAT_TOO_OLD, CHECKPOINT_DAMAGED. */
  open(metadata: MetadataFile): CheckpointMetadata;
}

/** `reason` may quote what the bytes say. */
export function damagedCheckpoint(file: string, offset: number, said: string): JobrecError {
  const reason = printable(said);
  return new JobrecError('CHECKPOINT_DAMAGED', `${file} is damaged at byte ${offset}: ${reason}`, {
    data: { path: file, offset, reason },
    hint: 'take an earlier checkpoint, or a copy of this one',
  });
}
