// The TaskManager of a streaming job: runs the slots that the leading JobMaster deploys and passes on what the two say
// to each other. Follows the newest epoch, as the TaskManager of a batch job does: tasks of an earlier leader end
// before the next one is registered with. Keeps nothing on disk: state lies in checkpoints.
import type { WorkerId } from '../../../model/ids.ts';
import { LeaderFinder, type LeaderConnection as LeaderLink } from '../../protocol/leader-finder.ts';
import type { ToTaskManager } from '../../protocol/messages.ts';
import { parseToTaskManager } from '../../protocol/validate.ts';
import type { SlotDeployment, StreamToTaskManager } from '../protocol/stream-messages.ts';
import { StreamSlot } from './stream-slot.ts';

type LeaderConnection = LeaderLink<ToTaskManager>;

const heartbeatIntervalMs = 1_000;

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
  readonly #finder: LeaderFinder<ToTaskManager>;
  #leader: LeaderConnection | null = null;
  #epoch = 0;

  constructor(options: StreamTaskManagerOptions) {
    this.#options = options;
    this.#finder = new LeaderFinder({
      masterFile: options.masterFile,
      orphanTimeoutMs: options.orphanTimeoutMs,
      parse: parseToTaskManager,
      onLeader: (connection, token) => void this.#register(connection, token),
      onMessage: (connection, message) => this.#obey(connection, message),
      onLost: () => void this.#cancelAll(),
      onOrphaned: () => options.onEnd(`no JobMaster for ${options.orphanTimeoutMs / 1000} s`),
    });
  }

  start(): void {
    this.#finder.start();
    setInterval(() => this.#leader?.send({ type: 'heartbeat' }), heartbeatIntervalMs);
  }

  /** Threads are started by deployments: there is nothing to wait for. */
  async ready(): Promise<void> {}

  /** Resolves when no task runs any more; takes no new ones. */
  async stop(): Promise<void> {
    this.#epoch = Number.POSITIVE_INFINITY;
    await this.#cancelAll();
  }

  async #register(connection: LeaderConnection, token: string): Promise<void> {
    await this.#cancelAll();
    const { workerId, slots } = this.#options;
    connection.send({ type: 'register-worker', token, workerId, pid: process.pid, slots, partitions: [] });
  }

  #obey(connection: LeaderConnection, message: ToTaskManager): void {
    switch (message.type) {
      case 'registered':
        if (message.epoch < this.#epoch) return connection.destroy();
        this.#epoch = message.epoch;
        this.#leader = connection;
        return;
      case 'stream':
        if (message.epoch === this.#epoch) this.#pass(message.message);
        return;
      case 'shutdown':
        if (message.epoch === this.#epoch) this.#options.onEnd('the JobMaster ended the job');
        return;
      default:
        return;
    }
  }

  #pass(message: StreamToTaskManager): void {
    if (message.type === 'deploy') this.#deploy(message.deployment);
    else for (const slot of this.#slots) if (slot.attempt === message.attempt) slot.send(message);
  }

  #deploy(deployment: SlotDeployment): void {
    const { epoch } = deployment;
    if (epoch !== this.#epoch) return;
    const slot = new StreamSlot({
      deployment,
      tell: (message) => {
        if (epoch === this.#epoch) this.#leader?.send({ type: 'stream', epoch, message });
      },
      onEnded: () => this.#slots.delete(slot),
    });
    this.#slots.add(slot);
  }

  async #cancelAll(): Promise<void> {
    this.#leader = null;
    for (const slot of this.#slots) slot.send({ type: 'cancel', attempt: slot.attempt });
    while (this.#slots.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
