// A recovery, carried out: waits for what the job has left, plans by the same function as `diff`, resets what must run
// again, and records what it kept, what it did not and why, beside what `diff` would have predicted from the log and the
// folders. A difference between the two is a bug, and is said. Doc: docs/recovery.md "The report of a recovery".
import type { RecoveryCause, RecoveryCompleted } from '../../model/job-events.ts';
import type { JobGraph } from '../../model/job-graph.ts';
import { planRecovery } from '../../replay/reconcile.ts';
import { recoveryDetail } from '../../replay/recovery-detail.ts';
import { jobrecRecoveryRules, type RecoveryPlan, type Survivors } from '../../replay/recovery-plan.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import { stagedFiles } from '../sinks/sink-commit.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { PartitionReleaser } from './partition-releaser.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import { reportUnregistered } from './reconciling.ts';
import { survivorsInFolders } from './survivors-in-folders.ts';
import type { TaskScheduler } from './task-scheduler.ts';
import type { WorkerPool } from './worker-pool.ts';

export interface RecoveryOptions {
  readonly folder: JobFolder;
  readonly jobGraph: JobGraph;
  readonly jobId: string;
  readonly epoch: number;
  readonly recorder: EventRecorder;
  readonly pool: WorkerPool;
  readonly tracker: PartitionTracker;
  readonly releaser: PartitionReleaser;
  readonly scheduler: TaskScheduler;
  /** Resolves when all who held partitions are back, or have been waited for long enough. */
  readonly awaitHolders: () => Promise<void>;
  readonly onNotice: (message: string) => void;
}

export class Recovery {
  readonly #options: RecoveryOptions;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /** RECONCILING of a JobMaster that takes over. */
  async takeOver(cause: RecoveryCause): Promise<void> {
    const { folder, pool, tracker, scheduler, releaser, jobGraph, jobId } = this.#options;
    const startedMs = performance.now();
    // A second look at every surviving byte, on purpose: the workers' reports are what it is held against (bytes that were
    // not checked, a report that was cut, a folder mixed up), and a prediction made from them could only agree. It goes on
    // beside the workers' own look, mostly from the same pages in memory. What cannot be read now predicts nothing.
    const predicting = survivorsInFolders(folder, { graph: jobGraph, jobId }).catch(() => null);
    await this.#options.awaitHolders();
    await reportUnregistered(folder, pool, tracker);
    tracker.reportParts(await stagedFiles(jobGraph, jobId));
    const predicted = this.#predict(await predicting);
    const plan = scheduler.reconcile({ takesOver: true });
    releaser.deleteUnwanted();
    this.#record(cause, plan, predicted, Math.round(performance.now() - startedMs));
  }

  /** A worker that comes back in the middle of the run may have lost partitions that are still needed. */
  workerReturned(workerId: string): void {
    const plan = this.#options.scheduler.reconcile({ takesOver: false });
    if (plan.rerun.length === 0) return;
    this.#options.onNotice(`${workerId} came back without all its partitions`);
    this.#record('worker-lost', plan, null, 0);
  }

  #predict(survivors: Survivors | null): RecoveryPlan | null {
    return survivors && planRecovery(this.#options.recorder.graph, survivors, jobrecRecoveryRules);
  }

  #record(cause: RecoveryCause, plan: RecoveryPlan, predicted: RecoveryPlan | null, durationMs: number): void {
    const { recorder, epoch, onNotice } = this.#options;
    const { kept, rerun } = plan.summary;
    const detail = recoveryDetail(plan, predicted);
    const event: RecoveryCompleted = { type: 'recovery-completed', epoch, cause, kept, rerun, durationMs, detail };
    void recorder.record(event);
    const why = detail.reasons.map(({ code, tasks }) => `${tasks} ${code}`).join(', ');
    onNotice(`recovered: ${kept} finished task(s) kept, ${rerun} run again${why === '' ? '' : ` (${why})`}`);
    if (detail.differences.length > 0) onNotice(differenceWarning(event));
  }
}

/** What an operator is told when a recovery was not the predicted one. */
export function differenceWarning({ kept, rerun, epoch, detail }: RecoveryCompleted): string {
  const said = `${detail?.predicted?.kept} kept and ${detail?.predicted?.rerun} run again`;
  return (
    `warning: the recovery of epoch ${epoch} (${kept} kept, ${rerun} run again) is not the predicted one (${said}): ` +
    'that is a bug in jobrec; please report it with a copy of the store'
  );
}
