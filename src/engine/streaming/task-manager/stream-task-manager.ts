// The TaskManager of a streaming job: runs the slots that the leading JobMaster deploys and passes on what the two say
// to each other. As with the TaskManager of a batch job, tasks of an earlier leader end before the next one is
// registered with. Keeps nothing on disk: state lies in checkpoints.
import type { WorkerId } from '../../../model/ids.ts';
import { LeaderFollower } from '../../protocol/leader-follower.ts';
import type { TaskManagerCommand, ToJobMaster } from '../../protocol/messages.ts';
import { parseToTaskManager } from '../../protocol/validate.ts';
import type { SlotDeployment, StreamToTaskManager } from '../protocol/stream-messages.ts';
import { StreamSlot } from './stream-slot.ts';

export interface StreamTaskManagerOptions {
  readonly masterFile: string;
  readonly workerId: WorkerId;
  readonly slots: number;
  readonly orphanTimeoutMs: number;
  /** Called once, when the process may end. */
  readonly onEnd: (reason: string) => void;
}

export class StreamTaskManager {
  readonly #options: StreamTaskManagerOptions;
  readonly #slots = new Set<StreamSlot>();
  readonly #follower: LeaderFollower<TaskManagerCommand>;

  constructor(options: StreamTaskManagerOptions) {
    this.#options = options;
    this.#follower = new LeaderFollower({
      masterFile: options.masterFile,
      orphanTimeoutMs: options.orphanTimeoutMs,
      parse: parseToTaskManager,
      registration: (token) => this.#registration(token),
      obey: (command) => {
        if (command.type === 'stream') this.#pass(command.message);
      },
      onLost: () => void this.#cancelAll(),
      onEnd: options.onEnd,
    });
  }

  start(): void {
    this.#follower.start();
  }

  /** Threads are started by deployments: there is nothing to wait for. */
  async ready(): Promise<void> {}

  /** Resolves when no task runs any more; takes no new ones. */
  async stop(): Promise<void> {
    this.#follower.stop();
    await this.#cancelAll();
  }

  async #registration(token: string): Promise<ToJobMaster> {
    await this.#cancelAll();
    const { workerId, slots } = this.#options;
    return { type: 'register-worker', token, workerId, pid: process.pid, slots, partitions: [] };
  }

  #pass(message: StreamToTaskManager): void {
    if (message.type === 'deploy') this.#deploy(message.deployment);
    else for (const slot of this.#slots) if (slot.attempt === message.attempt) slot.send(message);
  }

  #deploy(deployment: SlotDeployment): void {
    const { epoch } = deployment;
    if (epoch !== this.#follower.epoch) return;
    const slot = new StreamSlot({
      deployment,
      tell: (message) => {
        if (epoch === this.#follower.epoch) this.#follower.send({ type: 'stream', epoch, message });
      },
      onEnded: () => this.#slots.delete(slot),
    });
    this.#slots.add(slot);
  }

  async #cancelAll(): Promise<void> {
    for (const slot of this.#slots) slot.send({ type: 'cancel', attempt: slot.attempt });
    while (this.#slots.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
