// What surrounds the tasks of a job: its TaskManagers, and its shuffle service if it has one, the clients that watch it,
// the door that all of them come in by, the list of processes, and the rounds in which all of it and the store's size are
// looked after. Decides nothing about the job: what happens here goes to its listener. The same for batch and streaming
// jobs. Design invariant 3: nothing here outlives a higher epoch.
import { randomBytes } from 'node:crypto';
import type { WorkerId } from '../../model/ids.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import type { ClusterSize } from '../processes.ts';
import { writeMasterFile } from '../protocol/master-file.ts';
import type { SavepointOrder, ToClient, ToJobMaster, VertexProgress, WholePartition } from '../protocol/messages.ts';
import type { ShuffleHost } from '../shuffle-service/shuffle-host.ts';
import { ClientHub } from './client-hub.ts';
import { type ClientConnection, type Control, type Listener, listen, loopbackHost } from './listener.ts';
import type { Mastership } from './mastership.ts';
import { ProcessTable } from './process-table.ts';
import { awaitWorkers } from './reconciling.ts';
import { type RegisteredWorker, WorkerPool } from './worker-pool.ts';
import { registrationTimeoutOf, taskManagersOf, WorkerSupervisor } from './worker-supervisor.ts';

const progressIntervalMs = 100;
const superviseIntervalMs = 200;

export interface ClusterListener {
  /** A worker has come, or come back, with what lies whole in its folder. */
  registered(worker: RegisteredWorker, partitions: readonly WholePartition[]): void;
  lost(worker: RegisteredWorker, reason: string): void;
  /** A message of this epoch. */
  received(worker: RegisteredWorker, message: ToJobMaster): void;
  control(command: Control['command'], reason: string): void;
  /** Absent: a job that has no savepoints. Resolves to the answer when the savepoint is taken or has failed. */
  savepoint?(order: SavepointOrder): Promise<ToClient>;
  /** A process cannot be started any more, or looked after. */
  hopeless(error: unknown): void;
  progress(): readonly VertexProgress[];
  /** Now and then. */
  tick?(): void;
}

export interface ClusterOptions {
  readonly folder: JobFolder;
  readonly size: ClusterSize;
  readonly mastership: Mastership;
  /** null: partitions stay with the workers. */
  readonly shuffle: ShuffleHost | null;
  /** How long processes get to end themselves before they are killed. */
  readonly shutdownTimeoutMs: number;
  readonly listener: ClusterListener;
}

export class Cluster {
  readonly clients: ClientHub;
  readonly pool: WorkerPool;
  readonly #options: ClusterOptions;
  readonly #supervisor: WorkerSupervisor;
  readonly #processes: ProcessTable;
  readonly #timers: NodeJS.Timeout[] = [];
  #door: Listener | null = null;
  #isClosing = false;

