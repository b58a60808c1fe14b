// What flows on a channel between two tasks: rows in batches, watermarks and barriers one way; credits the other way.
// One channel is one loopback connection, opened by the consumer. Spec: docs/streaming.md, "Tasks, channels and memory".
import * as v from 'valibot';
import { ProtocolViolation } from '../../protocol/protocol-violation.ts';
import type { CheckpointBarrier } from '../protocol/stream-messages.ts';
import { barrierSchema } from '../protocol/validate-stream.ts';

export type ToConsumer =
  | { readonly type: 'rows'; readonly rows: Uint8Array; readonly count: number }
  /** `watermarkMs` is null behind the last row. */
  | { readonly type: 'watermark'; readonly watermarkMs: number | null }
  | { readonly type: 'idle' }
  | { readonly type: 'barrier'; readonly barrier: CheckpointBarrier };

export type ToProducer =
  | {
      readonly type: 'open';
      readonly token: string;
      readonly attempt: number;
      readonly datasetId: string;
      readonly producer: number;
      readonly consumer: number;
      readonly credits: number;
    }
  /** So many more batches of rows may be sent. */
  | { readonly type: 'credit'; readonly credits: number };

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(4096));
const creditCount = v.pipe(count, v.maxValue(1024));

const toConsumer = v.variant('type', [
  v.object({
    type: v.literal('rows'),
    rows: v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is not bytes'),
    count,
  }),
  v.object({ type: v.literal('watermark'), watermarkMs: v.nullable(v.number()) }),
  v.object({ type: v.literal('idle') }),
  v.object({ type: v.literal('barrier'), barrier: barrierSchema }),
]);

const toProducer = v.variant('type', [
  v.object({
    type: v.literal('open'),
    token: name,
    attempt: count,
    datasetId: name,
    producer: count,
    consumer: count,
    credits: creditCount,
  }),
  v.object({ type: v.literal('credit'), credits: creditCount }),
]);

export function parseToConsumer(value: unknown, side: string): ToConsumer | ProtocolViolation {
  const result = v.safeParse(toConsumer, value, { abortEarly: true });
  return result.success ? result.output : new ProtocolViolation(side, 'sent something that is no part of a stream');
}

export function parseToProducer(value: unknown, side: string): ToProducer | ProtocolViolation {
  const result = v.safeParse(toProducer, value, { abortEarly: true });
  return result.success ? result.output : new ProtocolViolation(side, 'sent something that no consumer says');
}
