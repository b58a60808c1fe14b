// StoreWriter: the one writer of a store's epoch. Sequence numbers are given at once, bytes follow in group commits with
// at most one sync in flight. Invariants (design 1, 3, 8): `durable` resolves only after the sync of its group and a look
// for a later epoch behind it; after any failure the writer is poisoned and writes nothing more.
// Spec: docs/format.md; flush settings: design "Flush settings".
import { setImmediate as nextTurn } from 'node:timers/promises';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { JobEvent, JobSubmitted } from '../model/job-events.ts';
import { recoveryEventTypes } from '../model/job-events.ts';
import type { JobLog } from '../model/job-log.ts';
import { EventBatch } from './event-batch.ts';
import { EventDecoder } from './event-decoder.ts';
import { type EncodedEvent, EventEncoder } from './event-encoder.ts';
import { payloadBytesMax } from './frame.ts';
import type { ManifestSnapshot } from './manifest.ts';
import { fencedError, type SegmentOutput } from './segment-output.ts';
import type { SnapshotPosition } from './snapshot-file.ts';
import { startFirst, startNext } from './store-start.ts';
import type { StoreWriterOptions, WriterStart } from './writer-options.ts';

export type { StoreWriterOptions } from './writer-options.ts';

export interface AppendedRecord {
  readonly sequence: number;
  readonly timeMicros: number;
  /** Resolves when the event is acknowledged; rejects with STORE_POISONED. May be ignored. */
  readonly durable: Promise<void>;
}

export interface Acknowledged {
  /** Last event that is acknowledged; -1: none. */
  readonly sequence: number;
  /** Of all frames that this writer wrote and had acknowledged. */
  readonly bytes: number;
}

/** Events that recovery does not need wait for company at least this long, so that they cost no sync of their own. */
const optionalFlushIntervalMs = 100;
const defaultSegmentSizeBytesMax = 64 * 1024 * 1024;

export class StoreWriter {
  readonly #options: StoreWriterOptions;
  readonly #output: SegmentOutput;
  readonly #encoder = new EventEncoder();
  #nextSequence: number;
  #lastTimeMicros: number;
  #batch = new EventBatch(null);
  /** When the waiting batch is to be written, in terms of `performance.now()`. */
  #dueAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  /** The commit loop while it runs. */
  #running: Promise<void> | null = null;
  #inFlight: EventBatch | null = null;
  #spare: Buffer | null = null;
  #poisoned: JobrecError | null = null;
  #closed = false;
  #acknowledged: Acknowledged;
  /** Where the log ended that this writer goes on with; null where there was none. */
  readonly tookOver: SnapshotPosition | null;

  private constructor(options: StoreWriterOptions, start: WriterStart) {
    this.#options = options;
    this.#output = start.output;
    this.#nextSequence = start.nextSequence;
    this.#lastTimeMicros = start.lastTimeMicros;
    this.tookOver = start.tookOver;
    this.#acknowledged = { sequence: start.nextSequence - 1, bytes: 0 };
    if (start.tables !== null) this.#encoder.useTables(start.tables);
  }

  /** Starts a job's store: the folder is absent, empty, or left by a writer that acknowledged nothing. */
  static async create(options: StoreWriterOptions): Promise<StoreWriter> {
    return new StoreWriter(options, await startFirst(options));
  }

  /**
   * Goes on in a job's store in a new epoch. `log` holds what the epochs before acknowledged (and maybe a little more).
   * Errors: STORE_DAMAGED where the log is not whole, FORMAT_TOO_NEW, STORE_POISONED where a later epoch exists.
   */
  static async resume(options: StoreWriterOptions): Promise<{ writer: StoreWriter; log: JobLog }> {
    const { start, log } = await startNext(options);
    return { writer: new StoreWriter(options, start), log };
  }

  get poisoned(): JobrecError | null {
    return this.#poisoned;
  }

  get acknowledged(): Acknowledged {
    return this.#acknowledged;
  }

  /** A snapshot of acknowledged events has been written: the next manifest names it. Nothing waits for that. */
  noteSnapshot(snapshot: ManifestSnapshot): void {
    this.#output.noteSnapshot(snapshot);
  }

