// Runs the job's tasks on the registered workers: initializes vertices, deploys what is ready onto free slots, and
// records what becomes of each attempt. All decisions come from the ExecutionGraph and pure functions; the scheduler
// holds only what no event records: back-off times and how often a task took its worker down.
import { invariant } from '../../model/errors.ts';
import { partitionKey } from '../../model/ids.ts';
import type { JobGraph, JobVertex } from '../../model/job-graph.ts';
import type { RestartStrategyOptions } from '../../model/options.ts';
import type { ExecutionVertex } from '../../replay/execution-graph.ts';
import { planRecovery } from '../../replay/reconcile.ts';
import { jobrecRecoveryRules, type RecoveryPlan, type Survivors } from '../../replay/recovery-plan.ts';
import type { ExecutionRef, TaskFailure, TaskResult, VertexProgress } from '../protocol/messages.ts';
import type { ShuffleMaster } from '../shuffle-service/shuffle-master.ts';
import { buildDeployment, type DeploymentContext } from './deployment.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { FailureHistory } from './failure-history.ts';
import { FinishRecorder } from './finish-recorder.ts';
import type { PartitionReleaser } from './partition-releaser.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import { decideRestart, type Jitter } from './restart-strategy.ts';
import type { SnapshotPacer } from './snapshot-pacer.ts';
import { SourceCoordinators } from './source-coordinator/source-coordinators.ts';
import { initializableVertices, isWhollyFinished, readyTasks } from './task-readiness.ts';
import { type AdaptiveOptions, initializationEvents } from './vertex-initializer.ts';
import type { RegisteredWorker, WorkerPool } from './worker-pool.ts';

/** A task that brought its worker down this often in a row, or a partition that could not be read this often. */
const lossesMax = 10;

export interface TaskSchedulerOptions {
  readonly recorder: EventRecorder;
  readonly pool: WorkerPool;
  readonly tracker: PartitionTracker;
  readonly releaser: PartitionReleaser;
  readonly pacer: SnapshotPacer;
  /** null: result partitions stay with the workers that wrote them. */
  readonly shuffle: ShuffleMaster | null;
  readonly deployment: DeploymentContext;
  readonly adaptive: AdaptiveOptions;
  readonly enumeratorTimeoutMs: number;
  readonly restartStrategy: RestartStrategyOptions;
  /** The failures so far; the scheduler adds to it. */
  readonly failures: FailureHistory;
  readonly jitter: Jitter;
  readonly onAllFinished: () => void;
  readonly onFailed: (reason: string) => void;
  /** Nothing more can be done now, and nothing is wrong with the job. */
  readonly onSuspended: (reason: string) => void;
  readonly onNotice: (message: string) => void;
}

export class TaskScheduler {
  readonly #options: TaskSchedulerOptions;
  readonly #jobGraph: JobGraph;
  /** In terms of `performance.now()`: a clock that jumps back must not stretch a pause. */
  readonly #notBeforeMs = new Map<string, number>();
  readonly #losses = new Map<string, number>();
  readonly #sources: SourceCoordinators;
  readonly #finishes: FinishRecorder;
  #active = false;

