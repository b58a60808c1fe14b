// The JobMaster of a streaming job: takes the tasks from their last checkpoint through failures and losses to the end
// of the job, whatever end that is. Same epochs, store, processes and clients as for a batch job; what differs is that
// all tasks run at once and restart together. Spec: docs/streaming.md; design invariants 3, 6, 8, 9.
import { invariant } from '../../../model/errors.ts';
import type { JobGraph } from '../../../model/job-graph.ts';
import { isGloballyTerminal, type JobState } from '../../../model/states.ts';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { CheckpointStorage } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { JobFolder } from '../../../store/job-folder.ts';
import { endRules, type MasterEnd } from '../../job-master/master-end.ts';
import type { Mastership } from '../../job-master/mastership.ts';
import { decideRestart, jitterOf } from '../../job-master/restart-strategy.ts';
import type { RegisteredWorker } from '../../job-master/worker-pool.ts';
import type { ClusterSize, JobMasterStart } from '../../processes.ts';
import type { SavepointOrder, VertexProgress } from '../../protocol/messages.ts';
import { deleteRunFiles } from '../../run-files.ts';
import type { StreamTaskRef, StreamToJobMaster } from '../protocol/stream-messages.ts';
import { commitParts, rollBackParts } from '../sinks/part-commit.ts';
import { checkpointStorage, deleteStreamFiles, fileSinksOf } from '../stream-files.ts';
import { beginSinks } from './begin-sinks.ts';
import { CheckpointDriver, type RequestOutcome } from './checkpoint-driver.ts';
import { streamRestartStrategy } from './restart-default.ts';
import { findRestorePoint, type SkippedCheckpoint } from './restore-point.ts';
import { StreamCluster } from './stream-cluster.ts';
import { StreamScheduler } from './stream-scheduler.ts';
import { takeSavepoint } from './take-savepoint.ts';

export class StreamJobMaster {
  readonly #folder: JobFolder;
  readonly #mastership: Mastership;
  readonly #jobGraph: JobGraph;
  readonly #plan: StreamingPlan;
  readonly #storage: CheckpointStorage;
  readonly #cluster: StreamCluster;
  readonly #scheduler: StreamScheduler;
  readonly #checkpoints: CheckpointDriver;
  readonly #endOfData = new Set<string>();
  /** The tasks of one attempt are being ended; those of the next are not deployed yet. */
  #isRestarting = false;
  #stopping = false;
  #end!: (end: MasterEnd) => void;
  readonly #ended = new Promise<MasterEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(folder: JobFolder, size: ClusterSize, mastership: Mastership) {
    this.#folder = folder;
    this.#mastership = mastership;
    const { graph } = mastership.recorder.graph;
    invariant(graph?.streaming, 'the submitted job is a streaming job');
    this.#jobGraph = graph;
    this.#plan = graph.streaming;
    this.#storage = checkpointStorage(folder, mastership.jobId, mastership.options.streaming);
    this.#cluster = this.#createCluster(size);
    this.#scheduler = this.#createScheduler(size);
    this.#checkpoints = this.#createCheckpoints();
    mastership.onPoisoned((end) => this.#stop(end));
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

  /** Takes a savepoint, and ends the job behind it unless it is to go on. */
  async savepoint(order: SavepointOrder): Promise<RequestOutcome> {
    const outcome = await takeSavepoint(this.#checkpoints, this.#storage, order);
    if (outcome.kind === 'failed' || order.purpose === 'go-on') return outcome;
    if (order.purpose === 'cancel') this.#control('cancel', `canceled by the user, with savepoint ${order.folder}`);
    else void this.#finish().catch((error) => this.#stopFor(error));
    return outcome;
  }

  async #lead(start: JobMasterStart): Promise<MasterEnd> {
    const { graph } = this.#mastership.recorder;
    if (isGloballyTerminal(graph.state)) return { kind: terminalKind(graph.state), reason: graph.stateReason };
    // Asked before any worker is started: afterwards the question has no answer.
    const anyWorkerOutlived = await this.#cluster.anyWorkerOutlived();
    await this.#cluster.open();
    const isRecovery = start !== 'submitted' && this.#mastership.epoch > 1;
    if (isRecovery) this.#takeOver(start, anyWorkerOutlived);
    // Also where an earlier JobMaster was killed before it had done so.
    const isPrepared = [...graph.vertices.values()].every(({ parallelism }) => parallelism !== null);
    if (!isPrepared) await this.#prepare();
    await this.#restore();
    return this.#ended;
  }

  /** The folders first, then the record that they are there. */
  async #prepare(): Promise<void> {
    await this.#storage.prepare();
    const restoreFrom = this.#plan.restore?.path ?? null;
    this.#tellTakenBack(await beginSinks(this.#sinkFolders(), this.#jobGraph.name, restoreFrom));
    for (const vertex of this.#jobGraph.vertices) {
      const { id: vertexId, parallelism, maxParallelism } = vertex;
      const inputs = vertex.inputs.flatMap((input) =>
        input.kind === 'dataset' ? [{ datasetId: input.datasetId, ranges: [] }] : [],
      );
      const decided = { vertexId, parallelism: parallelism ?? 1, maxParallelism, inputs };
      void this.#mastership.recorder.record({ type: 'job-vertex-initialized', ...decided });
    }
  }