  constructor(options: ClusterOptions) {
    const { folder, size, mastership, listener } = options;
    this.#options = options;
    this.#processes = new ProcessTable(folder.processesFile, () => mastership.leads());
    this.clients = new ClientHub(() => this.listProcesses());
    this.pool = new WorkerPool(mastership.epoch, {
      registered: (worker, partitions) => this.#registered(worker, partitions),
      lost: (worker, reason) => this.#lost(worker, reason),
      received: (worker, message) => {
        if ('epoch' in message && message.epoch === mastership.epoch) listener.received(worker, message);
      },
    });
    this.#supervisor = new WorkerSupervisor({
      ...taskManagersOf(folder, size),
      isRegistered: (workerId) => this.pool.workers.has(workerId),
      mayStart: () => mastership.leads(),
      registrationTimeoutMs: registrationTimeoutOf(mastership.options),
      onStarted: () => this.listProcesses(),
      onHopeless: (error) => listener.hopeless(error),
    });
  }

  /** Starts the processes that are missing. Returns whether any of an earlier JobMaster was still there. */
  async startProcesses(): Promise<boolean> {
    // Asked before any is started: afterwards the question has no answer.
    const { shuffle } = this.#options;
    const anyOutlived = (await this.#supervisor.anyAlive()) || ((await shuffle?.anyAlive()) ?? false);
    this.#ensureProcesses();
    return anyOutlived;
  }

  /** From now on workers and clients find this JobMaster. Throws JOB_HELD where another one leads. */
  async open(): Promise<void> {
    const { folder, mastership } = this.#options;
    const token = randomBytes(24).toString('hex');
    this.#door = await this.#listen(token);
    const { epoch } = mastership;
    const { port } = this.#door;
    await mastership.requireLead();
    await writeMasterFile(folder.masterFile, { epoch, pid: process.pid, host: loopbackHost, port, token });
    this.listProcesses();
    this.#beginRounds();
  }

  /** Whether this run starts that worker. */
  isConfigured(workerId: WorkerId): boolean {
    return this.#supervisor.workerIds.includes(workerId);
  }

  /** Waits for those who may hold partitions of an earlier epoch. */
  async awaitHolders(timeoutMs: number): Promise<void> {
    const { folder, shuffle } = this.#options;
    const workers = awaitWorkers(folder, this.#supervisor, this.pool, timeoutMs);
    // With a shuffle service nothing depends on the workers: they may come back while the job goes on.
    await (shuffle ? shuffle.recover(timeoutMs) : workers);
  }

  /** Stops looking after the processes: the job is over. */
  stop(): void {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#supervisor.stop();
    this.#options.shuffle?.stop();
  }

  /** Ends the processes; those that do not end by themselves are killed. */
  async endProcesses(): Promise<void> {
    const { shuffle, shutdownTimeoutMs } = this.#options;
    this.#supervisor.killStarting();
    const serviceEnded = shuffle?.end(shutdownTimeoutMs);
    this.pool.shutdown();
    const deadline = performance.now() + shutdownTimeoutMs;
    while (this.pool.workers.size > 0 && performance.now() < deadline) await pause(5);
    this.pool.dropSilent(0);
    await this.#supervisor.killUnregistered();
    await serviceEnded;
  }

  async removeProcessList(): Promise<void> {
    await this.#processes.remove();
  }

  close(): void {
    this.#door?.close();
  }

  /** To be called when a process has come or gone. */
  listProcesses(): void {
    const registered = [...this.pool.workers.values()].map(({ workerId, pid }) => ({ workerId, pid }));
    const client = this.clients.pid;
    const servicePid = this.#options.shuffle?.pid;
    this.#processes.update({
      epoch: this.#options.mastership.epoch,
      client: client === null ? null : { pid: client },
      jobMaster: { pid: process.pid },
      ...(servicePid ? { shuffleService: { pid: servicePid } } : {}),
      taskManagers: [...registered, ...this.#supervisor.starting],
    });
  }

  #listen(token: string): Promise<Listener> {
    const { listener, shuffle } = this.#options;
    return listen(token, {
      worker: (connection, registration) => this.pool.register(connection, registration),
      shuffleService: (connection, registration) => shuffle?.register(connection, registration),
      client: (connection, pid) => {
        this.clients.attach(connection, pid);
        this.clients.onControl(connection, (command, reason) => listener.control(command, reason));
      },
      control: (connection, { command, reason }) => {
        this.clients.attach(connection, process.pid);
        listener.control(command, reason);
      },
      ...(listener.savepoint && { savepoint: (connection, order) => this.#takeSavepoint(connection, order) }),
    });
  }

  #takeSavepoint(connection: ClientConnection, order: SavepointOrder): void {
    this.clients.attach(connection, null);
    void this.#options.listener.savepoint?.(order).then((answer) => connection.send(answer));
  }

  #beginRounds(): void {
    const { mastership, listener } = this.#options;
    this.#every(progressIntervalMs, () => this.clients.progress(listener.progress()));
    this.#every(superviseIntervalMs, () => {
      this.#ensureProcesses();
      mastership.considerSnapshot();
      listener.tick?.();
    });
    this.#every(mastership.options.heartbeatIntervalMs, () => void this.#heartbeat());
  }

  #every(intervalMs: number, action: () => void): void {
    this.#timers.push(setInterval(action, intervalMs));
  }

  #ensureProcesses(): void {
    this.#ensureWorkers();
    this.#options.shuffle?.ensure();
  }

  #ensureWorkers(): void {
    this.#supervisor.ensureAll().catch((error) => this.#options.listener.hopeless(error));
  }

  async #heartbeat(): Promise<void> {
    const { mastership, shuffle } = this.#options;
    // First of all: to a master that was stopped and replaced, its successor's workers look silent.
    if (await mastership.checkFence()) return;
    const { heartbeatTimeoutMs } = mastership.options;
    this.pool.heartbeat();
    this.pool.dropSilent(heartbeatTimeoutMs);
    shuffle?.heartbeat(heartbeatTimeoutMs);
  }

  #registered(worker: RegisteredWorker, partitions: readonly WholePartition[]): void {
    const { workerId, pid, slots } = worker;
    const { mastership, listener } = this.#options;
    const event = { type: 'worker-registered', workerId, pid, slots, partitions: partitions.length } as const;
    void mastership.recorder.record(event);
    this.listProcesses();
    listener.registered(worker, partitions);
  }

  #lost(worker: RegisteredWorker, reason: string): void {
    if (this.#isClosing) return;
    const { mastership, listener } = this.#options;
    const { workerId } = worker;
    void mastership.recorder.record({ type: 'worker-lost', workerId, reason });
    this.clients.notice(`${workerId} was lost: ${reason}`);
    this.listProcesses();
    listener.lost(worker, reason);
    this.#ensureWorkers();
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
