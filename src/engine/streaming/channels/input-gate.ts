// The inputs of one task: takes elements from its channels in turn, holds back channels whose barrier has come
// (aligned checkpoints), joins their watermarks, and gives a batch's credit back when the task is done with it.

import { messageOf } from '../../../model/errors.ts';
import type { Row } from '../../../model/streaming-plan.ts';
import type { Connection } from '../../protocol/connection.ts';
import { ProtocolViolation } from '../../protocol/protocol-violation.ts';
import type { CheckpointBarrier } from '../protocol/stream-messages.ts';
import { ValueCodec } from '../state/value-codec.ts';
import { BarrierAligner } from './barrier-aligner.ts';
import { ChannelLost } from './channel-lost.ts';
import type { ToConsumer, ToProducer } from './channel-messages.ts';
import { type ValveOutput, WatermarkValve, watermarkBehindAll } from './watermark-valve.ts';

/** Batches that a producer may have under way on one channel. */
export const creditsPerChannel = 4;

export type ConsumerConnection = Connection<ToProducer, ToConsumer>;

export type GateElement =
  | { readonly kind: 'rows'; readonly channel: number; readonly rows: readonly Row[] }
  /** The barrier has come on all channels. */
  | { readonly kind: 'barrier'; readonly barrier: CheckpointBarrier }
  | { readonly kind: 'watermark'; readonly watermarkMs: number }
  | { readonly kind: 'idle' };

interface InputChannel {
  readonly queue: ToConsumer[];
  connection: ConsumerConnection | null;
}

export class InputGate {
  readonly #channels: readonly InputChannel[];
  readonly #aligner: BarrierAligner;
  readonly #valve = new WatermarkValve<number>();
  readonly #codec = new ValueCodec();
  #turn = 0;
  #failure: Error | null = null;
  #wake: () => void = () => {};

  constructor(channels: number) {
    this.#channels = Array.from({ length: channels }, () => ({ queue: [], connection: null }));
    this.#aligner = new BarrierAligner(channels);
    for (let channel = 0; channel < channels; channel += 1) this.#valve.add(channel);
  }

  /** Takes what a connection brings as the elements of a channel. */
  attach(channel: number, connection: ConsumerConnection): void {
    const input = this.#channels[channel] as InputChannel;
    input.connection = connection;
    connection.onMessage((element) => {
      input.queue.push(element);
      this.#wake();
    });
    connection.onClose((cause) => {
      if (cause instanceof ProtocolViolation) return this.fail(cause);
      const why = cause === null ? 'was closed' : `broke: ${messageOf(cause)}`;
      this.fail(new ChannelLost(`the channel from ${connection.peer} ${why}`));
    });
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** The next element. Rejects when a channel broke; never resolves when none comes any more. */
  async next(): Promise<GateElement> {
    for (;;) {
      const element = this.#take();
      if (element) return element;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The task is done with a batch of this channel. */
  release(channel: number): void {
    this.#channels[channel]?.connection?.send({ type: 'credit', credits: 1 });
  }

  close(): void {
    for (const { connection } of this.#channels) connection?.destroy();
  }

  #take(): GateElement | null {
    const { length } = this.#channels;
    for (let step = 0; step < length; step += 1) {
      const channel = (this.#turn + step) % length;
      const element = this.#takeFrom(channel);
      if (!element) continue;
      this.#turn = (channel + 1) % length;
      return element;
    }
    return null;
  }

  #takeFrom(channel: number): GateElement | null {
    const { queue } = this.#channels[channel] as InputChannel;
    while (queue.length > 0 && !this.#aligner.isBlocked(channel)) {
      const element = this.#accept(channel, queue.shift() as ToConsumer);
      if (element) return element;
    }
    return null;
  }

  #accept(channel: number, element: ToConsumer): GateElement | null {
    switch (element.type) {
      case 'rows':
        return { kind: 'rows', channel, rows: this.#codec.decode(element.rows) as Row[] };
      case 'barrier': {
        const { barrier } = element;
        return this.#aligner.barrier(channel, barrier.checkpointId) ? { kind: 'barrier', barrier } : null;
      }
      case 'watermark':
        return fromValve(this.#valve.watermark(channel, element.watermarkMs ?? watermarkBehindAll));
      case 'idle':
        return fromValve(this.#valve.idle(channel));
    }
  }
}

function fromValve(output: ValveOutput): GateElement | null {
  return output.kind === 'none' ? null : output;
}
