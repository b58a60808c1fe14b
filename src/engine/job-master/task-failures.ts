// What follows when an attempt comes to nothing: its task runs again, at once or after a pause, or the job ends. What went
// with a worker or a disk is no failure of the task (invariant 9), unless it happens again and again. Holds only what no
// event records: pauses, and losses in a row. Doc: docs/recovery.md "Failing tasks".
import { invariant } from '../../model/errors.ts';
import { partitionKey } from '../../model/ids.ts';
import type { JobGraph } from '../../model/job-graph.ts';
import type { RestartStrategyOptions } from '../../model/options.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import type { RecoveryPlan } from '../../replay/recovery-plan.ts';
import type { ExecutionRef, TaskFailure } from '../protocol/messages.ts';
import type { ShuffleMaster } from '../shuffle-service/shuffle-master.ts';
import type { FailureHistory } from './failure-history.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import { decideRestart, type Jitter } from './restart-strategy.ts';
import { type RunningAttempts, type TaskRef, taskKey } from './running-attempts.ts';

/** A task that brought its worker down this often in a row, or a partition that could not be read this often. */
const lossesMax = 10;

export interface TaskFailuresOptions {
  readonly graph: ExecutionGraph;
  readonly jobGraph: JobGraph;
  readonly attempts: RunningAttempts;
  readonly tracker: PartitionTracker;
  /** null: result partitions stay with the workers that wrote them. */
  readonly shuffle: ShuffleMaster | null;
  readonly failures: FailureHistory;
  readonly restartStrategy: RestartStrategyOptions;
  readonly jitter: Jitter;
  /** Resets what must run again for what was lost. */
  readonly reconcile: () => RecoveryPlan;
  /** Something may be deployable now. */
  readonly onChanged: () => void;
  readonly onFailed: (reason: string) => void;
  /** Nothing more can be done now, and nothing is wrong with the job. */
  readonly onSuspended: (reason: string) => void;
  readonly onNotice: (message: string) => void;
}

export class TaskFailures {
  readonly #options: TaskFailuresOptions;
  /** In terms of `performance.now()`: a clock that jumps back must not stretch a pause. */
  readonly #notBeforeMs = new Map<string, number>();
  /** By task, or by partition. */
  readonly #losses = new Map<string, number>();

  constructor(options: TaskFailuresOptions) {
    this.#options = options;
  }

