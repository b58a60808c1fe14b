// The JobMaster of a batch job: the only process that decides. It takes an epoch, replays the store into its
// ExecutionGraph, goes CREATED → RECONCILING → RUNNING, runs the tasks, commits the sinks and records the end. One
// master is one epoch; what it records is what a successor knows. Design: "The engine", invariants 3, 6, 8 and 9.
import { invariant } from '../../model/errors.ts';
import type { JobGraph } from '../../model/job-graph.ts';
import { shuffleServiceId } from '../../model/shuffle-placements.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import type { ClusterSize, JobMasterStart } from '../processes.ts';
import type { ToJobMaster, WholePartition } from '../protocol/messages.ts';
import { deleteRunFiles } from '../run-files.ts';
import { ShuffleHost } from '../shuffle-service/shuffle-host.ts';
import { openStaging, planCommit, rollForward } from '../sinks/sink-commit.ts';
import { BadRowCounts } from './bad-row-counts.ts';
import { Cluster } from './cluster.ts';
import { MasterCourse } from './master-course.ts';
import type { MasterEnd } from './master-end.ts';
import type { Mastership } from './mastership.ts';
import { PartitionReleaser } from './partition-releaser.ts';
import { PartitionTracker } from './partition-tracker.ts';
import { Recovery } from './recovery.ts';
import { jitterOf } from './restart-strategy.ts';
import { SnapshotPacer } from './snapshot-pacer.ts';
import { TaskScheduler } from './task-scheduler.ts';
import type { RegisteredWorker } from './worker-pool.ts';

/** How long workers get to end themselves before they are killed. */
const shutdownTimeoutMs = 3_000;

export class JobMaster {
  readonly #folder: JobFolder;
  readonly #mastership: Mastership;
  readonly #jobGraph: JobGraph;
  readonly #tracker = new PartitionTracker();
  /** null: partitions stay with the workers. */
  readonly #shuffle: ShuffleHost | null;
  readonly #cluster: Cluster;
  readonly #course: MasterCourse;
  readonly #releaser: PartitionReleaser;
  readonly #badRows: BadRowCounts;
  readonly #scheduler: TaskScheduler;
  readonly #recovery: Recovery;
  /** From here on a worker that comes back is one that was lost in the middle of the run. */
  #reconciled = false;

  constructor(folder: JobFolder, size: ClusterSize, mastership: Mastership) {
    this.#folder = folder;
    this.#mastership = mastership;
    const { graph } = mastership.recorder.graph;
    invariant(graph, 'the store begins with the submitted job');
    this.#jobGraph = graph;
    this.#badRows = new BadRowCounts(graph);
    this.#shuffle = graph.shuffle === 'service' ? this.#createShuffle(size.orphanTimeoutMs) : null;
    this.#cluster = this.#createCluster(size);
    this.#course = new MasterCourse(mastership, this.#cluster);
    this.#releaser = this.#createReleaser();
    this.#scheduler = this.#createScheduler();
    this.#recovery = this.#createRecovery();
  }

  /** Leads the job to its end, whatever end that is. */
  run(start: JobMasterStart): Promise<MasterEnd> {
    return this.#course.run({
      lead: () => this.#lead(start),
      settle: async (end) => this.#settle(end),
      deleteFiles: () => deleteRunFiles({ folder: this.#folder, ...this.#sinkRun() }),
    });
  }

  /** Ends the work and keeps the state: the same command resumes. */
  suspend(reason: string): void {
    this.#course.suspend(reason);
  }

