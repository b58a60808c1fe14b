// The TaskManagers that a JobMaster knows: who has registered, which slots are free, who has fallen silent. It knows
// processes and connections only; what a lost worker means for the job is its listener's business.
import type { WorkerId } from '../../model/ids.ts';
import { signalProcess } from '../processes.ts';
import type { Connection } from '../protocol/connection.ts';
import type { ExecutionRef, ToJobMaster, ToTaskManager, WholePartition } from '../protocol/messages.ts';

export type WorkerConnection = Connection<ToTaskManager, ToJobMaster>;
export type Registration = Extract<ToJobMaster, { type: 'register-worker' }>;

export interface RegisteredWorker {
  readonly workerId: WorkerId;
  readonly pid: number;
  readonly slots: number;
  readonly connection: WorkerConnection;
  /** Attempts deployed to it and not ended, by task key. */
  readonly running: Map<string, ExecutionRef>;
}

export interface WorkerPoolListener {
  registered(worker: RegisteredWorker, partitions: readonly WholePartition[]): void;
  lost(worker: RegisteredWorker, reason: string): void;
  received(worker: RegisteredWorker, message: ToJobMaster): void;
}

export class WorkerPool {
  readonly workers = new Map<WorkerId, RegisteredWorker>();
  readonly #listener: WorkerPoolListener;
  readonly #epoch: number;

  constructor(epoch: number, listener: WorkerPoolListener) {
    this.#epoch = epoch;
    this.#listener = listener;
  }

  /** Takes over a connection whose first message was a valid registration. */
  register(connection: WorkerConnection, registration: Registration): void {
    const before = this.workers.get(registration.workerId);
    if (before) this.#drop(before, 'it registered again');
    const { workerId, pid, slots } = registration;
    const worker: RegisteredWorker = { workerId, pid, slots, connection, running: new Map() };
    this.workers.set(workerId, worker);
    connection.peer = workerId;
    connection.onMessage((message) => this.#listener.received(worker, message));
    connection.onClose((cause) =>
      this.#drop(worker, cause ? `its connection broke (${cause.message})` : 'it went away'),
    );
    connection.send({ type: 'registered', epoch: this.#epoch });
    this.#listener.registered(worker, registration.partitions);
  }

  /** The worker with the most free slots, or null when all are busy. */
  freest(): RegisteredWorker | null {
    let best: RegisteredWorker | null = null;
    for (const worker of this.workers.values()) {
      if (freeSlots(worker) > (best ? freeSlots(best) : 0)) best = worker;
    }
    return best;
  }

  heartbeat(): void {
    for (const worker of this.workers.values()) worker.connection.send({ type: 'heartbeat' });
  }

  /** Ends workers that have not been heard for `timeoutMs`: a process that hangs without dying is killed. */
  dropSilent(timeoutMs: number): void {
    for (const worker of [...this.workers.values()]) {
      if (worker.connection.silentMs() < timeoutMs) continue;
      signalProcess(worker.pid, 'SIGKILL');
      this.#drop(worker, `it has not answered for ${Math.round(timeoutMs / 1000)} s`);
    }
  }

  shutdown(): void {
    for (const worker of this.workers.values()) {
      worker.connection.send({ type: 'shutdown', epoch: this.#epoch });
    }
  }

  #drop(worker: RegisteredWorker, reason: string): void {
    if (this.workers.get(worker.workerId) !== worker) return;
    this.workers.delete(worker.workerId);
    worker.connection.destroy();
    this.#listener.lost(worker, reason);
  }
}

function freeSlots(worker: RegisteredWorker): number {
  return worker.slots - worker.running.size;
}
