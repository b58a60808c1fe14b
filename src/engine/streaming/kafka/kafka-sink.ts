// StreamSink of a Kafka topic: idempotent and at least once. At a barrier all rows so far are acknowledged by all in-sync
// replicas; rows of a checkpoint that then fails were written already, and are written again. One send is under way at
// a time, so rows of one key stay in order. Spec: docs/streaming.md, "Kafka".
import type { Row } from '../../../model/streaming-plan.ts';
import type { Committable } from '../operators/operator.ts';
import type { StreamSink } from '../sinks/stream-sink.ts';
import type { KafkaClient, KafkaOutgoing, KafkaWriter } from './kafka-client.ts';

const sendRecordsMax = 2_000;
/** More than this waiting: no more rows are taken until the send that is under way has ended. */
const waitingRecordsMax = 4_000;

export interface KafkaSinkOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  /** Field whose text is the record's key; null: records have none. */
  readonly key: string | null;
  readonly encode: (row: Row) => string;
}

export class KafkaSink implements StreamSink {
  readonly #options: KafkaSinkOptions;
  #writer: KafkaWriter | null = null;
  #waiting: KafkaOutgoing[] = [];
  #sending: Promise<void> | null = null;
  /** Rows may be missing: every later call rejects with it. */
  #failure: Promise<never> | null = null;

  constructor(options: KafkaSinkOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#writer = await this.#options.client.write(this.#options.topic);
  }

  write(row: Row): void {
    const { key, encode } = this.#options;
    this.#waiting.push({ key: key === null ? null : String(row[key] ?? ''), value: encode(row) });
    if (this.#sending === null) this.#beginSending();
  }

  ready(): Promise<void> | null {
    if (this.#failure !== null) return this.#failure;
    return this.#waiting.length < waitingRecordsMax ? null : (this.#sending ?? null);
  }

  async prepareCommit(): Promise<readonly Committable[]> {
    await this.#sending;
    await this.#failure;
    return [];
  }

  async close(): Promise<void> {
    // Rows behind the last barrier are read again.
    this.#waiting = [];
    await this.#sending;
    await this.#writer?.close();
    await this.#options.client.close();
  }

  #beginSending(): void {
    this.#sending = this.#sendWaiting()
      .catch((error) => {
        this.#failure = Promise.reject(error);
        // Whoever writes next hears of it; the task may be ending, and nobody does.
        this.#failure.catch(() => {});
      })
      .finally(() => {
        this.#sending = null;
        // A row may have come between the last look and now.
        if (this.#waiting.length > 0 && this.#failure === null) this.#beginSending();
      });
  }

  async #sendWaiting(): Promise<void> {
    // Rows of the same turn go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writer?.send(this.#waiting.splice(0, sendRecordsMax));
  }
}
