// The shuffle service as its JobMaster sees it: one process that is started, started again when it dies, taken for lost
// when it falls silent, and spoken to over one connection. It knows the process only; what a lost partition means for
// the job is its listener's business.
import type { JobrecError } from '../../model/errors.ts';
import type { WorkerId } from '../../model/ids.ts';
import { type JobFolder, shuffleServiceFolder } from '../../store/job-folder.ts';
import { WorkerSupervisor } from '../job-master/worker-supervisor.ts';
import { signalProcess, spawnShuffleService } from '../processes.ts';
import type { Connection } from '../protocol/connection.ts';
import type { ToJobMaster, ToShuffleService, WholePartition } from '../protocol/messages.ts';

export type ServiceConnection = Connection<ToShuffleService, ToJobMaster>;
export type ServiceRegistration = Extract<ToJobMaster, { type: 'register-shuffle-service' }>;

export interface ServiceProcessListener {
  registered(pid: number, partitions: readonly WholePartition[]): void;
  received(message: ToJobMaster): void;
  lost(reason: string): void;
  /** A process was started. */
  started(): void;
  /** It cannot be started. */
  hopeless(error: JobrecError): void;
}

export interface ServiceProcessOptions {
  readonly folder: JobFolder;
  readonly serviceId: WorkerId;
  readonly epoch: number;
  readonly orphanTimeoutMs: number;
  /** Whether this JobMaster still leads. */
  readonly mayStart: () => Promise<boolean>;
  /** A process that lives so long without registering hangs, and is killed. */
  readonly registrationTimeoutMs: number;
  readonly listener: ServiceProcessListener;
}

const pollIntervalMs = 5;

export class ServiceProcess {
  readonly #options: ServiceProcessOptions;
  readonly #supervisor: WorkerSupervisor;
  #link: { readonly pid: number; readonly connection: ServiceConnection } | null = null;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    const { folder, serviceId, orphanTimeoutMs, mayStart, registrationTimeoutMs, listener } = options;
    this.#supervisor = new WorkerSupervisor({
      workerIds: [serviceId],
      folderOf: (id) => shuffleServiceFolder(folder, id),
      spawn: (id) => spawnShuffleService(folder, id, orphanTimeoutMs),
      isRegistered: () => this.#link !== null,
      mayStart,
      registrationTimeoutMs,
      onStarted: () => listener.started(),
      onHopeless: (error) => listener.hopeless(error),
    });
  }

  /** Of the registered process, else of the one that was started last; null: there is none. */
  get pid(): number | null {
    return this.#link?.pid ?? this.#supervisor.starting[0]?.pid ?? null;
  }

  /** Whether the process of an earlier JobMaster is still there. */
  anyAlive(): Promise<boolean> {
    return this.#supervisor.anyAlive();
  }

  /** Starts it where none lives. Called at the start and at intervals. */
  ensure(): Promise<void> {
    return this.#supervisor.ensureAll();
  }

  /** Takes over a connection whose first message was a valid registration. */
  register(connection: ServiceConnection, { serviceId, pid, partitions }: ServiceRegistration): void {
    if (serviceId !== this.#options.serviceId) return connection.destroy();
    this.#drop('it registered again');
    const link = { pid, connection };
    this.#link = link;
    connection.peer = serviceId;
    connection.onMessage((message) => this.#options.listener.received(message));
    connection.onClose((cause) => {
      if (this.#link === link) this.#drop(cause ? `its connection broke (${cause.message})` : 'it went away');
    });
    connection.send({ type: 'registered', epoch: this.#options.epoch });
    this.#options.listener.registered(pid, partitions);
  }

  /** Resolves with whether it has registered within the time; a process that hangs is killed then. */
  async awaitRegistered(timeoutMs: number): Promise<boolean> {
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#link === null && performance.now() < deadlineMs) await pause(pollIntervalMs);
    if (this.#link === null) await this.#supervisor.killUnregistered();
    return this.#link !== null;
  }

  send(message: ToShuffleService): void {
    this.#link?.connection.send(message);
  }

  /** Kills a process that has not been heard for `timeoutMs`: its successor needs the folder. */
  dropSilent(timeoutMs: number): void {
    if (this.#link === null || this.#link.connection.silentMs() < timeoutMs) return;
    signalProcess(this.#link.pid, 'SIGKILL');
    this.#drop(`it has not answered for ${Math.round(timeoutMs / 1000)} s`);
  }

  /** Starts none any more. */
  stop(): void {
    this.#supervisor.stop();
  }

  /** Tells it to end, and kills what has not ended in time. */
  async end(timeoutMs: number): Promise<void> {
    this.#supervisor.killStarting();
    this.send({ type: 'shutdown', epoch: this.#options.epoch });
    const deadlineMs = performance.now() + timeoutMs;
    while (this.#link !== null && performance.now() < deadlineMs) await pause(pollIntervalMs);
    this.dropSilent(0);
    await this.#supervisor.killUnregistered();
  }

  #drop(reason: string): void {
    const link = this.#link;
    if (link === null) return;
    this.#link = null;
    link.connection.destroy();
    this.#options.listener.lost(reason);
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
