// `run --from-savepoint`: the savepoint or retained checkpoint that a new job begins from, checked before anything is
// started: it is whole, its state fits the job, and it will still be there. Spec: docs/streaming.md.
import { basename, dirname, sep } from 'node:path';
import { readWhole } from '../engine/streaming/coordinator/restore-point.ts';
import { type StateMisfit, stateMisfits } from '../engine/streaming/coordinator/state-fit.ts';
import { checkpointStorage, isRetained } from '../engine/streaming/stream-files.ts';
import { JobrecError } from '../model/errors.ts';
import { readOptions } from '../model/options.ts';
import type { RestoreSettings, StreamingPlan } from '../model/streaming-plan.ts';
import type { PlannedJob } from '../plan/plan-job.ts';
import { metadataName, type OperatorState } from '../store/checkpoint/own-metadata.ts';
import { readCheckpoint } from '../store/checkpoint/read-checkpoint.ts';
import type { JobEntry } from './job-home.ts';
import type { RunOptions } from './run-report.ts';

/** What the command asks for; null: nothing. The folder of the checkpoint, also where its `_metadata` was named. */
export function restoreSettings({ fromSavepoint, allowNonRestoredState }: RunOptions): RestoreSettings | null {
  if (fromSavepoint === null) return null;
  const path = basename(fromSavepoint) === metadataName ? dirname(fromSavepoint) : fromSavepoint;
  return { path, allowNonRestoredState };
}

/** The job with the restore in its plan. Throws where it cannot begin from there. */
export async function withRestore(planned: PlannedJob, restore: RestoreSettings | null): Promise<PlannedJob> {
  if (!restore) return planned;
  const { streaming } = planned.graph;
  if (!streaming) {
    throw new JobrecError('INVALID_FLAG', `--from-savepoint: job ${planned.graph.name} is a batch job, which has none`);
  }
  await requireFit(restore, streaming);
  return { ...planned, graph: { ...planned.graph, streaming: { restore, ...streaming } } };
}

/** For a run that has not ended: it goes on as it began, or not at all. */
export function requireSameRestore({ submission }: JobEntry, restore: RestoreSettings | null): void {
  const began = submission.graph.streaming?.restore?.path ?? null;
  if (!restore || restore.path === began) return;
  const from = began === null ? 'with no state' : `from ${began}`;
  throw new JobrecError('JOB_CHANGED', `job ${submission.name} has not ended, and it began ${from}`, {
    data: { jobId: submission.jobId, began, asked: restore.path },
    hint: 'run it without --from-savepoint to resume it, or cancel it first',
  });
}

/** `--fresh` cancels the last run: not where that would delete what the new one begins from. */
export function requireOutlives({ folder, submission }: JobEntry, restore: RestoreSettings | null): void {
  const options = readOptions(submission.config).streaming;
  if (!restore || isRetained(options.retention, 'CANCELED')) return;
  const { root } = checkpointStorage(folder, submission.jobId, options);
  if (!restore.path.startsWith(root + sep)) return;
  const message = `${restore.path} is a checkpoint of the run that --fresh ends, which deletes it`;
  throw new JobrecError('INVALID_ARGUMENT', message, {
    data: { jobId: submission.jobId, path: restore.path },
    hint: 'copy its folder elsewhere first, or stop the job with a savepoint while it runs',
  });
}

async function requireFit({ path, allowNonRestoredState }: RestoreSettings, plan: StreamingPlan): Promise<void> {
  // For its errors: nothing there, no checkpoint, damaged, another version.
  const { format } = await readCheckpoint(path);
  if (format !== 'jobrec') {
    throw new JobrecError(
      'INVALID_ARGUMENT',
      `${path} is a checkpoint of Flink: jobrec can inspect it, not begin from it`,
    );
  }
  const metadata = await readWhole(path);
  if (typeof metadata === 'string') {
    throw new JobrecError('CHECKPOINT_DAMAGED', `${path} cannot be restored: ${metadata}`, {
      data: { path },
      hint: 'jobrec checkpoint validate lists all that is wrong with it',
    });
  }
  const misfits = stateMisfits(metadata, plan).filter(({ kind }) => !allowNonRestoredState || kind !== 'unclaimed');
  const [first, ...more] = misfits;
  if (!first) return;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  throw new JobrecError('STATE_MISFIT', `${messageOf(first)}${others}`, {
    data: { path, misfits: misfits.map(({ kind, state }) => ({ kind, operatorId: state.operatorId, uid: state.uid })) },
    hint: hintOf(first),
  });
}

function messageOf(misfit: StateMisfit): string {
  const what = operatorText(misfit.state);
  switch (misfit.kind) {
    case 'unclaimed':
      return `the savepoint holds state of ${what}, which the job does not have`;
    case 'other-shape':
      return `the state of ${what} does not fit: it is ${misfit.state.shape ?? 'of a kind that is not recorded'}; the job has ${misfit.now ?? 'no state there'}`;
    case 'other-key-groups':
      return `the state of ${what} is divided into ${misfit.state.maxParallelism} key groups, and the job has ${misfit.now}`;
  }
}

function hintOf({ kind, state }: StateMisfit): string {
  if (kind === 'unclaimed') return `give a stage uid: ${state.uid}, or leave it behind with --allow-non-restored-state`;
  if (kind === 'other-key-groups') return `set pipeline.max-parallelism: ${state.maxParallelism}`;
  return 'give the stage another uid to begin it without state, and add --allow-non-restored-state';
}

function operatorText({ name, uid, operatorId }: OperatorState): string {
  return `${name} (uid ${uid}, operator ${operatorId})`;
}
