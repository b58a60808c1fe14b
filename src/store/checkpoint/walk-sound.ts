// Walks of readers that take a checkpoint only as Flink would: the first flaw ends them like damage does. `checkpoint
// validate` lists flaws instead. Spec: docs/checkpoints.md.
import type { CheckpointMetadata, CheckpointVisitor } from '../../model/checkpoint.ts';
import { damagedCheckpoint } from './checkpoint-format.ts';

/** Errors: CHECKPOINT_DAMAGED. */
export function walkSound(metadata: CheckpointMetadata, visitor: CheckpointVisitor): void {
  metadata.walk({
    ...visitor,
    flaw: ({ message, offset }) => {
      throw damagedCheckpoint(metadata.file, offset, message);
    },
  });
}
