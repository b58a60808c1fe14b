// Deploys the tasks from their newest checkpoint, and all of them again when one fails or a worker is lost. Of an attempt
// the first failure counts: the others are its consequences. Losing a worker is no failure of a task (invariant 9).
// Spec: docs/streaming.md, "Failures".
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { MasterCourse } from '../../job-master/master-course.ts';
import type { Mastership } from '../../job-master/mastership.ts';
import { decideRestart, jitterOf, type RestartDecision } from '../../job-master/restart-strategy.ts';
import type { RegisteredWorker } from '../../job-master/worker-pool.ts';
import type { StreamTaskRef } from '../protocol/stream-messages.ts';
import type { CheckpointDriver } from './checkpoint-driver.ts';
import { streamRestartStrategy } from './restart-default.ts';
import type { Restorer } from './restorer.ts';
import type { StreamScheduler } from './stream-scheduler.ts';

/** How long the cause of a broken channel is waited for: its message may lie in another socket. */
const causeTimeoutMs = 1_000;

export interface StreamFailoverOptions {
  readonly plan: StreamingPlan;
  readonly mastership: Mastership;
  readonly course: MasterCourse;
  readonly restorer: Restorer;
  readonly scheduler: StreamScheduler;
  readonly checkpoints: CheckpointDriver;
  readonly onNotice: (message: string) => void;
}

export class StreamFailover {
  readonly #options: StreamFailoverOptions;
  /** The tasks of one attempt are being ended, and those of the next are not deployed yet; or there is no next one. */
  #isBetweenAttempts = false;
  /** The tasks have done their work. */
  #isStoodDown = false;
  /** A broken channel whose cause has not been told yet. */
  #consequence: NodeJS.Timeout | null = null;

  constructor(options: StreamFailoverOptions) {
    this.#options = options;
  }

  /** Whether the tasks that are there are being ended: what they say of their deployment comes too late. */
  get isBetweenAttempts(): boolean {
    return this.#isBetweenAttempts;
  }

  /** Sets sinks and tasks back to the newest checkpoint that can be used, and deploys. */
  async deploy(): Promise<void> {
    const { course, restorer, scheduler, checkpoints } = this.#options;
    const restored = await restorer.restore();
    if (restored.kind === 'none-usable') return course.suspend(restored.reason);
    await checkpoints.prepare(restored.metadata);
    if (course.isEnding) return;
    // From here on a loss or a failure is one of the new attempt, also while it is being deployed.
    this.#isBetweenAttempts = false;
    scheduler.start(restored.location);
  }

  /**
   * A task has lost a channel. Its cause is on its way, the failure of another task or the loss of a worker, which is no
   * failure (invariant 9); one that does not come in time is none, and this counts.
   */
  channelLost(task: StreamTaskRef, message: string): void {
    if (this.#isBusy() || this.#consequence !== null) return;
    this.#consequence = setTimeout(() => void this.taskFailed(task, message), causeTimeoutMs);
  }

  async taskFailed(task: StreamTaskRef, message: string): Promise<void> {
    const { course, onNotice } = this.#options;
    this.#forgetConsequence();
    if (this.#isBusy()) return;
    this.#isBetweenAttempts = true;
    const decision = this.#decide(task, message);
    const what = `${this.#labelOf(task)}: ${message}`;
    if (decision.kind === 'fail') return course.end({ kind: 'failed', reason: `${what} (${decision.reason})` });
    onNotice(`${what}; all tasks restart in ${decision.delayMs / 1000} s`);
    await this.#restart(what, decision.delayMs);
  }

  /** The tasks restart as soon as there are slots. */
  workerLost(worker: RegisteredWorker, reason: string): void {
    const { scheduler } = this.#options;
    const hadTasks = scheduler.workerLost(worker);
    if (hadTasks) this.#forgetConsequence();
    if (!hadTasks || this.#isBusy()) return;
    this.#isBetweenAttempts = true;
    void this.#restart(`${worker.workerId} was lost: ${reason}`, 0);
  }

  /** The tasks had stopped for a savepoint that has failed: they restart, and nothing is counted. */
  savepointFailed(reason: string): void {
    if (this.#isBusy()) return;
    this.#isBetweenAttempts = true;
    this.#options.onNotice(`${reason}; the job goes on`);
    void this.#restart(reason, 0);
  }

  /** The tasks have done their work: what is lost from here on is no loss. */
  standDown(): void {
    this.#isStoodDown = true;
  }

  #forgetConsequence(): void {
    if (this.#consequence !== null) clearTimeout(this.#consequence);
    this.#consequence = null;
  }

  #isBusy(): boolean {
    return this.#isBetweenAttempts || this.#isStoodDown || this.#options.course.isEnding;
  }

  /** Records the failure, and asks the restart strategy. */
  #decide(task: StreamTaskRef, cause: string): RestartDecision {
    const { mastership, scheduler } = this.#options;
    const { recorder, failures, config, options, jobId } = mastership;
    const where = { ...task, attempt: scheduler.attempt, workerId: scheduler.workerOf(task) };
    const event = { type: 'execution-failed', ...where, cause, counted: true } as const;
    void recorder.record(event);
    failures.add(event, Date.now());
    const strategy = streamRestartStrategy(config, options);
    return decideRestart(strategy, failures.timesMs, jitterOf(jobId));
  }

  async #restart(reason: string, delayMs: number): Promise<void> {
    const { course, checkpoints, scheduler } = this.#options;
    course.status('RESTARTING', reason);
    try {
      await checkpoints.stop('the tasks of the job restart');
      // The last checkpoint of the job was being stored, and is complete: nothing runs behind it any more.
      if (this.#isStoodDown) return;
      await scheduler.end('cancel');
      await Promise.race([new Promise((resolve) => setTimeout(resolve, delayMs)), course.ended]);
      if (!course.isEnding) await this.deploy();
    } catch (error) {
      await course.endFor(error);
    }
  }

  #labelOf({ vertexId, subtask }: StreamTaskRef): string {
    const vertex = this.#options.plan.vertices.find((each) => each.vertexId === vertexId);
    return `${vertex?.name ?? vertexId}#${subtask}`;
  }
}
