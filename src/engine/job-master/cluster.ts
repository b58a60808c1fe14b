// What surrounds the tasks of a streaming job: its TaskManagers, the clients that watch it, the door they come in by,
// and the list of processes. Decides nothing about the job.
import { randomBytes } from 'node:crypto';
import type { Options } from '../../../model/options.ts';
import type { JobFolder } from '../../../store/job-folder.ts';
import { ClientHub } from '../../job-master/client-hub.ts';
import { type Listener, listen, loopbackHost } from '../../job-master/listener.ts';
import type { Mastership } from '../../job-master/mastership.ts';
import { ProcessTable } from '../../job-master/process-table.ts';
import { type RegisteredWorker, WorkerPool } from '../../job-master/worker-pool.ts';
import { taskManagersOf, WorkerSupervisor } from '../../job-master/worker-supervisor.ts';
import type { ClusterSize } from '../../processes.ts';
import { writeMasterFile } from '../../protocol/master-file.ts';
import type { SavepointOrder, ToClient, VertexProgress } from '../../protocol/messages.ts';
import type { StreamToJobMaster } from '../protocol/stream-messages.ts';
import type { RequestOutcome } from './checkpoint-driver.ts';

const progressIntervalMs = 200;
const superviseIntervalMs = 200;
/** How long workers get to end themselves before they are killed. */
const shutdownTimeoutMs = 5_000;

export interface StreamClusterOptions {
  readonly folder: JobFolder;
  readonly size: ClusterSize;
  readonly mastership: Mastership;
  readonly options: Options;
  readonly workerRegistered: (worker: RegisteredWorker) => void;
  readonly workerLost: (worker: RegisteredWorker, reason: string) => void;
  readonly workerSaid: (worker: RegisteredWorker, message: StreamToJobMaster) => void;
  readonly control: (command: 'cancel' | 'suspend', reason: string) => void;
  /** Resolves when the savepoint is taken or has failed. */
  readonly savepoint: (order: SavepointOrder) => Promise<RequestOutcome>;
  /** No worker can be started any more. */
  readonly onHopeless: (reason: string) => void;
  readonly progress: () => readonly VertexProgress[];
  /** Now and then. */
  readonly onTick: () => void;
}

export class StreamCluster {
  readonly clients: ClientHub;
  readonly pool: WorkerPool;
  readonly #options: StreamClusterOptions;
  readonly #supervisor: WorkerSupervisor;
  readonly #processes: ProcessTable;
  readonly #timers: NodeJS.Timeout[] = [];
  #listener: Listener | null = null;
  #isClosing = false;

  constructor(options: StreamClusterOptions) {
    const { folder, size, mastership } = options;
    this.#options = options;
    this.#processes = new ProcessTable(folder.processesFile, () => mastership.leads());
    this.clients = new ClientHub(() => this.#listProcesses());
    this.pool = new WorkerPool(mastership.epoch, {
      registered: (worker) => this.#registered(worker),
      lost: (worker, reason) => this.#lost(worker, reason),
      received: (worker, message) => {
        const isOurs = message.type === 'stream' && message.epoch === mastership.epoch;
        if (isOurs) options.workerSaid(worker, message.message);
      },
    });
    this.#supervisor = new WorkerSupervisor({
      ...taskManagersOf(folder, size),
      isRegistered: (workerId) => this.pool.workers.has(workerId),
      mayStart: () => mastership.leads(),
      registrationTimeoutMs: Math.max(options.options.previousWorkerTimeoutMs, 3 * options.options.heartbeatTimeoutMs),
      onStarted: () => this.#listProcesses(),
      onHopeless: (error) => options.onHopeless(`${error.message}; ${error.hint ?? ''}`),
    });
  }

  /** Whether a worker of an earlier JobMaster is still there. To be asked before `open`. */
  anyWorkerOutlived(): Promise<boolean> {
    return this.#supervisor.anyAlive();
  }

  async open(): Promise<void> {
    const { folder, mastership, options, control, savepoint, progress, onTick } = this.#options;
    void this.#supervisor.ensureAll();
    const token = randomBytes(24).toString('hex');
    this.#listener = await listen(token, {
      worker: (connection, registration) => this.pool.register(connection, registration),
      client: (connection, pid) => {
        this.clients.attach(connection, pid);
        this.clients.onControl(connection, control);
      },
      control: (connection, message) => {
        this.clients.attach(connection, process.pid);
        control(message.command, message.reason);
      },
      savepoint: (connection, order) => {
        this.clients.attach(connection, null);
        void savepoint(order).then((outcome) => connection.send(answerOf(outcome)));
      },
    });
    const { epoch } = mastership;
    const { port } = this.#listener;
    await writeMasterFile(folder.masterFile, { epoch, pid: process.pid, host: loopbackHost, port, token });
    this.#listProcesses();
    this.#every(progressIntervalMs, () => this.clients.progress(progress()));
    this.#every(superviseIntervalMs, () => {
      void this.#supervisor.ensureAll();
      onTick();
    });
    this.#every(options.heartbeatIntervalMs, () => void this.#heartbeat());
  }

  /** Stops looking after the workers: the job is over. */
  stopSupervising(): void {
    this.#isClosing = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#supervisor.stop();
  }

  /** Ends the workers; those that do not end by themselves are killed. */
  async endWorkers(): Promise<void> {
    this.#supervisor.killStarting();
    this.pool.shutdown();
    const deadline = performance.now() + shutdownTimeoutMs;
    while (this.pool.workers.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.pool.dropSilent(0);
    await this.#supervisor.killUnregistered();
  }

  async removeProcessList(): Promise<void> {
    await this.#processes.remove();
  }

  close(): void {
    this.#listener?.close();
  }

  async #heartbeat(): Promise<void> {
    const { mastership, options } = this.#options;
    if (await mastership.checkFence()) return;
    this.pool.heartbeat();
    this.pool.dropSilent(options.heartbeatTimeoutMs);
  }

  #registered(worker: RegisteredWorker): void {
    const { workerId, pid, slots } = worker;
    const { recorder } = this.#options.mastership;
    void recorder.record({ type: 'worker-registered', workerId, pid, slots, partitions: 0 });
    this.#listProcesses();
    this.#options.workerRegistered(worker);
  }

  #lost(worker: RegisteredWorker, reason: string): void {
    if (this.#isClosing) return;
    const { recorder } = this.#options.mastership;
    void recorder.record({ type: 'worker-lost', workerId: worker.workerId, reason });
    this.clients.notice(`${worker.workerId} was lost: ${reason}`);
    this.#listProcesses();
    this.#options.workerLost(worker, reason);
    void this.#supervisor.ensureAll();
  }

  #listProcesses(): void {
    const registered = [...this.pool.workers.values()].map(({ workerId, pid }) => ({ workerId, pid }));
    const client = this.clients.pid;
    this.#processes.update({
      epoch: this.#options.mastership.epoch,
      client: client === null ? null : { pid: client },
      jobMaster: { pid: process.pid },
      taskManagers: [...registered, ...this.#supervisor.starting],
    });
  }

  #every(intervalMs: number, action: () => void): void {
    this.#timers.push(setInterval(action, intervalMs));
  }
}

function answerOf(outcome: RequestOutcome): ToClient {
  if (outcome.kind === 'failed') return { type: 'savepoint-failed', reason: outcome.reason };
  const { checkpointId, location: path, bytes } = outcome;
  return { type: 'savepoint-taken', checkpointId, path, bytes };
}
