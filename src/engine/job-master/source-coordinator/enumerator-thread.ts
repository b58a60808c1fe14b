// The JobMaster's hold on the thread of a user-written enumerator: starts it, asks it one question at a time, and ends it
// when it takes too long, ends by itself or says something that is no answer. After a failure it is of no use any more.
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../model/errors.ts';
import {
  type EnumeratorSetup,
  type FromEnumerator,
  parseFromEnumerator,
  type ToEnumerator,
} from './enumerator-messages.ts';

/** Heap of an enumerator: one that takes more ends its thread, not the JobMaster. */
const heapMiB = 512;

/** The enumerator failed; the message names it and, where it threw, its file and line. */
export class EnumeratorFailure extends Error {}

type Started = Extract<FromEnumerator, { type: 'started' }>;
type Answer = Extract<FromEnumerator, { type: 'answer' }>;

/** What a coordinator asks of an enumerator, wherever it runs. */
export interface Enumerator {
  /** Resolves when the enumerator is ready to be asked. Rejects with an EnumeratorFailure. */
  start(): Promise<Started>;
  /** The next split for a subtask. Rejects with an EnumeratorFailure. */
  next(subtask: number): Promise<Answer>;
  close(): void;
}

export class EnumeratorThread implements Enumerator {
  readonly #thread: Worker;
  readonly #name: string;
  readonly #timeoutMs: number;
  #failure: EnumeratorFailure | null = null;
  #early: FromEnumerator | null = null;
  #settle: ((message: FromEnumerator | EnumeratorFailure) => void) | null = null;

  /** `timeoutMs`: how long it may take to start, and to answer. */
  constructor(setup: EnumeratorSetup, timeoutMs: number, worker = new URL('./enumerator-worker.js', import.meta.url)) {
    this.#name = `enumerator ${setup.exportName}`;
    this.#timeoutMs = timeoutMs;
    this.#thread = new Worker(worker, {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    this.#thread.on('message', (message: unknown) => this.#hear(message));
    this.#thread.on('error', (error) => this.#fail(`ended its thread: ${messageOf(error)}`));
    this.#thread.on('exit', () => this.#fail('ended its thread'));
  }

  async start(): Promise<Started> {
    const message = await this.#answer();
    if (message.type === 'started') return message;
    throw this.#fail('answered before it was asked');
  }

  async next(subtask: number): Promise<Answer> {
    this.#thread.postMessage({ type: 'next', subtask } satisfies ToEnumerator);
    const message = await this.#answer();
    if (message.type === 'answer') return message;
    throw this.#fail('gave no answer');
  }

  close(): void {
    this.#fail('was closed');
  }

  async #answer(): Promise<FromEnumerator> {
    const seconds = this.#timeoutMs / 1000;
    const timer = setTimeout(
      () => this.#fail(`did not answer within source.enumerator.timeout (${seconds} s)`),
      this.#timeoutMs,
    );
    const message = await new Promise<FromEnumerator | EnumeratorFailure>((resolve) => {
      this.#settle = resolve;
      const already = this.#failure ?? this.#early;
      this.#early = null;
      if (already !== null) resolve(already);
    });
    clearTimeout(timer);
    this.#settle = null;
    if (message instanceof EnumeratorFailure) throw message;
    return message;
  }

  #hear(value: unknown): void {
    const message = parseFromEnumerator(value);
    if (message === null) return void this.#fail('sent its JobMaster something that is no answer');
    if (message.type === 'failed') return void this.#failWith(new EnumeratorFailure(message.message));
    if (this.#settle) this.#settle(message);
    else this.#early = message;
  }

  #fail(what: string): EnumeratorFailure {
    return this.#failWith(new EnumeratorFailure(`${this.#name} ${what}`));
  }

  /** The first failure counts; the thread is ended, whatever it is busy with. */
  #failWith(failure: EnumeratorFailure): EnumeratorFailure {
    if (this.#failure !== null) return this.#failure;
    this.#failure = failure;
    void this.#thread.terminate();
    this.#settle?.(failure);
    return failure;
  }
}

/** `file:` URL of a bundled module. */
export function moduleUrlOf(path: string): string {
  return pathToFileURL(path).href;
}
