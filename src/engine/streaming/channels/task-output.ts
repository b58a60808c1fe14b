// The outputs of one task: for each edge of the plan one channel a consumer, chosen row by row as the exchange says.
// Tells the task when it has to wait for consumers (back-pressure).
import type { Row, StreamOutput, StreamVertex } from '../../../model/streaming-plan.ts';
import type { CheckpointBarrier } from '../protocol/stream-messages.ts';
import { keyGroupOf, keyText, subtaskOfKeyGroup } from '../state/key-groups.ts';
import { OutputChannel } from './output-channel.ts';
import { watermarkBehindAll } from './watermark-valve.ts';

/** One edge's channels, by the consumer's subtask. */
export class OutputEdge {
  readonly output: StreamOutput;
  readonly channels: readonly OutputChannel[];
  readonly #maxParallelism: number;
  #next = 0;

  /** @param consumers tasks of the consumer that this task writes to: all, or for `forward` its own neighbour alone */
  constructor(output: StreamOutput, consumers: number, maxParallelism: number) {
    this.output = output;
    this.channels = Array.from({ length: consumers }, () => new OutputChannel());
    this.#maxParallelism = maxParallelism;
  }

  emit(row: Row): void {
    const { channels } = this;
    switch (this.output.exchange) {
      case 'forward':
        channels[0]?.emit(row);
        return;
      case 'hash': {
        const group = keyGroupOf(keyText(row, this.output.by), this.#maxParallelism);
        channels[subtaskOfKeyGroup(group, this.#maxParallelism, channels.length)]?.emit(row);
        return;
      }
      case 'rebalance':
        channels[this.#next]?.emit(row);
        this.#next = (this.#next + 1) % channels.length;
        return;
      case 'broadcast':
        for (const channel of channels) channel.emit(row);
    }
  }
}

export class TaskOutput {
  readonly edges: readonly OutputEdge[];
  readonly #channels: readonly OutputChannel[];
  #waiters: (() => void)[] = [];

  constructor(vertex: StreamVertex, consumersOf: (output: StreamOutput) => number, maxParallelism: number) {
    this.edges = vertex.outputs.map((output) => new OutputEdge(output, consumersOf(output), maxParallelism));
    this.#channels = this.edges.flatMap((edge) => edge.channels);
    for (const channel of this.#channels) channel.onProgress(() => this.#wake());
  }

  get hasRows(): boolean {
    return this.#channels.some((channel) => channel.hasRows);
  }

  /** null: rows may be emitted; else resolves when they may. */
  ready(): Promise<void> | null {
    for (const channel of this.#channels) if (!channel.hasRoom) return this.#until(() => this.#hasRoom());
    return null;
  }

  /** Resolves when the consumers have processed everything, or after `timeoutMs`. */
  async consumed(timeoutMs: number): Promise<void> {
    this.flush();
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, timeoutMs).unref());
    await Promise.race([this.#until(() => this.#channels.every((channel) => channel.isConsumed)), timeout]);
  }

  flush(): void {
    for (const channel of this.#channels) channel.flush();
  }

  barrier(barrier: CheckpointBarrier): void {
    for (const channel of this.#channels) channel.put({ type: 'barrier', barrier });
  }

  /** Of the rows of one operator of the chain. */
  watermark(operator: number, watermarkMs: number): void {
    const element = {
      type: 'watermark',
      watermarkMs: watermarkMs === watermarkBehindAll ? null : watermarkMs,
    } as const;
    this.#put(operator, element);
  }

  idle(operator: number): void {
    this.#put(operator, { type: 'idle' });
  }

  #put(operator: number, element: Parameters<OutputChannel['put']>[0]): void {
    for (const { output, channels } of this.edges) {
      if (output.operator === operator) for (const channel of channels) channel.put(element);
    }
  }

  #hasRoom(): boolean {
    return this.#channels.every((channel) => channel.hasRoom);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }
}
