// The TaskManager: runs attempts on its slots for the leading JobMaster and keeps its partitions when masters come and
// go. Attempts that an older master deployed are canceled (design: invariant 3). Its folder outlives it.
import { messageOf } from '../../model/errors.ts';
import type { WorkerId } from '../../model/ids.ts';
import type { FoundSplit } from '../../model/job-graph.ts';
import { deletePartitions, deleteStale } from '../partition-store/partition-deletion.ts';
import { reportPartitions } from '../partition-store/report-partitions.ts';
import { LeaderFollower } from '../protocol/leader-follower.ts';
import type {
  ExecutionRef,
  PartitionName,
  TaskDeployment,
  TaskManagerCommand,
  ToJobMaster,
} from '../protocol/messages.ts';
import { parseToTaskManager } from '../protocol/validate.ts';
import { Slot } from './slot.ts';
import type { TaskOutcome } from './slot-messages.ts';

export interface TaskManagerOptions {
  readonly masterFile: string;
  readonly workerFolder: string;
  readonly workerId: WorkerId;
  readonly slots: number;
  readonly slotMemoryBytes: number;
  readonly orphanTimeoutMs: number;
  /** Called once, when the process may end. */
  readonly onEnd: (reason: string) => void;
  /** Called with what an operator may want to find in the log. */
  readonly onTrouble: (what: string) => void;
  /** Called when no task can run here. */
  readonly onBroken: (reason: string) => void;
}

export class TaskManager {
  readonly #options: TaskManagerOptions;
  readonly #slots: Slot[];
  readonly #running = new Map<Slot, TaskDeployment>();
  readonly #waiting: TaskDeployment[] = [];
  readonly #follower: LeaderFollower<TaskManagerCommand>;

  constructor(options: TaskManagerOptions) {
    this.#options = options;
    const { workerFolder, slotMemoryBytes: memoryBytes, onBroken } = options;
    const onSplitRequest = (slot: Slot, input: number) => this.#requestSplit(slot, input);
    this.#slots = Array.from(
      { length: options.slots },
      (_, slot) => new Slot({ workerFolder, slot, memoryBytes, onBroken, onSplitRequest }),
    );
    this.#follower = new LeaderFollower({
      masterFile: options.masterFile,
      orphanTimeoutMs: options.orphanTimeoutMs,
      parse: parseToTaskManager,
      registration: (token) => this.#registration(token),
      obey: (command) => this.#obey(command),
      onLost: () => void this.#cancelAll(),
      onEnd: options.onEnd,
    });
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when no attempt runs any more; takes no new ones. */
  async stop(): Promise<void> {
    this.#follower.stop();
    await this.#cancelAll();
  }

  /** Resolves when every slot's thread has started: before that, an exit of the process aborts. */
  async ready(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.ready()));
  }

  async #registration(token: string): Promise<ToJobMaster> {
    // What an earlier master deployed is not wanted any more; the report must not race with its partitions.
    await this.#cancelAll();
    const { workerId, workerFolder, slots } = this.#options;
    const partitions = await reportPartitions(workerFolder);
    // Half-written files of attempts that were killed, and what is damaged: nobody will ever read them.
    await deleteStale(workerFolder, partitions);
    return { type: 'register-worker', token, workerId, pid: process.pid, slots, partitions };
  }

  #obey(command: TaskManagerCommand): void {
    switch (command.type) {
      case 'deploy':
        return this.#deploy(command.deployment);
      case 'cancel':
        return this.#cancel(command.execution);
      case 'release-partitions':
        return this.#release(command.partitions);
      case 'split':
        return this.#answer(command.execution, command.input, command.split);
      case 'stream':
        return;
    }
  }

  #deploy(deployment: TaskDeployment): void {
    // A canceled attempt may still hold the slot that the master counts as free.
    const slot = this.#slots.find((candidate) => candidate.isFree);
    if (!slot) return void this.#waiting.push(deployment);
    this.#running.set(slot, deployment);
    void slot.run(deployment).then((outcome) => {
      this.#running.delete(slot);
      this.#report(deployment, outcome);
      const next = this.#waiting.shift();
      if (next) this.#deploy(next);
    });
  }

  #report(deployment: TaskDeployment, outcome: TaskOutcome): void {
    const { epoch, execution } = deployment;
    if (epoch !== this.#follower.epoch) return;
    if (outcome.type === 'finished') {
      this.#follower.send({ type: 'task-finished', epoch, execution, result: outcome.result });
    } else {
      this.#follower.send({ type: 'task-failed', epoch, execution, failure: outcome.failure });
    }
  }

  #requestSplit(slot: Slot, input: number): void {
    const deployment = this.#running.get(slot);
    if (deployment?.epoch !== this.#follower.epoch) return;
    const { epoch, execution } = deployment;
    this.#follower.send({ type: 'split-request', epoch, execution, input });
  }

  #answer(execution: ExecutionRef, input: number, split: FoundSplit | null): void {
    for (const [slot, deployment] of this.#running) {
      if (deployment.epoch === this.#follower.epoch && isSame(deployment.execution, execution))
        slot.answer(input, split);
    }
  }

  #cancel(execution: ExecutionRef): void {
    const index = this.#waiting.findIndex((deployment) => isSame(deployment.execution, execution));
    if (index >= 0) this.#waiting.splice(index, 1);
    for (const [slot, deployment] of this.#running) if (isSame(deployment.execution, execution)) slot.cancel();
  }

  /** What cannot be deleted now is reported with the next registration, and released again then. */
  #release(partitions: readonly PartitionName[]): void {
    void deletePartitions(this.#options.workerFolder, partitions).catch((error) =>
      this.#options.onTrouble(`cannot delete released partitions: ${messageOf(error)}`),
    );
  }

  /** Resolves when no attempt runs any more. */
  async #cancelAll(): Promise<void> {
    this.#waiting.length = 0;
    for (const slot of this.#running.keys()) slot.cancel();
    while (this.#running.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function isSame(a: ExecutionRef, b: ExecutionRef): boolean {
  return a.vertexId === b.vertexId && a.subtask === b.subtask && a.attempt === b.attempt;
}
