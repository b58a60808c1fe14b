// `savepoint`, `stop` and `cancel --with-savepoint`: the live JobMaster of a streaming job takes a savepoint, which from
// then on is the user's: no job deletes it. Spec: docs/streaming.md, "Savepoints".
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { orderSavepoint, type SavepointAnswer } from '../engine/client/order-savepoint.ts';
import type { SavepointPurpose } from '../engine/protocol/messages.ts';
import type { Submission } from '../engine/submission.ts';
import { JobrecError } from '../model/errors.ts';
import { readOptions } from '../model/options.ts';
import { isGloballyTerminal, type JobState } from '../model/states.ts';
import type { JobFolder } from '../store/job-folder.ts';
import { findJob, isLed, readGraph } from './job-home.ts';
import type { SavepointReport } from './run-report.ts';

export interface SavepointOptions {
  readonly home: string;
  /** A job's name or id. */
  readonly job: string;
  /** Absolute folder below which it is taken; null: that of the job's options. */
  readonly folder: string | null;
  readonly purpose: SavepointPurpose;
}

/** A savepoint that fails is a report with its `failure`. Throws where there is nothing that could take one. */
export async function takeSavepoint({ home, job, folder, purpose }: SavepointOptions): Promise<SavepointReport> {
  const { folder: jobFolder, submission } = await findJob(home, job);
  const { jobId } = submission;
  requireStreaming(submission);
  await requireLive(jobFolder, submission);
  const target = join(targetFolder(folder, submission), savepointName(jobId));
  const answer = await orderSavepoint(jobFolder, target, purpose);
  return reportOf(answer, jobId, (await readGraph(jobFolder))?.state ?? 'CREATED');
}

/** As Flink names them. */
function savepointName(jobId: string): string {
  return `savepoint-${jobId.slice(0, 6)}-${randomBytes(6).toString('hex')}`;
}

function requireStreaming({ jobId, name, graph }: Submission): void {
  if (graph.streaming) return;
  throw new JobrecError('INVALID_ARGUMENT', `job ${name} is a batch job, which has no savepoints`, {
    data: { jobId },
    hint: 'interrupt its run (Ctrl-C) to go on later',
  });
}

async function requireLive(folder: JobFolder, { jobId, name }: Submission): Promise<void> {
  const state = (await readGraph(folder))?.state ?? 'CREATED';
  if (isGloballyTerminal(state)) {
    throw new JobrecError('JOB_NOT_RUNNING', `job ${name} has ended already: ${state}`, { data: { jobId, state } });
  }
  if (await isLed(folder)) return;
  throw new JobrecError(
    'JOB_NOT_RUNNING',
    `no JobMaster leads job ${name} just now: only a running job has savepoints`,
    {
      data: { jobId, state: 'SUSPENDED' },
      hint: 'run it again; it goes on from its last checkpoint',
    },
  );
}

function targetFolder(folder: string | null, { name, config }: Submission): string {
  const target = folder ?? readOptions(config).streaming.savepointFolder;
  if (target !== null) return target;
  throw new JobrecError('INVALID_ARGUMENT', `job ${name} has no folder for savepoints: name one`, {
    hint: 'or set execution.checkpointing.savepoint-dir in the config of the job',
  });
}

function reportOf(answer: SavepointAnswer, jobId: string, recorded: JobState): SavepointReport {
  if (answer.kind === 'taken') {
    const { path, checkpointId, bytes } = answer.savepoint;
    return { jobId, state: answer.lastState ?? recorded, path, checkpointId, bytes };
  }
  const reason = answer.kind === 'failed' ? answer.reason : 'its JobMaster does not answer';
  const failure = { code: 'SAVEPOINT_FAILED', message: `no savepoint was taken: ${reason}` } as const;
  return { jobId, state: recorded, path: null, checkpointId: null, bytes: null, failure };
}
