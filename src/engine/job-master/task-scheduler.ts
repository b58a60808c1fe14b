// Runs the job's tasks on the registered workers: initializes vertices, deploys what is ready onto free slots, resets
// what must run again, and sees when all is done. All decisions come from the ExecutionGraph and pure functions. What runs
// is known to RunningAttempts, what follows a failure to TaskFailures, what a finish means to FinishRecorder.
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
import type { Jitter } from './restart-strategy.ts';
import { RunningAttempts } from './running-attempts.ts';
import type { SnapshotPacer } from './snapshot-pacer.ts';
import { SourceCoordinators } from './source-coordinator/source-coordinators.ts';
import { TaskFailures } from './task-failures.ts';
import { initializableVertices, isWhollyFinished, readyTasks } from './task-readiness.ts';
import { type AdaptiveOptions, initializationEvents } from './vertex-initializer.ts';
import type { RegisteredWorker, WorkerPool } from './worker-pool.ts';

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
  readonly #attempts: RunningAttempts;
  readonly #sources: SourceCoordinators;
  readonly #finishes: FinishRecorder;
  readonly #taskFailures: TaskFailures;
  #active = false;

  constructor(options: TaskSchedulerOptions) {
    this.#options = options;
    const { recorder, tracker, releaser, shuffle, pacer, pool, failures, deployment } = options;
    const { jobGraph, epoch } = deployment;
    this.#jobGraph = jobGraph;
    const onGivenUp = (execution: ExecutionRef) => this.#sources.attemptEnded(execution);
    this.#attempts = new RunningAttempts({ epoch, pool, shuffle, recorder, failures, onGivenUp });
    const sources = this.#createSources();
    this.#sources = sources;
    this.#finishes = new FinishRecorder({ recorder, tracker, releaser, shuffle, pacer, sources, jobGraph, epoch });
    this.#taskFailures = this.#createTaskFailures();
  }

  start(): void {
    this.#active = true;
    this.#sources.recover();
    this.schedule();
  }

  /** Deploys nothing any more and cancels what runs. */
  stop(): void {
    this.#active = false;
    this.#attempts.cancelAll();
    this.#sources.close();
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
    if (!this.#attempts.end(worker, execution)) return;
    const { shuffle } = this.#options;
    const { workerId } = worker;
    if (shuffle === null || result.partitions.length === 0) return this.#recordFinish(workerId, execution, result);
    shuffle.handOver(workerId, execution, result.partitions, {
      taken: () => this.#recordFinish(workerId, execution, result),
      refused: (missing, message) => {
        if (this.#active) this.#taskFailures.handOverRefused(execution, workerId, missing, message);
      },
    });
    // The worker's slot is free already.
    this.schedule();
  }

  taskFailed(worker: RegisteredWorker, execution: ExecutionRef, failure: TaskFailure): void {
    const hasEnded = this.#attempts.end(worker, execution);
    if (hasEnded && this.#active) this.#taskFailures.taskFailed(execution, worker.workerId, failure);
  }

  /** A task asks for its next split; one whose attempt is over gets no answer. */
  splitRequested(worker: RegisteredWorker, execution: ExecutionRef, input: number): void {
    if (this.#active && this.#attempts.isOn(worker, execution)) this.#sources.request(execution, input);
  }

  /** The attempts on it run again. */
  workerLost(worker: RegisteredWorker, reason: string): void {
    this.#taskFailures.workerLost(worker.workerId, this.#attempts.endAllOn(worker), reason);
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

  #recordFinish(workerId: string, execution: ExecutionRef, result: TaskResult): void {
    const event = this.#finishes.record(execution, workerId, result);
    this.#options.failures.add(event, Date.now());
    this.#taskFailures.taskFinished(execution);
    this.schedule();
  }

  /** Deploys what is ready; false when slots ran out first. */
  #deployReady(): boolean {
    for (const { vertex, task } of readyTasks(this.#options.recorder.graph, this.#jobGraph)) {
      if (this.#taskFailures.isPaused({ vertexId: vertex.id, subtask: task.subtask })) continue;
      const worker = this.#options.pool.freest();
      if (!worker) return false;
      this.#deploy(worker, vertex, task);
    }
    return true;
  }

  #deploy(worker: RegisteredWorker, vertex: JobVertex, task: ExecutionVertex): void {
    const attempt = task.state === 'FAILED' ? task.attempt + 1 : task.attempt;
    const execution: ExecutionRef = { vertexId: vertex.id, subtask: task.subtask, attempt };
    this.#attempts.deploy(worker, buildDeployment(this.#options.deployment, vertex, execution));
  }

  #finishWhenDone(): void {
    const { graph } = this.#options.recorder;
    if (!this.#jobGraph.vertices.every((vertex) => isWhollyFinished(graph.vertices.get(vertex.id)))) return;
    this.#active = false;
    this.#options.onAllFinished();
  }

  /** What reads a data set whose producers run again must not mix rows of two attempts: it starts over, too. */
  #cancelConsumersOf(restarted: ReadonlySet<string>): void {
    const consumers = this.#jobGraph.edges
      .filter((edge) => restarted.has(edge.producerVertexId))
      .map((edge) => edge.consumerVertexId);
    this.#attempts.cancelVertices(consumers, 'canceled, because its input is produced again');
  }

  #createSources(): SourceCoordinators {
    const { recorder, deployment, enumeratorTimeoutMs, onFailed } = this.#options;
    return new SourceCoordinators({
      graph: recorder.graph,
      jobGraph: this.#jobGraph,
      functionsFolder: deployment.folder.functions,
      timeoutMs: enumeratorTimeoutMs,
      record: (snapshot) => void recorder.record(snapshot),
      isRunning: (execution) => this.#attempts.isRunning(execution),
      answer: (execution, input, split) => this.#attempts.answer(execution, input, split),
      onFailed: (execution, message, isLost) => {
        if (this.#active) this.#taskFailures.enumeratorFailed(execution, message, isLost);
      },
      onSourceChanged: onFailed,
    });
  }

  #createTaskFailures(): TaskFailures {
    const { recorder, tracker, shuffle, failures, restartStrategy, jitter } = this.#options;
    const { onFailed, onSuspended, onNotice } = this.#options;
    return new TaskFailures({
      graph: recorder.graph,
      jobGraph: this.#jobGraph,
      attempts: this.#attempts,
      tracker,
      shuffle,
      failures,
      restartStrategy,
      jitter,
      reconcile: () => this.reconcile({ takesOver: false }),
      onChanged: () => this.schedule(),
      onFailed,
      onSuspended,
      onNotice,
    });
  }
}