  /** Whether the task still waits for its pause to pass. */
  isPaused(task: TaskRef): boolean {
    return (this.#notBeforeMs.get(taskKey(task)) ?? 0) > performance.now();
  }

  taskFinished(execution: ExecutionRef): void {
    this.#losses.delete(taskKey(execution));
  }

  taskFailed(execution: ExecutionRef, workerId: string, failure: TaskFailure): void {
    const { attempts, onFailed, onSuspended, onChanged } = this.#options;
    const label = this.#labelOf(execution);
    attempts.failed(execution, workerId, failure.message, failure.kind === 'task');
    switch (failure.kind) {
      case 'task':
        return this.#restartOrFail(execution, failure.message);
      case 'partition':
        return this.#partitionLost(label, failure);
      case 'source-changed':
        return onFailed(`${label}: ${failure.message}`);
      case 'disk':
        return onSuspended(`${label}: ${failure.message}`);
      case 'canceled':
        return onChanged();
    }
  }

  /** `missing`: a partition of the result went with a worker's disk. */
  handOverRefused(execution: ExecutionRef, workerId: string, missing: boolean, message: string): void {
    const { attempts, onFailed, onChanged } = this.#options;
    const cause = `the shuffle service could not take its result: ${message}`;
    attempts.failed(execution, workerId, cause, !missing);
    if (!missing) return this.#restartOrFail(execution, cause);
    if (this.#countLoss(taskKey(execution)) >= lossesMax) {
      return onFailed(`${this.#labelOf(execution)}: ${cause} (${lossesMax} times in a row)`);
    }
    onChanged();
  }

  /** `lost`: the attempts that went with the worker. */
  workerLost(workerId: string, lost: readonly ExecutionRef[], reason: string): void {
    const { attempts, onFailed, onChanged } = this.#options;
    for (const execution of lost) {
      attempts.failed(execution, workerId, `${workerId} was lost: ${reason}`, false);
      if (this.#countLoss(taskKey(execution)) < lossesMax) continue;
      const often = `its worker was lost ${lossesMax} times in a row while it ran (last: ${reason})`;
      onFailed(`${this.#labelOf(execution)}: ${often}`);
    }
    onChanged();
  }

  /** Counts as a failed attempt of the task that asked. A lost enumerator takes all tasks of its vertex along. */
  enumeratorFailed(execution: ExecutionRef, message: string, isLost: boolean): void {
    const { attempts, reconcile, onChanged } = this.#options;
    const { vertexId } = execution;
    const hasFailed = attempts.fail(execution, message);
    if (isLost) {
      attempts.cancelVertices([vertexId], "canceled, because its source's enumerator starts over");
      reconcile();
    }
    if (hasFailed) this.#restartOrFail(execution, message);
    if (isLost) this.#pauseVertexAs(execution);
    onChanged();
  }

  #partitionLost(label: string, { partition, message }: TaskFailure): void {
    const { tracker, shuffle, reconcile, onFailed, onNotice, onChanged } = this.#options;
    invariant(partition, 'a partition failure names its partition');
    const { datasetId, partitionIndex } = partition;
    tracker.lost(datasetId, partitionIndex);
    if (this.#countLoss(partitionKey(datasetId, partitionIndex)) >= lossesMax) {
      return onFailed(`${label}: ${message} (${lossesMax} times, though its producer ran again each time)`);
    }
    const { rerun } = reconcile();
    shuffle?.settle();
    onNotice(`${label}: ${message}; ${rerun.length} finished task(s) run again`);
    onChanged();
  }

  #restartOrFail(execution: ExecutionRef, cause: string): void {
    const { failures, restartStrategy, jitter, onFailed, onNotice, onChanged } = this.#options;
    const label = this.#labelOf(execution);
    const decision = decideRestart(restartStrategy, failures.timesMs, jitter);
    if (decision.kind === 'fail')
      return onFailed(failedFor(label, cause, failures.firstCauseOf(execution), decision.reason));
    onNotice(`${label}: ${cause}; restarting it in ${decision.delayMs / 1000} s`);
    this.#notBeforeMs.set(taskKey(execution), performance.now() + decision.delayMs);
    // One millisecond more, since a timer may fire a little early.
    setTimeout(onChanged, decision.delayMs + 1);
  }

  /** All tasks of the vertex wait as long as this one. */
  #pauseVertexAs(execution: ExecutionRef): void {
    const { vertexId } = execution;
    const notBeforeMs = this.#notBeforeMs.get(taskKey(execution)) ?? 0;
    for (const { subtask } of this.#options.graph.vertices.get(vertexId)?.tasks ?? []) {
      this.#notBeforeMs.set(taskKey({ vertexId, subtask }), notBeforeMs);
    }
  }

  #countLoss(key: string): number {
    const losses = (this.#losses.get(key) ?? 0) + 1;
    this.#losses.set(key, losses);
    return losses;
  }

  #labelOf({ vertexId, subtask }: ExecutionRef): string {
    const vertex = this.#options.jobGraph.vertices.find(({ id }) => id === vertexId);
    invariant(vertex, `vertex ${vertexId} is in the job graph`);
    return `${vertex.name}#${subtask}`;
  }
}

/** The first cause, since later attempts may fail of what the first one left behind. */
function failedFor(label: string, cause: string, firstCause: string | null, why: string): string {
  const last = firstCause === null || firstCause === cause ? '' : `; the last time: ${cause}`;
  return `${label}: ${firstCause ?? cause} (${why}${last})`;
}
