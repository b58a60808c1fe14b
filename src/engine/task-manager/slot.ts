// One slot of a TaskManager, seen from the main thread: a thread with its own DuckDB instance that runs one attempt at
// a time. A user's function may block its thread for ever or end it: heartbeats go on, and the slot gets a new thread.
import { Worker } from 'node:worker_threads';
import { invariant, messageOf } from '../../model/errors.ts';
import type { TaskDeployment } from '../protocol/messages.ts';
import type { SlotSetup, TaskOutcome, ToSlot } from './slot-messages.ts';

/** How long a canceled attempt gets to stop by itself before its thread is ended. */
const cancelGraceMs = 2_000;

export class Slot {
  readonly #setup: SlotSetup;
  #thread: Worker;
  #settle: ((outcome: TaskOutcome) => void) | null = null;

  constructor(setup: SlotSetup) {
    this.#setup = setup;
    this.#thread = this.#startThread();
  }

  get isFree(): boolean {
    return this.#settle === null;
  }

  /** Runs one attempt. Always resolves: what goes wrong is an outcome. */
  async run(deployment: TaskDeployment): Promise<TaskOutcome> {
    invariant(this.isFree, 'a slot runs one attempt at a time');
    const { timeoutMs } = deployment;
    const timer = timeoutMs === null ? null : setTimeout(() => this.#timeOut(timeoutMs), timeoutMs);
    const outcome = await new Promise<TaskOutcome>((resolve) => {
      this.#settle = resolve;
      this.#tell({ type: 'run', deployment });
    });
    if (timer) clearTimeout(timer);
    return outcome;
  }

  /** Asks the attempt to stop; a thread that does not react is ended. */
  cancel(): void {
    const canceled = this.#settle;
    if (!canceled) return;
    this.#tell({ type: 'cancel' });
    setTimeout(() => {
      if (this.#settle === canceled) this.#replaceThread('canceled', 'canceled');
    }, cancelGraceMs).unref();
  }

  #timeOut(timeoutMs: number): void {
    if (this.#settle) this.#replaceThread('task', `the attempt took longer than task.timeout (${timeoutMs / 1000} s)`);
  }

  #tell(message: ToSlot): void {
    this.#thread.postMessage(message);
  }

  #startThread(): Worker {
    const thread = new Worker(new URL('./slot-worker.js', import.meta.url), { workerData: this.#setup });
    thread.on('message', (outcome: TaskOutcome) => this.#end(outcome));
    thread.on('error', (error) =>
      this.#replaceThread('task', `the task ended its thread: ${messageOf(error)}`, thread),
    );
    thread.on('exit', () => this.#replaceThread('task', 'the task ended its thread', thread));
    return thread;
  }

  #replaceThread(kind: 'task' | 'canceled', message: string, thread = this.#thread): void {
    if (thread !== this.#thread) return;
    this.#thread = this.#startThread();
    void thread.terminate();
    this.#end({ type: 'failed', failure: { kind, message, partition: null } });
  }

  #end(outcome: TaskOutcome): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(outcome);
  }
}
