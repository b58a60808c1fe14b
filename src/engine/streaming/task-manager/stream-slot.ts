// One slot of a streaming job, seen from its TaskManager's main thread: a thread that runs the slot's tasks of one
// attempt. A user's function may block it for ever or end it: heartbeats go on, and the thread is ended from here.
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../../model/errors.ts';
import type { SlotDeployment, StreamToJobMaster, StreamToTaskManager } from '../protocol/stream-messages.ts';

/** How long tasks that were told to stop get to stop by themselves before their thread is ended. */
const stopGraceMs = 2_000;

export interface StreamSlotOptions {
  readonly deployment: SlotDeployment;
  readonly tell: (message: StreamToJobMaster) => void;
  /** Called once, when nothing of the attempt runs any more. */
  readonly onEnded: () => void;
}

export class StreamSlot {
  readonly attempt: number;
  readonly #thread: Worker;
  #isStopping = false;

  constructor({ deployment, tell, onEnded }: StreamSlotOptions) {
    const { attempt, slot } = deployment;
    this.attempt = attempt;
    // Beside this module in dist/, as every bundle.
    this.#thread = new Worker(new URL('./stream-slot.js', import.meta.url), { workerData: deployment });
    this.#thread.on('message', (message: StreamToJobMaster) => tell(message));
    const failed = (why: string) => {
      if (!this.#isStopping)
        tell({
          ...{ type: 'failed', attempt, task: null, isConsequence: false },
          message: `the tasks ended their thread${why}`,
        });
      this.#isStopping = true;
    };
    this.#thread.on('error', (error) => failed(`: ${messageOf(error)}`));
    this.#thread.on('exit', () => {
      failed('');
      tell({ type: 'ended', attempt, slot });
      onEnded();
    });
  }

  send(message: StreamToTaskManager): void {
    if (message.type === 'finish' || message.type === 'cancel') this.#stop();
    this.#thread.postMessage(message);
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    setTimeout(() => void this.#thread.terminate(), stopGraceMs).unref();
  }
}
