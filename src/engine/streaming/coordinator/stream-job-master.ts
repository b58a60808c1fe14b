// The JobMaster of a streaming job: takes the tasks from their last checkpoint through failures and losses to the end
// of the job, whatever end that is. Same epochs, store, processes and clients as for a batch job; what differs is that
// all tasks run at once and restart together. Spec: docs/streaming.md; design invariants 3, 6, 8, 9.
import { invariant } from '../../../model/errors.ts';
import type { RecoveryCause } from '../../../model/job-events.ts';
import type { JobGraph } from '../../../model/job-graph.ts';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { CheckpointStorage } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { JobFolder } from '../../../store/job-folder.ts';
import { Cluster } from '../../job-master/cluster.ts';
import { MasterCourse } from '../../job-master/master-course.ts';
import type { MasterEnd } from '../../job-master/master-end.ts';
import type { Mastership } from '../../job-master/mastership.ts';
import type { RegisteredWorker } from '../../job-master/worker-pool.ts';
import type { ClusterSize, JobMasterStart } from '../../processes.ts';
import type { SavepointOrder, ToClient, ToJobMaster, VertexProgress } from '../../protocol/messages.ts';
import { deleteRunFiles } from '../../run-files.ts';
import type { StreamToJobMaster } from '../protocol/stream-messages.ts';
import { checkpointStorage, deleteStreamFiles } from '../stream-files.ts';
import { CheckpointDriver } from './checkpoint-driver.ts';
import { Restorer } from './restorer.ts';
import { StreamFailover } from './stream-failover.ts';
import { firstAttemptOf, StreamScheduler } from './stream-scheduler.ts';
import { savepointAnswer, takeSavepoint } from './take-savepoint.ts';
import { TaskNotices } from './task-notices.ts';

/** How long workers get to end themselves before they are killed. */
const shutdownTimeoutMs = 5_000;

/** Finished tasks, of which a streaming job has none to keep. */
const noTasks = { reasons: [], reruns: [], predicted: null, differences: [] };

export class StreamJobMaster {
  readonly #folder: JobFolder;
  readonly #mastership: Mastership;
  readonly #jobGraph: JobGraph;
  readonly #plan: StreamingPlan;
  readonly #storage: CheckpointStorage;
  readonly #cluster: Cluster;
  readonly #course: MasterCourse;
  readonly #restorer: Restorer;
  readonly #scheduler: StreamScheduler;
  readonly #checkpoints: CheckpointDriver;
  readonly #failover: StreamFailover;
  readonly #notices = new TaskNotices((message) => this.#notice(message));
  /** That of this JobMaster, until all tasks run. */
  #recovery: { readonly cause: RecoveryCause; readonly begunAtMs: number } | null = null;

  constructor(folder: JobFolder, size: ClusterSize, mastership: Mastership) {
    this.#folder = folder;
    this.#mastership = mastership;
    const { graph } = mastership.recorder.graph;
    invariant(graph?.streaming, 'the submitted job is a streaming job');
    this.#jobGraph = graph;
    this.#plan = graph.streaming;
    this.#storage = checkpointStorage(folder, mastership.jobId, mastership.options.streaming);
    this.#cluster = this.#createCluster(size);
    this.#course = new MasterCourse(mastership, this.#cluster);
    this.#restorer = this.#createRestorer();
    this.#scheduler = this.#createScheduler(size);
    this.#checkpoints = this.#createCheckpoints();
    this.#failover = this.#createFailover();
  }

