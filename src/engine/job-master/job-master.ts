// The JobMaster: the only process that decides. It takes an epoch, replays the store into its ExecutionGraph, goes
// CREATED → RECONCILING → RUNNING, runs the tasks, commits the sinks and records the end. One master is one epoch;
// what it records is what a successor knows. Design: "The engine", invariants 3, 6, 8 and 9.
import { randomBytes } from 'node:crypto';
import { invariant, type JobrecError } from '../../model/errors.ts';
import type { JobGraph } from '../../model/job-graph.ts';
import type { Options } from '../../model/options.ts';
import { shuffleServiceId } from '../../model/shuffle-placements.ts';
import { isGloballyTerminal, type JobState } from '../../model/states.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import type { ClusterSize, JobMasterStart } from '../processes.ts';
import { writeMasterFile } from '../protocol/master-file.ts';
import type { ToJobMaster, WholePartition } from '../protocol/messages.ts';
import { deleteRunFiles } from '../run-files.ts';
import { ShuffleHost } from '../shuffle-service/shuffle-host.ts';
import { openStaging, planCommit, rollForward } from '../sinks/sink-commit.ts';
import { ClientHub } from './client-hub.ts';
import type { EventRecorder } from './event-recorder.ts';
import { type Listener, listen, loopbackHost } from './listener.ts';
import { endRules, type MasterEnd } from './master-end.ts';
import type { Mastership } from './mastership.ts';
import { PartitionReleaser } from './partition-releaser.ts';
import { PartitionTracker } from './partition-tracker.ts';
import { ProcessTable } from './process-table.ts';
import { awaitWorkers } from './reconciling.ts';
import { Recovery } from './recovery.ts';
import { jitterOf } from './restart-strategy.ts';
import { SnapshotPacer } from './snapshot-pacer.ts';
import { TaskScheduler } from './task-scheduler.ts';
import { type RegisteredWorker, WorkerPool } from './worker-pool.ts';
import { registrationTimeoutOf, taskManagersOf, WorkerSupervisor } from './worker-supervisor.ts';

const progressIntervalMs = 100;
const superviseIntervalMs = 200;
const snapshotPollIntervalMs = 200;
/** How long workers get to end themselves before they are killed. */
const shutdownTimeoutMs = 3_000;