  constructor(options: TaskSchedulerOptions) {
    this.#options = options;
    this.#jobGraph = options.deployment.jobGraph;
    this.#sources = this.#createSources();
    const { recorder, tracker, releaser, shuffle, pacer, deployment } = options;
    const { jobGraph, epoch } = deployment;
    this.#finishes = new FinishRecorder({
      recorder,
      tracker,
      releaser,
      shuffle,
      pacer,
      sources: this.#sources,
      jobGraph,
      epoch,
    });
  }

  start(): void {
    this.#active = true;
    this.#sources.recover();
    this.schedule();
  }

  /** Deploys nothing any more and cancels what runs. */
  stop(): void {
    this.#active = false;
    for (const worker of this.#options.pool.workers.values()) {
      for (const execution of [...worker.running.values()]) this.#cancel(worker, execution);
    }
    this.#sources.close();
    this.#options.shuffle?.cancel(() => true);
  }

  /** Initializes and deploys whatever can be; called after every change. */
  schedule(): void {
    if (!this.#active) return;
    const { recorder } = this.#options;
    for (const vertex of initializableVertices(recorder.graph, this.#jobGraph)) {
      const events = initializationEvents(recorder.graph, this.#jobGraph, vertex, this.#options.adaptive);
      for (const event of events) void recorder.record(event);
    }
    if (this.#deployReady()) this.#finishWhenDone();
  }

  taskFinished(worker: RegisteredWorker, execution: ExecutionRef, result: TaskResult): void {
    if (!this.#endAttempt(worker, execution)) return;
    const { shuffle } = this.#options;
    const { workerId } = worker;
    if (shuffle === null || result.partitions.length === 0) return this.#recordFinish(workerId, execution, result);
    shuffle.handOver(workerId, execution, result.partitions, {
      taken: () => this.#recordFinish(workerId, execution, result),
      refused: (missing, message) => this.#handOverRefused(workerId, execution, missing, message),
    });
    // The worker's slot is free already.
    this.schedule();
  }

  #recordFinish(workerId: string, execution: ExecutionRef, result: TaskResult): void {
    const { failures } = this.#options;
    const event = this.#finishes.record(execution, workerId, result);
    failures.add(event, Date.now());
    this.#losses.delete(taskKey(execution));
    this.schedule();
  }

  taskFailed(worker: RegisteredWorker, execution: ExecutionRef, failure: TaskFailure): void {
    if (!this.#endAttempt(worker, execution) || !this.#active) return;
    this.#sources.attemptEnded(execution);
    const label = `${this.#vertex(execution.vertexId).name}#${execution.subtask}`;
    this.#recordFailure(execution, worker.workerId, failure.message, failure.kind === 'task');
    switch (failure.kind) {
      case 'task':
        return this.#restartOrFail(execution, label, failure.message);
      case 'partition':
        return this.#partitionLost(label, failure);
      case 'source-changed':
        return this.#options.onFailed(`${label}: ${failure.message}`);
      case 'disk':
        return this.#options.onSuspended(`${label}: ${failure.message}`);
      case 'canceled':
        return this.schedule();
    }
  }

  /** A task asks for its next split; one whose attempt is over gets no answer. */
  splitRequested(worker: RegisteredWorker, execution: ExecutionRef, input: number): void {
    const isRunning = worker.running.get(taskKey(execution))?.attempt === execution.attempt;
    if (isRunning && this.#active) this.#sources.request(execution, input);
  }

  /** What is missing went with a worker's disk and is no failure of the task, unless it happens again and again. */
  #handOverRefused(workerId: string, execution: ExecutionRef, missing: boolean, message: string): void {
    if (!this.#active) return;
    this.#sources.attemptEnded(execution);
    const label = `${this.#vertex(execution.vertexId).name}#${execution.subtask}`;
    const cause = `the shuffle service could not take its result: ${message}`;
    this.#recordFailure(execution, workerId, cause, !missing);
    if (!missing) return this.#restartOrFail(execution, label, cause);
    if (this.#countLoss(taskKey(execution)) >= lossesMax) {
      return this.#options.onFailed(`${label}: ${cause} (${lossesMax} times in a row)`);
    }
    this.schedule();
  }

  /** Attempts on a lost worker run again; that is no failure of theirs, unless it happens again and again. */
  workerLost(worker: RegisteredWorker, reason: string): void {
    for (const execution of worker.running.values()) {
      this.#recordFailure(execution, worker.workerId, `${worker.workerId} was lost: ${reason}`, false);
      if (this.#countLoss(taskKey(execution)) >= lossesMax) {
        const label = `${this.#vertex(execution.vertexId).name}#${execution.subtask}`;
        this.#options.onFailed(
          `${label}: its worker was lost ${lossesMax} times in a row while it ran (last: ${reason})`,
        );
      }
    }
    const ended = [...worker.running.values()];
    worker.running.clear();
    for (const execution of ended) this.#sources.attemptEnded(execution);
    this.schedule();
  }

  /**
   * Compares what is recorded with what the workers hold, and resets what must run again. `takesOver`: the coordinators
   * of the JobMaster before are gone, and only what is recorded of them counts.
   */
  reconcile({ takesOver }: { readonly takesOver: boolean }): RecoveryPlan {
    const { recorder, tracker } = this.#options;
    const survivors: Survivors = {
      has: (partition) => tracker.has(partition),
      partHas: (part) => tracker.partHas(part),
      coordinatorLives: (vertexId) => !takesOver && this.#sources.lives(vertexId),
    };
    const plan = planRecovery(recorder.graph, survivors, jobrecRecoveryRules);
    for (const [vertexId, subtasks] of plan.reset) {
      void recorder.record({ type: 'execution-vertex-reset', vertexId, subtasks });
      this.#finishes.reset(vertexId, subtasks);
    }
    this.#cancelConsumersOf(new Set(plan.reset.keys()));
    return plan;
  }

  /** Records the state of the sources that waits for `snapshot.min-pause`. */
  recordWaitingSnapshots(): void {
    this.#finishes.recordWaitingSnapshots();
  }

  progress(): VertexProgress[] {
    return this.#jobGraph.vertices.map((vertex) => {
      const state = this.#options.recorder.graph.vertices.get(vertex.id);
      const tasks = state?.tasks ?? [];
      return {
        name: vertex.name,
        parallelism: state?.parallelism ?? vertex.parallelism,
        finished: tasks.filter((task) => task.state === 'FINISHED').length,
        running: tasks.filter((task) => task.state === 'DEPLOYING').length,
      };
    });
  }

  /** Deploys what is ready; false when slots ran out first. */
  #deployReady(): boolean {
    const nowMs = performance.now();
    for (const { vertex, task } of readyTasks(this.#options.recorder.graph, this.#jobGraph)) {
      const key = taskKey({ vertexId: vertex.id, subtask: task.subtask });
      if ((this.#notBeforeMs.get(key) ?? 0) > nowMs) continue;
      const worker = this.#options.pool.freest();
      if (!worker) return false;
      this.#deploy(worker, vertex, task);
    }
    return true;
  }

  #deploy(worker: RegisteredWorker, vertex: JobVertex, task: ExecutionVertex): void {
    const attempt = task.state === 'FAILED' ? task.attempt + 1 : task.attempt;
    const execution: ExecutionRef = { vertexId: vertex.id, subtask: task.subtask, attempt };
    const deployment = buildDeployment(this.#options.deployment, vertex, execution);
    void this.#options.recorder.record({ type: 'execution-deployed', ...execution, workerId: worker.workerId });
    worker.running.set(taskKey(execution), execution);
    worker.connection.send({ type: 'deploy', deployment });
  }

  #finishWhenDone(): void {
    const { graph } = this.#options.recorder;
    if (!this.#jobGraph.vertices.every((vertex) => isWhollyFinished(graph.vertices.get(vertex.id)))) return;
    this.#active = false;
    this.#options.onAllFinished();
  }

  #restartOrFail(execution: ExecutionRef, label: string, cause: string): void {
    const { failures, restartStrategy, jitter, onFailed, onNotice } = this.#options;
    const decision = decideRestart(restartStrategy, failures.timesMs, jitter);
    if (decision.kind === 'fail')
      return onFailed(failedFor(label, cause, failures.firstCauseOf(execution), decision.reason));
    onNotice(`${label}: ${cause}; restarting it in ${decision.delayMs / 1000} s`);
    this.#notBeforeMs.set(taskKey(execution), performance.now() + decision.delayMs);
    // One millisecond more, since a timer may fire a little early.
    setTimeout(() => this.schedule(), decision.delayMs + 1);
  }

  #partitionLost(label: string, failure: TaskFailure): void {
    const { tracker, onFailed, onNotice } = this.#options;
    const { partition } = failure;
    invariant(partition, 'a partition failure names its partition');
    tracker.lost(partition.datasetId, partition.partitionIndex);
    if (this.#countLoss(partitionKey(partition.datasetId, partition.partitionIndex)) >= lossesMax) {
      return onFailed(`${label}: ${failure.message} (${lossesMax} times, though its producer ran again each time)`);
    }
    const plan = this.reconcile({ takesOver: false });
    this.#options.shuffle?.settle();
    onNotice(`${label}: ${failure.message}; ${plan.rerun.length} finished task(s) run again`);
    this.schedule();
  }

  #createSources(): SourceCoordinators {
    const { recorder, deployment, enumeratorTimeoutMs, onFailed } = this.#options;
    return new SourceCoordinators({
      graph: recorder.graph,
      jobGraph: this.#jobGraph,
      functionsFolder: deployment.folder.functions,
      timeoutMs: enumeratorTimeoutMs,
      record: (snapshot) => void recorder.record(snapshot),
      isRunning: (execution) => this.#workerOf(execution) !== null,
      answer: (execution, input, split) => {
        const { epoch } = deployment;
        this.#workerOf(execution)?.connection.send({ type: 'split', epoch, execution, input, split });
      },
      onFailed: (execution, message, isLost) => this.#enumeratorFailed(execution, message, isLost),
      onSourceChanged: onFailed,
    });
  }

  /** Counts as a failed attempt of the task that asked. A lost enumerator takes all tasks of its vertex along. */
  #enumeratorFailed(execution: ExecutionRef, message: string, isLost: boolean): void {
    if (!this.#active) return;
    const { vertexId } = execution;
    const worker = this.#workerOf(execution);
    if (worker) {
      this.#cancel(worker, execution);
      this.#recordFailure(execution, worker.workerId, message, true);
    }
    if (isLost) {
      this.#cancelVertices([vertexId], "canceled, because its source's enumerator starts over");
      this.reconcile({ takesOver: false });
    }
    if (worker) this.#restartOrFail(execution, `${this.#vertex(vertexId).name}#${execution.subtask}`, message);
    if (isLost) this.#delayVertex(vertexId, this.#notBeforeMs.get(taskKey(execution)) ?? 0);
    this.schedule();
  }

  #delayVertex(vertexId: string, notBeforeMs: number): void {
    for (const { subtask } of this.#options.recorder.graph.vertices.get(vertexId)?.tasks ?? []) {
      this.#notBeforeMs.set(taskKey({ vertexId, subtask }), notBeforeMs);
    }
  }

  #workerOf(execution: ExecutionRef): RegisteredWorker | null {
    for (const worker of this.#options.pool.workers.values()) {
      if (worker.running.get(taskKey(execution))?.attempt === execution.attempt) return worker;
    }
    return null;
  }

  #recordFailure(execution: ExecutionRef, workerId: string, cause: string, counted: boolean): void {
    const event = { type: 'execution-failed', ...execution, workerId, cause, counted } as const;
    void this.#options.recorder.record(event);
    this.#options.failures.add(event, Date.now());
  }

  #countLoss(key: string): number {
    const losses = (this.#losses.get(key) ?? 0) + 1;
    this.#losses.set(key, losses);
    return losses;
  }

  /** Whether the attempt was the one running there: what comes in late changes nothing. */
  #endAttempt(worker: RegisteredWorker, execution: ExecutionRef): boolean {
    const running = worker.running.get(taskKey(execution));
    if (running?.attempt !== execution.attempt) return false;
    worker.running.delete(taskKey(execution));
    return true;
  }

  /** What reads a data set whose producers run again must not mix rows of two attempts: it starts over, too. */
  #cancelConsumersOf(restarted: ReadonlySet<string>): void {
    const consumers = this.#jobGraph.edges
      .filter((edge) => restarted.has(edge.producerVertexId))
      .map((edge) => edge.consumerVertexId);
    this.#cancelVertices(consumers, 'canceled, because its input is produced again');
  }

  #cancelVertices(vertexIds: readonly string[], cause: string): void {
    for (const worker of this.#options.pool.workers.values()) {
      for (const execution of [...worker.running.values()]) {
        if (!vertexIds.includes(execution.vertexId)) continue;
        this.#cancel(worker, execution);
        this.#recordFailure(execution, worker.workerId, cause, false);
      }
    }
    const handedOver = this.#options.shuffle?.cancel((execution) => vertexIds.includes(execution.vertexId)) ?? [];
    for (const { execution, workerId } of handedOver) {
      this.#sources.attemptEnded(execution);
      this.#recordFailure(execution, workerId, cause, false);
    }
  }

  #cancel(worker: RegisteredWorker, execution: ExecutionRef): void {
    worker.running.delete(taskKey(execution));
    this.#sources.attemptEnded(execution);
    worker.connection.send({ type: 'cancel', epoch: this.#options.deployment.epoch, execution });
  }

  #vertex(vertexId: string): JobVertex {
    const vertex = this.#jobGraph.vertices.find((candidate) => candidate.id === vertexId);
    invariant(vertex, `vertex ${vertexId} is in the job graph`);
    return vertex;
  }
}

/** The first cause, since later attempts may fail of what the first one left behind. */
function failedFor(label: string, cause: string, firstCause: string | null, why: string): string {
  const last = firstCause === null || firstCause === cause ? '' : `; the last time: ${cause}`;
  return `${label}: ${firstCause ?? cause} (${why}${last})`;
}

function taskKey(task: { readonly vertexId: string; readonly subtask: number }): string {
  return `${task.vertexId}#${task.subtask}`;
}
