// One channel's end at its producer: rows are gathered into batches, and a batch leaves only against a credit of the
// consumer, so that what waits anywhere is bounded: here by `waitingMax` batches and the rows of one record's output,
// there by the credits given. Barriers and watermarks keep their place between the batches and need no credit.
import type { Row } from '../../../model/streaming-plan.ts';
import type { Connection } from '../../protocol/connection.ts';
import { ValueCodec } from '../state/value-codec.ts';
import type { ToConsumer, ToProducer } from './channel-messages.ts';

/** What one batch is meant to be, in bytes. */
const batchBytes = 32 * 1024;
const batchRowsMax = 1024;
/** Batches that may wait for credits before the task has to. */
const waitingMax = 2;

export type ProducerConnection = Connection<ToConsumer, ToProducer>;

export class OutputChannel {
  readonly #codec = new ValueCodec();
  #rows: Row[] = [];
  #rowsPerBatch = 16;
  #waiting: ToConsumer[] = [];
  #waitingBatches = 0;
  #credits = 0;
  #unconsumed = 0;
  #connection: ProducerConnection | null = null;
  #onProgress: () => void = () => {};

  /** Calls back whenever a credit came: what waits for room may look again. */
  onProgress(handle: () => void): void {
    this.#onProgress = handle;
  }

  open(connection: ProducerConnection, credits: number): void {
    this.#connection = connection;
    this.addCredits(credits);
  }

  get isOpen(): boolean {
    return this.#connection !== null;
  }

  /** Whether more rows may be emitted. */
  get hasRoom(): boolean {
    return this.#waitingBatches < waitingMax;
  }

  /** Whether rows wait in an unfinished batch. */
  get hasRows(): boolean {
    return this.#rows.length > 0;
  }

  /** Whether the consumer has processed everything that was emitted. */
  get isConsumed(): boolean {
    return this.#rows.length === 0 && this.#waiting.length === 0 && this.#unconsumed === 0;
  }

  addCredits(credits: number): void {
    this.#credits += credits;
    this.#send();
    this.#onProgress();
  }

  /** The consumer has done with so many batches. */
  consumed(batches: number): void {
    this.#unconsumed -= batches;
    this.addCredits(batches);
  }

  emit(row: Row): void {
    this.#rows.push(row);
    if (this.#rows.length >= this.#rowsPerBatch) this.flush();
  }

  /** Puts an element behind all rows emitted so far. */
  put(element: Exclude<ToConsumer, { type: 'rows' }>): void {
    this.flush();
    this.#waiting.push(element);
    this.#send();
  }

  flush(): void {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    const bytes = this.#codec.encode(rows);
    const perRow = bytes.length / rows.length;
    this.#rowsPerBatch = Math.max(1, Math.min(batchRowsMax, Math.floor(batchBytes / perRow)));
    this.#waiting.push({ type: 'rows', rows: bytes, count: rows.length });
    this.#waitingBatches += 1;
    this.#send();
  }

  #send(): void {
    const connection = this.#connection;
    if (!connection) return;
    let sent = 0;
    for (const element of this.#waiting) {
      if (element.type === 'rows') {
        if (this.#credits === 0) break;
        this.#credits -= 1;
        this.#waitingBatches -= 1;
        this.#unconsumed += 1;
      }
      connection.send(element);
      sent += 1;
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent);
  }
}
