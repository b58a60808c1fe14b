// One subtask of a streaming vertex: its chain of operators between an input (a source, or channels) and its outputs.
// Everything happens one after the other; only the writing of state files and the network go on beside it.
// Spec: docs/streaming.md, "Tasks, channels and memory".
import { messageOf } from '../../../model/errors.ts';
import type { StreamVertex } from '../../../model/streaming-plan.ts';
import type { InputGate } from '../channels/input-gate.ts';
import type { TaskOutput } from '../channels/task-output.ts';
import type { Committable } from '../operators/operator.ts';
import type { OperatorChain } from '../operators/operator-chain.ts';
import type { AcknowledgedOperator, CheckpointBarrier, StreamTaskRef } from '../protocol/stream-messages.ts';
import type { SourceOperator } from '../sources/source-operator.ts';
import { SourceLoop } from './source-loop.ts';
import type { OperatorSnapshot, StateWriter } from './state-writer.ts';

/** How long what was emitted before a failure gets to be processed downstream. */
const passOnTimeoutMs = 10_000;
const turnMs = 5;

export interface TaskReporter {
  acknowledge(
    task: StreamTaskRef,
    checkpointId: number,
    operators: readonly AcknowledgedOperator[],
    parts: readonly Committable[],
  ): void;
  decline(task: StreamTaskRef, checkpointId: number, reason: string): void;
  endOfData(task: StreamTaskRef): void;
}

export interface StreamTaskOptions {
  readonly vertex: StreamVertex;
  readonly subtask: number;
  readonly chain: OperatorChain;
  /** Of a source task. */
  readonly source: SourceOperator | null;
  /** Of every other. */
  readonly gate: InputGate | null;
  readonly output: TaskOutput;
  readonly stateWriter: StateWriter;
  readonly reporter: TaskReporter;
  readonly bufferTimeoutMs: number;
  readonly watermarkIntervalMs: number;
}

export class StreamTask {
  readonly ref: StreamTaskRef;
  readonly #options: StreamTaskOptions;
  readonly #loop: SourceLoop | null;
  readonly #timers: NodeJS.Timeout[] = [];
  #turnEndsMs = 0;
  #isCanceled = false;
  #onCanceled: () => void = () => {};
  readonly #canceled = new Promise<void>((resolve) => {
    this.#onCanceled = resolve;
  });
  #isTakingCheckpoint = false;
  /** A checkpoint that ends the job has been taken: channels may close now. */
  #isEnding = false;
  /** Checkpoints are acknowledged in their order: so one is never complete before an earlier one. */
  #storing: Promise<void> = Promise.resolve();

  constructor(options: StreamTaskOptions) {
    const { vertex, subtask, source, chain, reporter } = options;
    this.#options = options;
    this.ref = { vertexId: vertex.vertexId, subtask };
    this.#loop =
      source &&
      new SourceLoop({
        chain,
        source,
        takeCheckpoint: (barrier) => this.#takeCheckpoint(barrier),
        onEndOfData: () => reporter.endOfData(this.ref),
        isCanceled: () => this.#isCanceled,
      });
  }

  /** Of a source: puts a barrier behind the rows emitted so far. */
  trigger(barrier: CheckpointBarrier): void {
    this.#loop?.trigger(barrier);
  }

  checkpointComplete(checkpointId: number): void {
    this.#options.chain.checkpointComplete(checkpointId);
  }

  /** Resolves when the task is canceled or has come to its end; rejects with what failed it. */
  async run(): Promise<void> {
    this.#startTimers();
    try {
      if (this.#loop) await this.#loop.run();
      else await this.#processInput();
    } catch (error) {
      if (this.#isCanceled || this.#isEnding) return;
      // What came before the row that failed is passed on, so that it shows wherever output is not transactional.
      await Promise.race([this.#options.output.consumed(passOnTimeoutMs), this.#canceled]);
      throw error;
    } finally {
      for (const timer of this.#timers) clearInterval(timer);
    }
  }

  cancel(): void {
    this.#isCanceled = true;
    this.#onCanceled();
    this.#loop?.wake();
    this.#options.gate?.fail(new Error('canceled'));
  }

  async close(): Promise<void> {
    this.#options.gate?.close();
    await this.#options.chain.close();
  }

  async #processInput(): Promise<void> {
    const { gate, chain } = this.#options;
    while (gate && !this.#isCanceled) {
      const element = await gate.next();
      switch (element.kind) {
        case 'rows':
          chain.origin = `channel ${element.channel}`;
          for (const row of element.rows) {
            chain.process(row);
            const wait = chain.ready();
            if (wait) await wait;
            if (this.#isCanceled) return;
          }
          gate.release(element.channel);
          break;
        case 'watermark':
          chain.watermark(element.watermarkMs);
          break;
        case 'idle':
          chain.idle();
          break;
        case 'barrier':
          await this.#takeCheckpoint(element.barrier);
      }
      if (performance.now() > this.#turnEndsMs) await this.#breathe();
    }
  }

  /** The barrier goes on at once; what follows it here is processed when the state has been taken. */
  async #takeCheckpoint(barrier: CheckpointBarrier): Promise<void> {
    const { chain, output } = this.#options;
    const { checkpointId } = barrier;
    this.#isTakingCheckpoint = true;
    output.barrier(barrier);
    const parts = await chain.prepareCommit(checkpointId);
    const snapshots = chain.snapshot(checkpointId);
    // Not before: until here an error is one of the task, and not of channels that close.
    if (barrier.mode !== 'go-on') this.#isEnding = true;
    this.#storing = this.#storing.then(() => this.#store(barrier, snapshots, parts));
    this.#isTakingCheckpoint = false;
  }

  async #store(
    { checkpointId, folder }: CheckpointBarrier,
    snapshots: readonly OperatorSnapshot[],
    parts: readonly Committable[],
  ): Promise<void> {
    const { stateWriter, reporter, subtask } = this.#options;
    try {
      const operators: AcknowledgedOperator[] = [];
      for (const snapshot of snapshots) operators.push(await stateWriter.write(folder, subtask, snapshot));
      reporter.acknowledge(this.ref, checkpointId, operators, parts);
    } catch (error) {
      reporter.decline(this.ref, checkpointId, messageOf(error));
    }
  }

  #startTimers(): void {
    const { output, chain, bufferTimeoutMs, watermarkIntervalMs } = this.#options;
    this.#timers.push(setInterval(() => output.flush(), Math.max(1, bufferTimeoutMs)));
    this.#timers.push(setInterval(() => this.#onInterval(chain), Math.max(1, watermarkIntervalMs)));
  }

  /** Not between a barrier and its snapshot: what is behind the one must not be in the other. */
  #onInterval(chain: OperatorChain): void {
    if (!this.#isTakingCheckpoint) chain.onInterval();
  }

  async #breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#turnEndsMs = performance.now() + turnMs;
  }
}