  async #lead(start: JobMasterStart): Promise<MasterEnd> {
    const anyOutlived = await this.#cluster.startProcesses();
    await this.#mastership.requireLead();
    await openStaging(this.#sinkRun());
    await this.#cluster.open();
    if (this.#course.isTakeOver(start)) {
      const cause = this.#course.takeOver(start, anyOutlived);
      await Promise.race([this.#recovery.takeOver(cause), this.#course.ended]);
    }
    if (!this.#course.isEnding) this.#start();
    const end = await this.#course.ended;
    this.#scheduler.stop();
    for (const news of this.#badRows.last()) this.#notice(news);
    if (end.kind === 'finished') await this.#commit();
    return end;
  }

  #start(): void {
    this.#reconciled = true;
    this.#course.status('RUNNING', null);
    // The point of no return was passed by an earlier master: nothing runs, the commit only rolls forward.
    if (this.#mastership.recorder.graph.commit) this.#course.end({ kind: 'finished', reason: null });
    else {
      this.#shuffle?.master.settle();
      this.#scheduler.start();
    }
  }

  async #commit(): Promise<void> {
    const { recorder } = this.#mastership;
    const { graph } = recorder;
    if (!graph.commit) await recorder.record(await planCommit(graph, this.#sinkRun()));
    invariant(graph.commit, 'the commit is recorded before the first rename');
    await rollForward(graph.commit, this.#sinkRun());
  }

  #settle({ kind }: MasterEnd): void {
    // A clean stop loses nothing: the next JobMaster goes on with what this one's coordinators know.
    if (kind === 'suspended') this.#scheduler.recordWaitingSnapshots();
    this.#cluster.clients.progress(this.#scheduler.progress());
  }

  #workerRegistered({ workerId }: RegisteredWorker, partitions: readonly WholePartition[]): void {
    this.#tracker.report(workerId, partitions);
    if (!this.#reconciled) return;
    this.#recovery.workerReturned(workerId);
    this.#releaser.deleteUnwanted(workerId);
    this.#scheduler.schedule();
  }

  #shuffleServiceRegistered(): void {
    if (!this.#reconciled) return;
    this.#recovery.workerReturned(shuffleServiceId);
    this.#shuffle?.master.settle();
    this.#scheduler.schedule();
  }

  #workerSaid(worker: RegisteredWorker, message: ToJobMaster): void {
    switch (message.type) {
      case 'task-finished':
        this.#tellBadRows(message);
        return this.#scheduler.taskFinished(worker, message.execution, message.result);
      case 'task-failed':
        return this.#scheduler.taskFailed(worker, message.execution, message.failure);
      case 'split-request':
        return this.#scheduler.splitRequested(worker, message.execution, message.input);
    }
  }

  #tellBadRows({ execution, result }: Extract<ToJobMaster, { type: 'task-finished' }>): void {
    const news = this.#badRows.finished(execution.vertexId, execution.subtask, result.badRows);
    if (news !== null) this.#notice(news);
  }

  #createShuffle(orphanTimeoutMs: number): ShuffleHost {
    return new ShuffleHost(this.#folder, this.#mastership, this.#tracker, orphanTimeoutMs, {
      registered: () => this.#shuffleServiceRegistered(),
      settled: () => this.#releaser.deleteUnwanted(shuffleServiceId),
      noticed: (what) => this.#notice(what),
      changed: () => this.#cluster.listProcesses(),
      hopeless: (error) => this.#course.hopeless(error),
    });
  }

  #createCluster(size: ClusterSize): Cluster {
    return new Cluster({
      folder: this.#folder,
      size,
      mastership: this.#mastership,
      shuffle: this.#shuffle,
      shutdownTimeoutMs,
      listener: {
        registered: (worker, partitions) => this.#workerRegistered(worker, partitions),
        lost: (worker, reason) => this.#scheduler.workerLost(worker, reason),
        received: (worker, message) => this.#workerSaid(worker, message),
        control: (command, reason) => this.#course.control(command, reason),
        hopeless: (error) => this.#course.hopeless(error),
        progress: () => this.#scheduler.progress(),
      },
    });
  }

  #createReleaser(): PartitionReleaser {
    const { epoch, recorder } = this.#mastership;
    return new PartitionReleaser({
      folder: this.#folder,
      epoch,
      recorder,
      pool: this.#cluster.pool,
      tracker: this.#tracker,
      shuffle: this.#shuffle?.master ?? null,
      isConfigured: (workerId) => this.#cluster.isConfigured(workerId),
      beforeRelease: () => this.#scheduler.recordWaitingSnapshots(),
      onNotice: (message) => this.#notice(message),
    });
  }

  #createScheduler(): TaskScheduler {
    const { epoch, failures, jobId, recorder, options } = this.#mastership;
    const { graph } = recorder;
    return new TaskScheduler({
      recorder,
      pool: this.#cluster.pool,
      tracker: this.#tracker,
      releaser: this.#releaser,
      pacer: new SnapshotPacer(options.snapshotMinPauseMs),
      shuffle: this.#shuffle?.master ?? null,
      deployment: {
        folder: this.#folder,
        graph,
        jobGraph: this.#jobGraph,
        epoch,
        timeoutMs: options.taskTimeoutMs,
      },
      adaptive: {
        minParallelism: options.autoParallelism.minParallelism,
        bytesPerTask: options.autoParallelism.avgDataVolumePerTaskBytes,
      },
      enumeratorTimeoutMs: options.enumeratorTimeoutMs,
      restartStrategy: options.restartStrategy,
      failures,
      jitter: jitterOf(jobId),
      onAllFinished: () => this.#course.end({ kind: 'finished', reason: null }),
      onFailed: (reason) => this.#course.end({ kind: 'failed', reason }),
      onSuspended: (reason) => this.#course.suspend(reason),
      onNotice: (message) => this.#notice(message),
    });
  }

  #createRecovery(): Recovery {
    const { epoch, jobId, recorder, options } = this.#mastership;
    return new Recovery({
      folder: this.#folder,
      jobGraph: this.#jobGraph,
      jobId,
      epoch,
      recorder,
      pool: this.#cluster.pool,
      tracker: this.#tracker,
      releaser: this.#releaser,
      scheduler: this.#scheduler,
      awaitHolders: () => this.#cluster.awaitHolders(options.previousWorkerTimeoutMs),
      onNotice: (message) => this.#notice(message),
    });
  }

  #notice(message: string): void {
    this.#cluster.clients.notice(message);
  }

  #sinkRun() {
    return { jobGraph: this.#jobGraph, jobId: this.#mastership.jobId, epoch: this.#mastership.epoch };
  }
}
