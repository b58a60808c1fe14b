// Aligned barriers: which input channels must wait until the barrier of the same checkpoint has come on all others.
// Invariant: what comes behind a barrier on its channel is not read before the checkpoint has been taken, so a snapshot
// holds the effect of exactly the rows before its barriers. Spec: docs/streaming.md, "Checkpoints".
import { invariant } from '../../../model/errors.ts';

export class BarrierAligner {
  readonly #channels: number;
  readonly #waiting = new Set<number>();
  #checkpointId: number | null = null;

  constructor(channels: number) {
    this.#channels = channels;
  }

  /** Whether a channel waits for the others: nothing of it may be read. */
  isBlocked(channel: number): boolean {
    return this.#waiting.has(channel);
  }

  /** A barrier has come on a channel. true: it was the last one, the checkpoint is taken, and all channels go on. */
  barrier(channel: number, checkpointId: number): boolean {
    invariant(!this.#waiting.has(channel), `channel ${channel} is read while it waits`);
    // Every source has been told of every checkpoint, in the same order: so the barriers of two never cross.
    invariant(
      this.#checkpointId === null || this.#checkpointId === checkpointId,
      `barrier ${checkpointId} came while ${this.#checkpointId} was being aligned`,
    );
    this.#checkpointId = checkpointId;
    this.#waiting.add(channel);
    if (this.#waiting.size < this.#channels) return false;
    this.#waiting.clear();
    this.#checkpointId = null;
    return true;
  }
}