  /** Leads the job to its end, whatever end that is. */
  run(start: JobMasterStart): Promise<MasterEnd> {
    return this.#course.run({
      lead: () => this.#lead(start),
      settle: () => this.#checkpoints.stop('the job ends'),
      deleteFiles: () => this.#deleteFiles(),
    });
  }

  /** Ends the work and keeps the state: the same command resumes. */
  suspend(reason: string): void {
    this.#course.suspend(reason);
  }

  async #lead(start: JobMasterStart): Promise<MasterEnd> {
    const anyOutlived = await this.#cluster.startProcesses();
    await this.#cluster.open();
    if (this.#course.isTakeOver(start)) {
      this.#recovery = { cause: this.#course.takeOver(start, anyOutlived), begunAtMs: performance.now() };
    }
    await this.#restorer.begin();
    await this.#failover.deploy();
    return this.#course.ended;
  }

  #tasksRun(): void {
    const { attempt, tasks } = this.#scheduler;
    for (const task of tasks) {
      const workerId = this.#scheduler.workerOf(task) ?? '';
      void this.#mastership.recorder.record({ type: 'execution-deployed', ...task, attempt, workerId });
    }
    this.#recordRecovery();
    this.#checkpoints.start(tasks);
    this.#course.status('RUNNING', null);
    this.#endIfSourcesEnded();
  }

  /** Nothing is kept and nothing runs again by itself: all tasks begin from a checkpoint. */
  #recordRecovery(): void {
    if (this.#recovery === null) return;
    const { epoch, recorder } = this.#mastership;
    const { cause, begunAtMs } = this.#recovery;
    this.#recovery = null;
    const durationMs = Math.round(performance.now() - begunAtMs);
    const detail = { ...noTasks, checkpointId: this.#restorer.restored };
    void recorder.record({ type: 'recovery-completed', epoch, cause, kept: 0, rerun: 0, durationMs, detail });
  }

  #workerSaid(worker: RegisteredWorker, message: StreamToJobMaster): void {
    if (!this.#scheduler.isCurrent(message)) return;
    switch (message.type) {
      case 'listening':
        if (this.#failover.isBetweenAttempts) return;
        return this.#scheduler.slotListens(worker, message.slot, message.port);
      case 'running':
        if (this.#failover.isBetweenAttempts) return;
        return this.#scheduler.slotRuns(worker, message.slot);
      case 'ended':
        return this.#scheduler.slotEnded(worker, message.slot);
      case 'acknowledge':
        return this.#checkpoints.acknowledged(message);
      case 'decline':
        return this.#checkpoints.declined(message.checkpointId, message.reason);
      case 'failed': {
        const [first = { vertexId: '', subtask: 0 }] = this.#scheduler.tasks;
        const failed = message.task ?? first;
        if (message.isConsequence) return this.#failover.channelLost(failed, message.message);
        return void this.#failover.taskFailed(failed, message.message);
      }
      case 'notice':
        return this.#notices.take(message.message);
      case 'end-of-data':
        this.#scheduler.sourceEnded(message.task);
        return this.#endIfSourcesEnded();
    }
  }

  /** When all sources have ended, which one without data may have before all tasks run. */
  #endIfSourcesEnded(): void {
    if (!this.#scheduler.haveSourcesEnded || !this.#scheduler.isRunning) return;
    this.#endWithCheckpoint().catch((error) => this.#course.endFor(error));
  }

  /** One more checkpoint makes all output visible, and the job is done. */
  async #endWithCheckpoint(): Promise<void> {
    const outcome = await this.#checkpoints.request({ kind: 'checkpoint', mode: 'stop', folder: null });
    if (outcome.kind === 'completed') await this.#finish();
  }

  /** Takes a savepoint, and ends the job behind it unless it is to go on. */
  async #savepoint(order: SavepointOrder): Promise<ToClient> {
    const outcome = await takeSavepoint(this.#checkpoints, order);
    if (outcome.kind === 'failed' || order.purpose === 'go-on') return savepointAnswer(outcome);
    if (order.purpose === 'cancel') {
      this.#course.control('cancel', `canceled by the user, with savepoint ${order.folder}`);
    } else void this.#finish().catch((error) => this.#course.endFor(error));
    return savepointAnswer(outcome);
  }

  async #finish(): Promise<void> {
    this.#failover.standDown();
    await this.#scheduler.end('finish');
    this.#course.end({ kind: 'finished', reason: null });
  }

  async #deleteFiles(): Promise<void> {
    const { jobId, options, recorder } = this.#mastership;
    const ended = { folder: this.#folder, jobId };
    const { state, checkpoints } = recorder.graph;
    await deleteStreamFiles({ ...ended, plan: this.#plan, options: options.streaming, state, checkpoints });
    await deleteRunFiles({ ...ended, jobGraph: this.#jobGraph });
  }

  #progress(): VertexProgress[] {
    const { isRunning } = this.#scheduler;
    return this.#plan.vertices.map(({ name, parallelism }) => ({
      name,
      parallelism,
      finished: 0,
      running: isRunning ? parallelism : 0,
      lastCheckpointId: this.#mastership.recorder.graph.checkpoints.at(-1)?.checkpointId ?? 0,
    }));
  }

  #createCluster(size: ClusterSize): Cluster {
    return new Cluster({
      folder: this.#folder,
      size,
      mastership: this.#mastership,
      shuffle: null,
      shutdownTimeoutMs,
      listener: {
        registered: () => this.#scheduler.deployIfPossible(),
        lost: (worker, reason) => this.#failover.workerLost(worker, reason),
        received: (worker, message: ToJobMaster) => {
          if (message.type === 'stream') this.#workerSaid(worker, message.message);
        },
        control: (command, reason) => this.#course.control(command, reason),
        savepoint: (order) => this.#savepoint(order),
        hopeless: (error) => this.#course.hopeless(error),
        progress: () => this.#progress(),
        tick: () => this.#scheduler.deployIfPossible(),
      },
    });
  }

  #createRestorer(): Restorer {
    const { jobId, options, recorder } = this.#mastership;
    return new Restorer({
      jobGraph: this.#jobGraph,
      plan: this.#plan,
      jobId,
      retainedCheckpoints: options.streaming.retainedCheckpoints,
      storage: this.#storage,
      recorder,
      requireLead: () => this.#mastership.requireLead(),
      onNotice: (message) => this.#notice(message),
    });
  }

  #createScheduler(size: ClusterSize): StreamScheduler {
    const { epoch, jobId, options, recorder } = this.#mastership;
    const { inlineThresholdBytes, storage, bufferTimeoutMs, watermarkIntervalMs } = options.streaming;
    const { functions: functionsFolder, logs: logsFolder } = this.#folder;
    const writesFiles = storage === 'filesystem';
    return new StreamScheduler({
      plan: this.#plan,
      epoch,
      pool: this.#cluster.pool,
      workersConfigured: size.workers,
      firstAttempt: firstAttemptOf(recorder.graph),
      settings: {
        jobId,
        functionsFolder,
        logsFolder,
        inlineThresholdBytes,
        writesFiles,
        bufferTimeoutMs,
        watermarkIntervalMs,
      },
      onRunning: () => this.#tasksRun(),
    });
  }

  #createCheckpoints(): CheckpointDriver {
    const { epoch, jobId, options, recorder } = this.#mastership;
    return new CheckpointDriver({
      plan: this.#plan,
      jobId,
      jobName: this.#jobGraph.name,
      epoch,
      options: options.streaming,
      storage: this.#storage,
      recorder,
      trigger: (barrier) => this.#scheduler.triggerCheckpoint(barrier),
      onCompleted: (checkpointId) => this.#scheduler.checkpointCompleted(checkpointId),
      onFailed: (task, reason) => void this.#failover.taskFailed(task, reason),
      onStopFailed: (reason) => this.#failover.savepointFailed(reason),
      onFatal: (error) => void this.#course.endFor(error),
      onNotice: (message) => this.#notice(message),
    });
  }

  #createFailover(): StreamFailover {
    return new StreamFailover({
      plan: this.#plan,
      mastership: this.#mastership,
      course: this.#course,
      restorer: this.#restorer,
      scheduler: this.#scheduler,
      checkpoints: this.#checkpoints,
      onNotice: (message) => this.#notice(message),
    });
  }

  #notice(message: string): void {
    this.#cluster.clients.notice(message);
  }
}