  #takeOver(start: JobMasterStart, anyWorkerOutlived: boolean): void {
    const { epoch, recorder } = this.#mastership;
    const cause = this.#mastership.causeOf(start, anyWorkerOutlived);
    this.#status('CREATED', `epoch ${epoch} takes over (${cause})`);
    this.#status('RECONCILING', null);
    void recorder.record({ type: 'recovery-completed', epoch, cause, kept: 0, rerun: 0, durationMs: 0 });
  }

  /** Sets sinks and tasks back to the newest checkpoint that can be used, and deploys. */
  async #restore(): Promise<void> {
    const { recorder, jobId, options } = this.#mastership;
    const { checkpoints } = recorder.graph;
    const { retainedCheckpoints } = options.streaming;
    const point = await findRestorePoint(checkpoints, retainedCheckpoints, this.#plan.restore?.path ?? null);
    if (point.kind !== 'beginning') this.#tellSkipped(point.skipped);
    if (point.kind === 'none-usable') {
      const reason = `no checkpoint can be restored (${point.skipped.map(reasonOf).join('; ')}); --fresh starts over`;
      return this.#stop({ kind: 'suspended', reason });
    }
    const metadata = point.kind === 'checkpoint' ? point.metadata : null;
    if (metadata) await commitParts(metadata.parts);
    this.#tellTakenBack(await rollBackParts(this.#sinkFolders(), jobId, metadata?.checkpointId ?? null));
    if (point.kind === 'checkpoint') {
      const { checkpointId } = point.metadata;
      const skipped = point.skipped.map(({ checkpointId: id, reason }) => ({ checkpointId: id, reason }));
      void recorder.record({ type: 'checkpoint-restored', checkpointId, location: point.location, skipped });
      this.#notice(`the tasks begin from checkpoint ${checkpointId}`);
    }
    await this.#checkpoints.prepare(metadata);
    if (this.#stopping) return;
    // From here on a loss or a failure is one of the new attempt, also while it is being deployed.
    this.#isRestarting = false;
    this.#endOfData.clear();
    this.#scheduler.start(point.kind === 'checkpoint' ? point.location : null);
  }

  #tellTakenBack(parts: number): void {
    if (parts > 0) this.#notice(`${parts} part(s) of later checkpoints were taken back: their rows come again`);
  }

  #tellSkipped(skipped: readonly SkippedCheckpoint[]): void {
    for (const each of skipped) this.#notice(`${reasonOf(each)}; the checkpoint before it is used`);
  }

  #tasksRun(): void {
    const { attempt } = this.#scheduler;
    for (const task of this.#scheduler.tasks) {
      const workerId = this.#scheduler.workerOf(task) ?? '';
      void this.#mastership.recorder.record({ type: 'execution-deployed', ...task, attempt, workerId });
    }
    this.#checkpoints.start(this.#scheduler.tasks);
    this.#status('RUNNING', null);
    this.#endIfSourcesEnded();
  }

  /** The first failure of an attempt counts: the others are its consequences. */
  async #taskFailed(task: StreamTaskRef, message: string): Promise<void> {
    if (this.#isRestarting || this.#stopping) return;
    this.#isRestarting = true;
    const { recorder, failures, options, jobId } = this.#mastership;
    const { attempt } = this.#scheduler;
    const workerId = this.#scheduler.workerOf(task);
    const event = { type: 'execution-failed', ...task, attempt, workerId, cause: message, counted: true } as const;
    void recorder.record(event);
    failures.add(event, Date.now());
    const strategy = streamRestartStrategy(recorder.graph.config, options);
    const decision = decideRestart(strategy, failures.timesMs, jitterOf(jobId));
    const what = `${this.#labelOf(task)}: ${message}`;
    if (decision.kind === 'fail') return this.#stop({ kind: 'failed', reason: `${what} (${decision.reason})` });
    this.#notice(`${what}; all tasks restart in ${decision.delayMs / 1000} s`);
    await this.#restart(what, decision.delayMs);
  }

  /** Losing a worker is no failure of a task (invariant 9): the tasks restart as soon as there are slots. */
  #workerLost(worker: RegisteredWorker, reason: string): void {
    const hadTasks = this.#scheduler.workerLost(worker);
    if (!hadTasks || this.#isRestarting || this.#stopping) return;
    this.#isRestarting = true;
    void this.#restart(`${worker.workerId} was lost: ${reason}`, 0);
  }

  async #restart(reason: string, delayMs: number): Promise<void> {
    this.#status('RESTARTING', reason);
    try {
      await this.#checkpoints.stop('the tasks of the job restart');
      await this.#scheduler.end('cancel');
      await Promise.race([new Promise((resolve) => setTimeout(resolve, delayMs)), this.#ended]);
      if (!this.#stopping) await this.#restore();
    } catch (error) {
      await this.#stopFor(error);
    }
  }

  #workerSaid(worker: RegisteredWorker, message: StreamToJobMaster): void {
    if (!this.#scheduler.isCurrent(message)) return;
    switch (message.type) {
      case 'listening':
        return this.#scheduler.slotListens(worker, message.slot, message.port);
      case 'running':
        return this.#scheduler.slotRuns(worker, message.slot);
      case 'ended':
        return this.#scheduler.slotEnded(worker, message.slot);
      case 'acknowledge':
        return this.#checkpoints.acknowledged(message);
      case 'decline':
        return this.#checkpoints.declined(message.checkpointId, message.reason);
      case 'failed': {
        const [first = { vertexId: '', subtask: 0 }] = this.#scheduler.tasks;
        return void this.#taskFailed(message.task ?? first, message.message);
      }
      case 'end-of-data':
        return this.#sourceEnded(message.task);
    }
  }

  #sourceEnded({ vertexId, subtask }: StreamTaskRef): void {
    this.#endOfData.add(`${vertexId}#${subtask}`);
    this.#endIfSourcesEnded();
  }

  /** When all sources have ended, which one without data may have before all tasks run. */
  #endIfSourcesEnded(): void {
    const sources = this.#plan.vertices.filter(({ operators }) => operators[0]?.spec.kind === 'source');
    const tasks = sources.reduce((sum, { parallelism }) => sum + parallelism, 0);
    if (this.#endOfData.size === tasks && this.#scheduler.isRunning) void this.#endWithCheckpoint();
  }

  /** One more checkpoint makes all output visible, and the job is done. */
  async #endWithCheckpoint(): Promise<void> {
    const outcome = await this.#checkpoints.request({ kind: 'checkpoint', mode: 'stop', folder: null });
    if (outcome.kind === 'completed') await this.#finish();
  }

  async #finish(): Promise<void> {
    // A worker that is lost from here on is no loss.
    this.#isRestarting = true;
    await this.#scheduler.end('finish');
    this.#stop({ kind: 'finished', reason: null });
  }

  #control(command: 'cancel' | 'suspend', reason: string): void {
    this.#stop({ kind: command === 'cancel' ? 'canceled' : 'suspended', reason });
  }

  /** The first end counts: what follows it comes too late. */
  #stop(end: MasterEnd): void {
    this.#stopping = true;
    this.#end(end);
  }

  async #stopFor(error: unknown): Promise<void> {
    this.#stop(await this.#mastership.endOf(error));
  }

  async #conclude(end: MasterEnd): Promise<MasterEnd> {
    this.#stopping = true;
    this.#cluster.stopSupervising();
    await this.#checkpoints.stop('the job ends');
    const final = await this.#recordEnd(end);
    const rule = endRules[final.kind];
    // A fenced master's workers have, or will have, another leader.
    if (final.kind !== 'fenced') await this.#cluster.endWorkers();
    if (rule.deletes) await this.#deleteFiles();
    if (final.kind !== 'fenced') await this.#cluster.removeProcessList();
    this.#cluster.clients.status(rule.tells, final.reason);
    this.#cluster.close();
    return final;
  }

  async #deleteFiles(): Promise<void> {
    const { jobId, options, recorder } = this.#mastership;
    const ended = { folder: this.#folder, jobId };
    const { state } = recorder.graph;
    await deleteStreamFiles({ ...ended, plan: this.#plan, options: options.streaming, state });
    await deleteRunFiles({ ...ended, jobGraph: this.#jobGraph });
  }

  /** Records the last status; a store that fails even then makes the end a poisoned one. */
  async #recordEnd(end: MasterEnd): Promise<MasterEnd> {
    const state = endRules[end.kind].records;
    if (state === null) return end;
    const { recorder } = this.#mastership;
    try {
      if (recorder.graph.state !== state) {
        await recorder.record({ type: 'job-status-changed', state, reason: end.reason });
      }
      await this.#mastership.close(isGloballyTerminal(state));
      return end;
    } catch (error) {
      return await this.#mastership.endOf(error);
    }
  }

  #createCluster(size: ClusterSize): StreamCluster {
    return new StreamCluster({
      folder: this.#folder,
      size,
      mastership: this.#mastership,
      options: this.#mastership.options,
      workerRegistered: () => this.#scheduler.deployIfPossible(),
      workerLost: (worker, reason) => this.#workerLost(worker, reason),
      workerSaid: (worker, message) => this.#workerSaid(worker, message),
      control: (command, reason) => this.#control(command, reason),
      savepoint: (order) => this.savepoint(order),
      onHopeless: (reason) => this.#stop({ kind: 'suspended', reason }),
      progress: () => this.#progress(),
      onTick: () => this.#scheduler.deployIfPossible(),
    });
  }

  #createScheduler(size: ClusterSize): StreamScheduler {
    const { epoch, jobId, options } = this.#mastership;
    const { streaming } = options;
    return new StreamScheduler({
      plan: this.#plan,
      epoch,
      pool: this.#cluster.pool,
      workersConfigured: size.workers,
      firstAttempt: this.#firstAttempt(),
      settings: {
        jobId,
        functionsFolder: this.#folder.functions,
        logsFolder: this.#folder.logs,
        inlineThresholdBytes: streaming.inlineThresholdBytes,
        writesFiles: streaming.storage === 'filesystem',
        bufferTimeoutMs: streaming.bufferTimeoutMs,
        watermarkIntervalMs: streaming.watermarkIntervalMs,
      },
      onRunning: () => this.#tasksRun(),
    });
  }

  /** Above all that earlier JobMasters deployed. */
  #firstAttempt(): number {
    const tasks = [...this.#mastership.recorder.graph.vertices.values()].flatMap((vertex) => vertex.tasks);
    return tasks.length === 0 ? 0 : Math.max(...tasks.map(({ attempt }) => attempt)) + 1;
  }

  #createCheckpoints(): CheckpointDriver {
    const { epoch, jobId, options, recorder } = this.#mastership;
    const isCurrent = () => this.#scheduler.attempt;
    return new CheckpointDriver({
      plan: this.#plan,
      jobId,
      jobName: this.#jobGraph.name,
      epoch,
      options: options.streaming,
      storage: this.#storage,
      recorder,
      trigger: (barrier) => this.#scheduler.broadcast({ type: 'trigger', attempt: isCurrent(), barrier }),
      onCompleted: (checkpointId) =>
        this.#scheduler.broadcast({ type: 'complete', attempt: isCurrent(), checkpointId }),
      onFailed: (task, reason) => void this.#taskFailed(task, reason),
      onFatal: (error) => void this.#stopFor(error),
      onNotice: (message) => this.#notice(message),
    });
  }

  #progress(): VertexProgress[] {
    const isRunning = this.#scheduler.isRunning;
    return this.#plan.vertices.map(({ name, parallelism }) => ({
      name,
      parallelism,
      finished: 0,
      running: isRunning ? parallelism : 0,
      checkpoints: this.#mastership.recorder.graph.checkpoints.at(-1)?.checkpointId ?? 0,
    }));
  }

  #sinkFolders(): string[] {
    return fileSinksOf(this.#plan).map(({ path }) => path);
  }

  #labelOf({ vertexId, subtask }: StreamTaskRef): string {
    const vertex = this.#plan.vertices.find((each) => each.vertexId === vertexId);
    return `${vertex?.name ?? vertexId}#${subtask}`;
  }

  #notice(message: string): void {
    this.#cluster.clients.notice(message);
  }

  #status(state: JobState, reason: string | null): void {
    void this.#mastership.recorder.record({ type: 'job-status-changed', state, reason });
    this.#cluster.clients.status(state, reason);
  }
}

function terminalKind(state: JobState): MasterEnd['kind'] {
  if (state === 'FAILED') return 'failed';
  return state === 'CANCELED' ? 'canceled' : 'finished';
}

function reasonOf({ checkpointId, reason }: SkippedCheckpoint): string {
  return `checkpoint ${checkpointId} is damaged: ${reason}`;
}
