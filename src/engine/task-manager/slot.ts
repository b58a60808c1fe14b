// One slot of a TaskManager, seen from the main thread: a thread with its own DuckDB instance that runs one attempt at
// a time. A user's function may block its thread for ever or end it: heartbeats go on, and the slot gets a new thread.
// A thread that ends before it could run anything is no task's doing: the slot is broken, and says so.
import { Worker } from 'node:worker_threads';
import { invariant, messageOf } from '../../model/errors.ts';
import type { FoundSplit } from '../../model/job-graph.ts';
import { timeoutMessage } from '../kernel/timeout-message.ts';
import type { TaskDeployment } from '../protocol/messages.ts';
import type { FromSlot, SlotSetup, TaskOutcome, ToSlot } from './slot-messages.ts';

/** How long an attempt that was told to stop, or is out of time, gets to stop by itself before its thread is ended. */
const stopGraceMs = 2_000;

export interface SlotOptions extends SlotSetup {
  /** The slot cannot run anything: its database does not open. */
  readonly onBroken: (reason: string) => void;
  /** The running attempt asks for its next split. */
  readonly onSplitRequest: (slot: Slot, input: number) => void;
}

export class Slot {
  readonly #setup: SlotSetup;
  readonly #onBroken: (reason: string) => void;
  readonly #onSplitRequest: (slot: Slot, input: number) => void;
  #thread: Worker;
  #isReady = false;
  #onReady: () => void = () => {};
  #settle: ((outcome: TaskOutcome) => void) | null = null;

  constructor({ onBroken, onSplitRequest, ...setup }: SlotOptions) {
    this.#setup = setup;
    this.#onBroken = onBroken;
    this.#onSplitRequest = onSplitRequest;
    this.#thread = this.#startThread();
  }

  get isFree(): boolean {
    return this.#settle === null;
  }

  /** Resolves when the thread's database is open. A process that exits earlier aborts in the native library's start. */
  ready(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReady = resolve;
    });
  }

  /** Runs one attempt. Always resolves: what goes wrong is an outcome. */
  async run(deployment: TaskDeployment): Promise<TaskOutcome> {
    invariant(this.isFree, 'a slot runs one attempt at a time');
    const timer = this.#backstop(deployment.timeoutMs);
    const outcome = await new Promise<TaskOutcome>((resolve) => {
      this.#settle = resolve;
      this.#tell({ type: 'run', deployment });
    });
    clearTimeout(timer);
    return outcome;
  }

  /** Asks the attempt to stop; a thread that does not react is ended. */
  cancel(): void {
    const canceled = this.#settle;
    if (!canceled) return;
    this.#tell({ type: 'cancel' });
    const end = () => this.#settle === canceled && this.#replaceThread('canceled', 'canceled');
    setTimeout(end, stopGraceMs).unref();
  }

  /** Hands the JobMaster's answer to the running attempt. */
  answer(input: number, split: FoundSplit | null): void {
    this.#tell({ type: 'split', input, split });
  }

  /** The thread keeps the time by itself, unless a function blocks it. */
  #backstop(timeoutMs: number | null): NodeJS.Timeout | undefined {
    if (timeoutMs === null) return undefined;
    return setTimeout(() => this.#replaceThread('task', timeoutMessage(timeoutMs)), timeoutMs + stopGraceMs);
  }

  #tell(message: ToSlot): void {
    this.#thread.postMessage(message);
  }

  #startThread(): Worker {
    this.#isReady = false;
    const thread = new Worker(new URL('./slot-worker.js', import.meta.url), { workerData: this.#setup });
    thread.on('message', (message: FromSlot) => {
      if (thread === this.#thread) this.#hear(message);
    });
    thread.on('error', (error) => this.#threadEnded(thread, `: ${messageOf(error)}`));
    thread.on('exit', () => this.#threadEnded(thread, ''));
    return thread;
  }

  #hear(message: FromSlot): void {
    if (message.type === 'split-request') return this.#onSplitRequest(this, message.input);
    if (message.type !== 'ready') return this.#end(message);
    this.#isReady = true;
    this.#onReady();
  }

  #threadEnded(thread: Worker, why: string): void {
    if (thread !== this.#thread) return;
    if (this.#isReady) this.#replaceThread('task', `the task ended its thread${why}`);
    else this.#onBroken(`slot ${this.#setup.slot} could not be started${why}`);
  }

  #replaceThread(kind: 'task' | 'canceled', message: string): void {
    const ended = this.#thread;
    this.#thread = this.#startThread();
    void ended.terminate();
    this.#end({ type: 'failed', failure: { kind, message, partition: null } });
  }

  #end(outcome: TaskOutcome): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(outcome);
  }
}