  /**
   * Makes the log begin with this writer's segment, and ends the writer: with a seal where nothing will follow. Only where
   * `snapshot`, of all before the segment, was proved to be right.
   */
  async retireEarlier(snapshot: ManifestSnapshot, seals: boolean): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    this.#closed = true;
    try {
      await this.#output.retireEarlier(snapshot, seals);
    } catch (error) {
      throw this.#poison(error);
    }
  }

  /** Gives the event its sequence number and time, and queues it. Throws INVALID_ARGUMENT for one that cannot be stored. */
  append(event: JobEvent): AppendedRecord {
    const timeMicros = this.#nowMicros();
    const refusal = this.#refusal();
    if (refusal !== null) return { sequence: this.#nextSequence, timeMicros, durable: rejected(refusal) };
    const encoded = this.#encoder.encode(event);
    if (event.type === 'job-submitted') assertReadable(event, encoded);
    if (encoded.payload.length > payloadBytesMax) throw tooLarge(event, encoded.payload.length);
    const sequence = this.#nextSequence++;
    this.#lastTimeMicros = timeMicros;
    this.#batch.add(encoded, sequence, timeMicros);
    const { durable } = this.#batch;
    this.#schedule(this.#waitOf(event));
    return { sequence, timeMicros, durable };
  }

  /** Resolves when everything appended before is acknowledged. */
  async flush(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    await this.#drain();
  }

  /** The end of the job: everything acknowledged, the last segment and the manifest sealed. Takes no more events. */
  async seal(): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    this.#closed = true;
    await this.#drain();
    await this.#running;
    if (this.#poisoned !== null) throw this.#poisoned;
    try {
      await this.#output.seal();
    } catch (error) {
      throw this.#poison(error);
    }
  }

  /** Writes what is pending and lets go of the file. A poisoned writer only lets go. */
  async close(): Promise<void> {
    const refused = this.#refusal() !== null;
    this.#closed = true;
    try {
      if (!refused) await this.#drain();
    } finally {
      this.#stopTimer();
      await this.#running;
      await this.#output.close();
    }
  }

  async #drain(): Promise<void> {
    const last = this.#batch.isEmpty ? this.#inFlight : this.#batch;
    if (!this.#batch.isEmpty) this.#schedule(0);
    await last?.durable;
  }

  #refusal(): JobrecError | null {
    if (this.#poisoned !== null) return this.#poisoned;
    return this.#closed ? new JobrecError('STORE_POISONED', 'the store is closed: it takes no more events') : null;
  }

  #waitOf(event: JobEvent): number {
    const { flushIntervalMs, writeBufferSizeBytes } = this.#options;
    if (this.#batch.bytes >= writeBufferSizeBytes) return 0;
    return recoveryEventTypes.has(event.type) ? flushIntervalMs : Math.max(flushIntervalMs, optionalFlushIntervalMs);
  }

  /** The waiting batch is to be written within `waitMs`. */
  #schedule(waitMs: number): void {
    const dueAt = performance.now() + waitMs;
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    if (this.#running === null) this.#arm();
  }

  #arm(): void {
    this.#stopTimer();
    const waitMs = this.#dueAt - performance.now();
    // A turn of the microtask queue lets events of one cause join the same group.
    if (waitMs <= 0) this.#running = Promise.resolve().then(() => this.#run());
    else if (waitMs !== Number.POSITIVE_INFINITY) this.#timer = setTimeout(() => this.#start(), waitMs);
  }

  #start(): void {
    // A timer may fire a little early: then run() ends without having waited, before this assignment if called directly.
    if (this.#running === null) this.#running = Promise.resolve().then(() => this.#run());
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #run(): Promise<void> {
    this.#stopTimer();
    try {
      while (this.#isDue()) await this.#commitUntilIdle();
    } catch (error) {
      this.#poison(error);
    }
    this.#running = null;
    if (this.#poisoned === null && !this.#batch.isEmpty) this.#arm();
  }

  #isDue(): boolean {
    return !this.#batch.isEmpty && this.#dueAt <= performance.now();
  }

  async #commitUntilIdle(): Promise<void> {
    while (this.#isDue()) {
      await this.#commitBatch();
      // Whoever waited may append more right now, and the mark can ride along.
      await nextTurn();
    }
    await this.#output.writeMark();
  }

  async #commitBatch(): Promise<void> {
    const batch = this.#takeBatch();
    await this.#output.commit(batch);
    if (await this.#options.isFenced()) throw fencedError(this.#options.epoch);
    this.#inFlight = null;
    this.#acknowledged = { sequence: batch.last.sequence, bytes: this.#acknowledged.bytes + batch.bytes };
    this.#spare = batch.release();
    batch.acknowledge();
    if (this.#output.length >= (this.#options.segmentSizeBytesMax ?? defaultSegmentSizeBytesMax))
      await this.#output.cut();
  }

  #takeBatch(): EventBatch {
    const batch = this.#batch;
    this.#inFlight = batch;
    this.#batch = new EventBatch(this.#spare);
    this.#spare = null;
    this.#dueAt = Number.POSITIVE_INFINITY;
    return batch;
  }

  /** The first failure stays the reason for all that follows. */
  #poison(cause: unknown): JobrecError {
    if (this.#poisoned !== null) return this.#poisoned;
    const poisoned = isPoison(cause) ? cause : failedWrite(cause, this.#options.folder);
    this.#poisoned = poisoned;
    this.#stopTimer();
    this.#inFlight?.refuse(poisoned);
    this.#batch.refuse(poisoned);
    return poisoned;
  }

  #nowMicros(): number {
    const now = this.#options.now?.() ?? Date.now() * 1000;
    return Math.max(Math.trunc(now), this.#lastTimeMicros);
  }
}

function isPoison(cause: unknown): cause is JobrecError {
  return cause instanceof JobrecError && cause.code === 'STORE_POISONED';
}

function failedWrite(cause: unknown, folder: string): JobrecError {
  const message = `the store takes no more events, because a write to ${folder} failed: ${messageOf(cause)}`;
  const hint = 'free or repair the disk, then run the same command again: it resumes from what was acknowledged';
  return new JobrecError('STORE_POISONED', message, { data: { folder, fenced: false }, hint, cause });
}

function tooLarge(event: JobEvent, bytes: number): JobrecError {
  const message = `a ${event.type} event of ${bytes} bytes is larger than the ${payloadBytesMax} that a store takes`;
  return new JobrecError('INVALID_ARGUMENT', message, { data: { type: event.type, bytes, bytesMax: payloadBytesMax } });
}

/** A log stands on its first event: a graph that would not come back (such as one with a key `__proto__`) is refused. */
function assertReadable(event: JobSubmitted, { type, vertex, payload }: EncodedEvent): void {
  const decoded = new EventDecoder().decode(type, vertex, payload);
  if (decoded.kind === 'event') return;
  const reason = decoded.kind === 'invalid' ? decoded.reason : decoded.kind;
  const message = `the job "${event.name}" cannot be recorded: ${reason}`;
  throw new JobrecError('JOB_FILE_INVALID', message, { data: { name: event.name } });
}

function rejected(error: JobrecError): Promise<void> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
