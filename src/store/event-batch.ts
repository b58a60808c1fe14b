// The events that wait for the next group commit, already encoded, in one growing buffer. Room for a mark is kept in
// front of them, so that mark and events go out in one write. Checksums come last, because they depend on the segment
// that the batch ends up in. All events of a batch share one promise.
import type { EncodedEvent } from './event-encoder.ts';
import { frameHeadBytes, markBytes, writeFrameCrc, writeFrameHead } from './frame.ts';

/** A buffer that grew beyond this is not kept for the next batch. */
const keptBytesMax = 4 * 1024 * 1024;

export class EventBatch {
  #bytes: Buffer;
  #length = markBytes;
  #count = 0;
  #last = { sequence: 0, timeMicros: 0 };
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};
  /** Resolves when the whole batch is acknowledged. */
  readonly durable: Promise<void>;

  constructor(reused: Buffer | null) {
    this.#bytes = reused ?? Buffer.allocUnsafeSlow(64 * 1024);
    this.durable = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Callers may ignore it: a poisoned store tells everyone who asks, and must not end the process by itself.
    this.durable.catch(() => {});
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Of the event that was added last. */
  get last(): { readonly sequence: number; readonly timeMicros: number } {
    return this.#last;
  }

  /** Bytes of the frames. */
  get bytes(): number {
    return this.#length - markBytes;
  }

  add(encoded: EncodedEvent, sequence: number, timeMicros: number): void {
    const { type, flags, vertex, payload } = encoded;
    const frameBytes = frameHeadBytes + payload.length;
    this.#makeRoom(frameBytes);
    this.#bytes.set(payload, this.#length + frameHeadBytes);
    writeFrameHead(this.#bytes, this.#length, { type, flags, vertex, sequence, timeMicros }, payload.length);
    this.#length += frameBytes;
    this.#count += 1;
    this.#last = { sequence, timeMicros };
  }

  /** What to write: the frames with their checksums, behind `mark` if there is one. */
  finish(seed: number, mark: Buffer | null): Buffer {
    for (let at = markBytes; at < this.#length; ) at += writeFrameCrc(this.#bytes, at, seed);
    mark?.copy(this.#bytes, 0);
    return this.#bytes.subarray(mark === null ? markBytes : 0, this.#length);
  }

  acknowledge(): void {
    this.#resolve();
  }

  refuse(error: Error): void {
    this.#reject(error);
  }

  /** The buffer for another batch; null if it is not worth keeping. Only when nothing is written from it any more. */
  release(): Buffer | null {
    return this.#bytes.length <= keptBytesMax ? this.#bytes : null;
  }

  #makeRoom(frameBytes: number): void {
    const needed = this.#length + frameBytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
