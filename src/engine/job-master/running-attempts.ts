// The attempts that run: deployed to a worker and not ended, or ended and on their way to the shuffle service. An attempt
// ends once, by its result, its failure, its cancellation or the loss of its worker: what comes in late finds it gone and
// changes nothing. Whose failure counts, and what follows, is decided elsewhere (task-failures.ts).
import type { FoundSplit } from '../../model/job-graph.ts';
import type { ExecutionRef, TaskDeployment } from '../protocol/messages.ts';
import type { ShuffleMaster } from '../shuffle-service/shuffle-master.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { FailureHistory } from './failure-history.ts';
import type { RegisteredWorker, WorkerPool } from './worker-pool.ts';

export interface RunningAttemptsOptions {
  readonly epoch: number;
  readonly pool: WorkerPool;
  /** null: result partitions stay with the workers that wrote them. */
  readonly shuffle: ShuffleMaster | null;
  readonly recorder: EventRecorder;
  /** The failures so far; those of these attempts are added. */
  readonly failures: FailureHistory;
  /** The attempt ended without a result: what it has read goes back. */
  readonly onGivenUp: (execution: ExecutionRef) => void;
}

export class RunningAttempts {
  readonly #options: RunningAttemptsOptions;

  constructor(options: RunningAttemptsOptions) {
    this.#options = options;
  }

  deploy(worker: RegisteredWorker, deployment: TaskDeployment): void {
    const { execution } = deployment;
    void this.#options.recorder.record({ type: 'execution-deployed', ...execution, workerId: worker.workerId });
    worker.running.set(taskKey(execution), execution);
    worker.connection.send({ type: 'deploy', deployment });
  }

  isOn(worker: RegisteredWorker, execution: ExecutionRef): boolean {
    return worker.running.get(taskKey(execution))?.attempt === execution.attempt;
  }

  isRunning(execution: ExecutionRef): boolean {
    return this.#workerOf(execution) !== null;
  }

  /** Gives a task the split that it asked for; null: there is no more. */
  answer(execution: ExecutionRef, input: number, split: FoundSplit | null): void {
    const { epoch } = this.#options;
    this.#workerOf(execution)?.connection.send({ type: 'split', epoch, execution, input, split });
  }

  /** The attempt has ended by itself. False where it was not the one running there. */
  end(worker: RegisteredWorker, execution: ExecutionRef): boolean {
    return this.isOn(worker, execution) && worker.running.delete(taskKey(execution));
  }

  /** The worker is gone. Returns the attempts that went with it. */
  endAllOn(worker: RegisteredWorker): ExecutionRef[] {
    const ended = [...worker.running.values()];
    worker.running.clear();
    return ended;
  }

  /** Records that an attempt that has ended came to nothing. `counted`: by the restart strategy. */
  failed(execution: ExecutionRef, workerId: string, cause: string, counted: boolean): void {
    const { recorder, failures, onGivenUp } = this.#options;
    onGivenUp(execution);
    const event = { type: 'execution-failed', ...execution, workerId, cause, counted } as const;
    void recorder.record(event);
    failures.add(event, Date.now());
  }

  /** Ends the attempt as a counted failure. False where it did not run any more. */
  fail(execution: ExecutionRef, cause: string): boolean {
    const worker = this.#workerOf(execution);
    if (worker === null) return false;
    this.#sendCancel(worker, execution);
    this.failed(execution, worker.workerId, cause, true);
    return true;
  }

  /** Ends all attempts of these vertices; it is no failure of theirs. */
  cancelVertices(vertexIds: readonly string[], cause: string): void {
    const isMeant = ({ vertexId }: ExecutionRef) => vertexIds.includes(vertexId);
    for (const { worker, execution } of this.#all()) {
      if (!isMeant(execution)) continue;
      this.#sendCancel(worker, execution);
      this.failed(execution, worker.workerId, cause, false);
    }
    const handedOver = this.#options.shuffle?.cancel(isMeant) ?? [];
    for (const { execution, workerId } of handedOver) this.failed(execution, workerId, cause, false);
  }

  /** Ends all attempts. Nothing is recorded of them: the job's own end says it. */
  cancelAll(): void {
    for (const { worker, execution } of this.#all()) {
      this.#sendCancel(worker, execution);
      this.#options.onGivenUp(execution);
    }
    this.#options.shuffle?.cancel(() => true);
  }

  #all(): { readonly worker: RegisteredWorker; readonly execution: ExecutionRef }[] {
    const workers = [...this.#options.pool.workers.values()];
    return workers.flatMap((worker) => [...worker.running.values()].map((execution) => ({ worker, execution })));
  }

  #workerOf(execution: ExecutionRef): RegisteredWorker | null {
    for (const worker of this.#options.pool.workers.values()) if (this.isOn(worker, execution)) return worker;
    return null;
  }

  #sendCancel(worker: RegisteredWorker, execution: ExecutionRef): void {
    worker.running.delete(taskKey(execution));
    worker.connection.send({ type: 'cancel', epoch: this.#options.epoch, execution });
  }
}

export interface TaskRef {
  readonly vertexId: string;
  readonly subtask: number;
}

export function taskKey({ vertexId, subtask }: TaskRef): string {
  return `${vertexId}#${subtask}`;
}