export class JobMaster {
  readonly #folder: JobFolder;
  readonly #mastership: Mastership;
  readonly #recorder: EventRecorder;
  readonly #jobGraph: JobGraph;
  readonly #options: Options;
  readonly #pool: WorkerPool;
  readonly #tracker = new PartitionTracker();
  readonly #releaser: PartitionReleaser;
  /** null: partitions stay with the workers. */
  readonly #shuffle: ShuffleHost | null;
  readonly #scheduler: TaskScheduler;
  readonly #recovery: Recovery;
  readonly #supervisor: WorkerSupervisor;
  readonly #clients: ClientHub;
  readonly #processes: ProcessTable;
  readonly #timers: NodeJS.Timeout[] = [];
  #listener: Listener | null = null;
  #reconciled = false;
  #stopping = false;
  #concluding = false;
  #anyWorkerOutlived = false;
  #end!: (end: MasterEnd) => void;
  readonly #ended = new Promise<MasterEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(folder: JobFolder, size: ClusterSize, mastership: Mastership) {
    this.#folder = folder;
    this.#mastership = mastership;
    this.#recorder = mastership.recorder;
    this.#options = mastership.options;
    invariant(this.#recorder.graph.graph, 'the store begins with the submitted job');
    this.#jobGraph = this.#recorder.graph.graph;
    this.#processes = new ProcessTable(folder.processesFile, () => mastership.leads());
    this.#clients = new ClientHub(() => this.#listProcesses());
    this.#pool = new WorkerPool(mastership.epoch, {
      registered: (worker, partitions) => this.#workerRegistered(worker, partitions),
      lost: (worker, reason) => this.#workerLost(worker, reason),
      received: (worker, message) => this.#workerSaid(worker, message),
    });
    this.#supervisor = new WorkerSupervisor({
      ...taskManagersOf(folder, size),
      isRegistered: (workerId) => this.#pool.workers.has(workerId),
      mayStart: () => mastership.leads(),
      registrationTimeoutMs: registrationTimeoutOf(this.#options),
      onStarted: () => this.#listProcesses(),
      onHopeless: (error) => this.#hopeless(error),
    });
    this.#shuffle = this.#jobGraph.shuffle === 'service' ? this.#createShuffle(size.orphanTimeoutMs) : null;
    this.#releaser = new PartitionReleaser({
      folder,
      epoch: mastership.epoch,
      recorder: this.#recorder,
      pool: this.#pool,
      tracker: this.#tracker,
      shuffle: this.#shuffle?.master ?? null,
      isConfigured: (workerId) => this.#supervisor.workerIds.includes(workerId),
      beforeRelease: () => this.#scheduler.recordWaitingSnapshots(),
      onNotice: (message) => this.#clients.notice(message),
    });
    this.#scheduler = this.#createScheduler();
    this.#recovery = this.#createRecovery();
    mastership.onPoisoned((end) => this.#stop(end));
    mastership.onNotice((message) => this.#clients.notice(message));
  }

  /** Leads the job to its end, whatever end that is. */
  async run(start: JobMasterStart): Promise<MasterEnd> {
    const end = await this.#lead(start).catch((error) => this.#mastership.endOf(error));
    return this.#conclude(end);
  }

  /** Ends the work and keeps the state: the same command resumes. */
  suspend(reason: string): void {
    this.#stop({ kind: 'suspended', reason });
  }

  async #lead(start: JobMasterStart): Promise<MasterEnd> {
    const { graph } = this.#recorder;
    if (isGloballyTerminal(graph.state)) return { kind: terminalKind(graph.state), reason: graph.stateReason };
    // Asked before any worker is started: afterwards the question has no answer.
    this.#anyWorkerOutlived = (await this.#supervisor.anyAlive()) || ((await this.#shuffle?.anyAlive()) ?? false);
    this.#superviseAll();
    await this.#mastership.requireLead();
    await openStaging(this.#sinkRun());
    await this.#open();
    const isRecovery = start !== 'submitted' && this.#mastership.epoch > 1;
    if (isRecovery) await Promise.race([this.#recover(start), this.#ended]);
    if (!this.#stopping) this.#start();
    const end = await this.#ended;
    this.#scheduler.stop();
    if (end.kind === 'finished') await this.#commit();
    return end;
  }

  #start(): void {
    this.#reconciled = true;
    this.#status('RUNNING', null);
    // The point of no return was passed by an earlier master: nothing runs, the commit only rolls forward.
    if (this.#recorder.graph.commit) this.#stop({ kind: 'finished', reason: null });
    else {
      this.#shuffle?.master.settle();
      this.#scheduler.start();
    }
  }

  #hopeless(error: JobrecError): void {
    this.#stop({ kind: 'suspended', reason: `${error.message}; ${error.hint ?? ''}` });
  }

  /** The first end counts: what follows it comes too late. */
  #stop(end: MasterEnd): void {
    this.#stopping = true;
    this.#end(end);
  }

  async #open(): Promise<void> {
    const token = randomBytes(24).toString('hex');
    this.#listener = await listen(token, {
      worker: (connection, registration) => this.#pool.register(connection, registration),
      shuffleService: (connection, registration) => this.#shuffle?.register(connection, registration),
      client: (connection, pid) => {
        this.#clients.attach(connection, pid);
        this.#clients.onControl(connection, (command, reason) => this.#control(command, reason));
      },
      control: (connection, control) => {
        this.#clients.attach(connection, process.pid);
        this.#control(control.command, control.reason);
      },
    });
    const { epoch } = this.#mastership;
    const { port } = this.#listener;
    await this.#mastership.requireLead();
    await writeMasterFile(this.#folder.masterFile, { epoch, pid: process.pid, host: loopbackHost, port, token });
    this.#listProcesses();
    this.#every(progressIntervalMs, () => this.#clients.progress(this.#scheduler.progress()));
    this.#every(superviseIntervalMs, () => this.#superviseAll());
    this.#every(snapshotPollIntervalMs, () => this.#mastership.considerSnapshot());
    this.#every(this.#options.heartbeatIntervalMs, () => void this.#heartbeat());
  }

  async #heartbeat(): Promise<void> {
    // First of all: to a master that was stopped and replaced, its successor's workers look silent.
    if (await this.#mastership.checkFence()) return;
    this.#pool.heartbeat();
    this.#pool.dropSilent(this.#options.heartbeatTimeoutMs);
    this.#shuffle?.heartbeat(this.#options.heartbeatTimeoutMs);
  }

  async #recover(start: JobMasterStart): Promise<void> {
    const cause = this.#mastership.causeOf(start, this.#anyWorkerOutlived);
    this.#status('CREATED', `epoch ${this.#mastership.epoch} takes over (${cause})`);
    this.#status('RECONCILING', null);
    await this.#recovery.takeOver(cause);
  }

  /** With a shuffle service nothing depends on the workers: they may come back while the job goes on. */
  async #awaitHolders(timeoutMs: number): Promise<void> {
    const workers = awaitWorkers(this.#folder, this.#supervisor, this.#pool, timeoutMs);
    await (this.#shuffle ? this.#shuffle.recover(timeoutMs) : workers);
  }

  async #commit(): Promise<void> {
    const { graph } = this.#recorder;
    if (!graph.commit) await this.#recorder.record(await planCommit(graph, this.#sinkRun()));
    invariant(graph.commit, 'the commit is recorded before the first rename');
    await rollForward(graph.commit, this.#sinkRun());
  }

  async #conclude(end: MasterEnd): Promise<MasterEnd> {
    this.#concluding = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#supervisor.stop();
    this.#shuffle?.stop();
    const final = await this.#recordEnd(end);
    const rule = endRules[final.kind];
    this.#clients.progress(this.#scheduler.progress());
    // A fenced master's workers have, or will have, another leader.
    if (final.kind !== 'fenced') await this.#endWorkers();
    if (rule.deletes) {
      await deleteRunFiles({ folder: this.#folder, jobGraph: this.#jobGraph, jobId: this.#mastership.jobId });
    }
    if (final.kind !== 'fenced') await this.#processes.remove();
    this.#clients.status(rule.tells, final.reason);
    this.#listener?.close();
    return final;
  }

  /** Records the last status; a store that fails even then makes the end a poisoned one. */
  async #recordEnd(end: MasterEnd): Promise<MasterEnd> {
    const state = endRules[end.kind].records;
    if (state === null) return end;
    try {
      // A clean stop loses nothing: the next JobMaster goes on with what this one's coordinators know.
      if (state === 'SUSPENDED') this.#scheduler.recordWaitingSnapshots();
      if (this.#recorder.graph.state !== state) {
        await this.#recorder.record({ type: 'job-status-changed', state, reason: end.reason });
      }
      await this.#mastership.close(isGloballyTerminal(state));
      return end;
    } catch (error) {
      return this.#mastership.endOf(error);
    }
  }

  async #endWorkers(): Promise<void> {
    this.#supervisor.killStarting();
    const serviceEnded = this.#shuffle?.end(shutdownTimeoutMs);
    this.#pool.shutdown();
    const deadline = performance.now() + shutdownTimeoutMs;
    while (this.#pool.workers.size > 0 && performance.now() < deadline) await pause(5);
    this.#pool.dropSilent(0);
    await this.#supervisor.killUnregistered();
    await serviceEnded;
  }

  #superviseAll(): void {
    void this.#supervisor.ensureAll();
    void this.#shuffle?.ensure();
  }

  #createShuffle(orphanTimeoutMs: number): ShuffleHost {
    return new ShuffleHost(this.#folder, this.#mastership, this.#tracker, orphanTimeoutMs, {
      registered: () => this.#shuffleServiceRegistered(),
      settled: () => this.#releaser.deleteUnwanted(shuffleServiceId),
      noticed: (what) => this.#clients.notice(what),
      changed: () => this.#listProcesses(),
      hopeless: (error) => this.#hopeless(error),
    });
  }

  #shuffleServiceRegistered(): void {
    if (!this.#reconciled || this.#concluding) return;
    this.#recovery.workerReturned(shuffleServiceId);
    this.#shuffle?.master.settle();
    this.#scheduler.schedule();
  }

  #createScheduler(): TaskScheduler {
    const { epoch, failures, jobId } = this.#mastership;
    const { graph } = this.#recorder;
    return new TaskScheduler({
      recorder: this.#recorder,
      pool: this.#pool,
      tracker: this.#tracker,
      releaser: this.#releaser,
      pacer: new SnapshotPacer(this.#options.snapshotMinPauseMs),
      shuffle: this.#shuffle?.master ?? null,
      deployment: {
        folder: this.#folder,
        graph,
        jobGraph: this.#jobGraph,
        epoch,
        timeoutMs: this.#options.taskTimeoutMs,
      },
      adaptive: {
        minParallelism: this.#options.autoParallelism.minParallelism,
        bytesPerTask: this.#options.autoParallelism.avgDataVolumePerTaskBytes,
      },
      enumeratorTimeoutMs: this.#options.enumeratorTimeoutMs,
      restartStrategy: this.#options.restartStrategy,
      failures,
      jitter: jitterOf(jobId),
      onAllFinished: () => this.#stop({ kind: 'finished', reason: null }),
      onFailed: (reason) => this.#stop({ kind: 'failed', reason }),
      onSuspended: (reason) => this.#stop({ kind: 'suspended', reason }),
      onNotice: (message) => this.#clients.notice(message),
    });
  }

  #createRecovery(): Recovery {
    return new Recovery({
      folder: this.#folder,
      jobGraph: this.#jobGraph,
      jobId: this.#mastership.jobId,
      epoch: this.#mastership.epoch,
      recorder: this.#recorder,
      pool: this.#pool,
      tracker: this.#tracker,
      releaser: this.#releaser,
      scheduler: this.#scheduler,
      awaitHolders: () => this.#awaitHolders(this.#options.previousWorkerTimeoutMs),
      onNotice: (message) => this.#clients.notice(message),
    });
  }

  #workerRegistered(worker: RegisteredWorker, partitions: readonly WholePartition[]): void {
    const { workerId, pid, slots } = worker;
    void this.#recorder.record({ type: 'worker-registered', workerId, pid, slots, partitions: partitions.length });
    this.#tracker.report(workerId, partitions);
    this.#listProcesses();
    if (!this.#reconciled) return;
    this.#recovery.workerReturned(workerId);
    this.#releaser.deleteUnwanted(workerId);
    this.#scheduler.schedule();
  }

  #workerLost(worker: RegisteredWorker, reason: string): void {
    if (this.#concluding) return;
    void this.#recorder.record({ type: 'worker-lost', workerId: worker.workerId, reason });
    this.#clients.notice(`${worker.workerId} was lost: ${reason}`);
    this.#scheduler.workerLost(worker, reason);
    this.#listProcesses();
    void this.#supervisor.ensureAll();
  }

  #workerSaid(worker: RegisteredWorker, message: ToJobMaster): void {
    if (message.type === 'task-finished' && message.epoch === this.#mastership.epoch) {
      this.#scheduler.taskFinished(worker, message.execution, message.result);
    } else if (message.type === 'task-failed' && message.epoch === this.#mastership.epoch) {
      this.#scheduler.taskFailed(worker, message.execution, message.failure);
    } else if (message.type === 'split-request' && message.epoch === this.#mastership.epoch) {
      this.#scheduler.splitRequested(worker, message.execution, message.input);
    }
  }

  #control(command: 'cancel' | 'suspend', reason: string): void {
    this.#stop({ kind: command === 'cancel' ? 'canceled' : 'suspended', reason });
  }

  #status(state: JobState, reason: string | null): void {
    void this.#recorder.record({ type: 'job-status-changed', state, reason });
    this.#clients.status(state, reason);
  }

  #listProcesses(): void {
    const registered = [...this.#pool.workers.values()].map(({ workerId, pid }) => ({ workerId, pid }));
    const client = this.#clients.pid;
    this.#processes.update({
      epoch: this.#mastership.epoch,
      client: client === null ? null : { pid: client },
      jobMaster: { pid: process.pid },
      ...(this.#shuffle?.pid ? { shuffleService: { pid: this.#shuffle.pid } } : {}),
      taskManagers: [...registered, ...this.#supervisor.starting],
    });
  }

  #sinkRun() {
    return { jobGraph: this.#jobGraph, jobId: this.#mastership.jobId, epoch: this.#mastership.epoch };
  }

  #every(intervalMs: number, action: () => void): void {
    this.#timers.push(setInterval(action, intervalMs));
  }
}

function terminalKind(state: JobState): MasterEnd['kind'] {
  if (state === 'FAILED') return 'failed';
  return state === 'CANCELED' ? 'canceled' : 'finished';
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
