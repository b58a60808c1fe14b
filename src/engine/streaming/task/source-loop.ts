// The loop of a source task: rows go into the chain one by one; between two rows a barrier may be put. Ends behind a
// barrier that stops the job; behind the last row it goes on for the sake of barriers alone.
import { watermarkBehindAll } from '../channels/watermark-valve.ts';
import type { OperatorChain } from '../operators/operator-chain.ts';
import type { CheckpointBarrier } from '../protocol/stream-messages.ts';
import type { SourceOperator } from '../sources/source-operator.ts';

const recordsPerPoll = 500;
const pollWaitMs = 20;
/** How long rows may be taken without a look at the network. */
const turnMs = 5;

export interface SourceLoopOptions {
  readonly chain: OperatorChain;
  readonly source: SourceOperator;
  readonly takeCheckpoint: (barrier: CheckpointBarrier) => Promise<void>;
  readonly onEndOfData: () => void;
  readonly isCanceled: () => boolean;
}

export class SourceLoop {
  readonly #options: SourceLoopOptions;
  readonly #barriers: CheckpointBarrier[] = [];
  #isStopped = false;
  #turnEndsMs = 0;
  #wake: () => void = () => {};

  constructor(options: SourceLoopOptions) {
    this.#options = options;
  }

  trigger(barrier: CheckpointBarrier): void {
    this.#barriers.push(barrier);
    this.#wake();
  }

  /** Resolves when the rows are over and the job is stopped or canceled. */
  async run(): Promise<void> {
    const { chain, source, isCanceled } = this.#options;
    chain.originsKnown(source.splitIds);
    let isAtEnd = false;
    while (!this.#isStopped && !isCanceled()) {
      await this.#takeCheckpoints();
      if (this.#isStopped) return;
      if (isAtEnd) await this.#untilTriggered();
      else isAtEnd = await this.#readOn();
    }
  }

  /** Wakes the loop where it waits for nothing but triggers. */
  wake(): void {
    this.#wake();
  }

  /** Returns whether the source has ended. */
  async #readOn(): Promise<boolean> {
    const { chain, source, isCanceled } = this.#options;
    if (await source.discoverIfDue()) chain.originsKnown(source.splitIds);
    const records = await source.source.poll(recordsPerPoll, pollWaitMs);
    if (records === 'end') return this.#end();
    for (const record of records) {
      if (this.#barriers.length > 0) await this.#takeCheckpoints();
      if (this.#isStopped || isCanceled()) return false;
      chain.origin = record.splitId;
      source.emit(record);
      const wait = chain.ready();
      if (wait) await wait;
      else if (performance.now() > this.#turnEndsMs) await this.#breathe();
    }
    return false;
  }

  #end(): boolean {
    this.#options.chain.watermark(watermarkBehindAll);
    this.#options.onEndOfData();
    return true;
  }

  async #takeCheckpoints(): Promise<void> {
    for (let barrier = this.#barriers.shift(); barrier; barrier = this.#barriers.shift()) {
      if (barrier.mode === 'drain') this.#options.chain.watermark(watermarkBehindAll);
      await this.#options.takeCheckpoint(barrier);
      if (barrier.mode !== 'go-on') this.#isStopped = true;
    }
  }

  async #untilTriggered(): Promise<void> {
    if (this.#barriers.length > 0 || this.#options.isCanceled()) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  async #breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnEndsMs = performance.now() + turnMs;
  }
}
