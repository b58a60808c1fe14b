// `run`: plans the job file, decides between a new run, resuming and attaching, follows the job to its end, and
// reports from the store. Contract: "run".
import { clearEnded } from '../engine/client/clear-ended.ts';
import { type FollowEnd, followJob } from '../engine/client/job-follower.ts';
import { PrintFollower } from '../engine/client/print-follower.ts';
import { readFailure } from '../engine/job-master/master-failure.ts';
import type { JobMasterStart } from '../engine/processes.ts';
import type { Submission } from '../engine/submission.ts';
import { type ErrorCode, JobrecError } from '../model/errors.ts';
import { newJobId } from '../model/ids.ts';
import type { JobGraph } from '../model/job-graph.ts';
import { readOptions } from '../model/options.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { PlannedJob } from '../plan/plan-job.ts';
import { readMetadata } from '../store/checkpoint/checkpoint-storage.ts';
import { diskFailure } from '../store/disk-error.ts';
import { latestGenerationNumber } from '../store/generation.ts';
import type { JobFolder } from '../store/job-folder.ts';
import { cancelJob } from './cancel.ts';
import { clusterSize } from './cluster-size.ts';
import { requireFreeSinks } from './free-sinks.ts';
import { type Interruption, listenForSignals } from './interruption.ts';
import { requireUnchanged } from './job-changes.ts';
import { createJobFolder, isLed, type JobEntry, latestRun, lockName, readGraph, removeDrafts } from './job-home.ts';
import { requireOutlives, requireSameRestore, restoreSettings, withRestore } from './restore-from.ts';
import { freshLine, restoreLine, resumeLine } from './resume-line.ts';
import { changedOptions, withOptionsOf } from './resume-options.ts';
import { runReport } from './run-outcome.ts';
import { planOf } from './run-plan.ts';
import type { RunFailure, RunOptions, RunProgress, RunReport } from './run-report.ts';
import { refuseMaintained } from './store-hold.ts';
import { isUnresumable } from './stream-outlook.ts';

interface Started {
  readonly folder: JobFolder;
  readonly submission: Submission;
  /** null: a JobMaster leads already, and this client attaches. */
  readonly start: JobMasterStart | null;
}

/** Runs, resumes or attaches to the job, until it has ended or is suspended. */
export async function runJob(options: RunOptions, progress: RunProgress): Promise<RunReport> {
  const startedMs = performance.now();
  const signals = listenForSignals();
  try {
    const planned = await planOf(options);
    for (const warning of planned.warnings) progress.notice(warning);
    await lockName(options.home, planned.graph.name);
    const started = await startOrResume(options, planned, progress);
    const end = await follow(options, started, progress, signals.interrupted);
    const failure = await failureOf(end, started.folder, signals.current(), options);
    const report = await runReport(started.folder, end.state, failure, Math.round(performance.now() - startedMs));
    return await withStateHint(report, options);
  } catch (error) {
    throw diskFailure(error, options.home) ?? error;
  } finally {
    signals.stop();
  }
}

async function startOrResume(options: RunOptions, planned: PlannedJob, progress: RunProgress): Promise<Started> {
  const latest = await latestRun(options.home, planned.graph.name);
  const last = latest && (await ifUnfinished(latest));
  await removeDrafts(options.home, planned.graph.name);
  const restore = restoreSettings(options);
  if (last && !options.fresh) {
    requireSameRestore(last, restore);
    return resume(last, planned, progress);
  }
  if (last) requireOutlives(last, restore);
  const { graph, config, fingerprint, modules } = await withRestore(planned, restore);
  // All that can be refused is refused before anything changes: the last run above all.
  clusterSize(options, readOptions(config), slotsNeeded(graph));
  await requireFreeSinks(planned);
  if (restore) progress.notice(`the job begins from ${restore.path}`);
  if (last) await cancelJob({ home: options.home, job: last.submission.jobId, savepointFolder: null });
  const submission: Submission = {
    jobId: newJobId(),
    name: graph.name,
    // It orders the runs of a name: a clock that went back must not hide this one behind an earlier one.
    submittedAtMs: Math.max(Date.now(), (latest?.submission.submittedAtMs ?? 0) + 1),
    graph,
    config,
    fingerprint,
  };
  const folder = await createJobFolder(options.home, submission, modules);
  return { folder, submission, start: 'submitted' };
}

async function resume(last: JobEntry, planned: PlannedJob, progress: RunProgress): Promise<Started> {
  requireUnchanged(last.submission, planned);
  const { folder, submission } = last;
  await refuseMaintained(folder.jobEvents);
  if (await isLed(folder)) {
    progress.notice(`attached to job ${submission.jobId}, which is running`);
    if (changedOptions(submission, planned).length > 0) {
      progress.notice(
        `it goes on with its own options: ${changedOptions(submission, planned).join(', ')} stay as they were`,
      );
    }
    return { folder, submission, start: null };
  }
  const everLed = (await latestGenerationNumber(folder.epochs)) > 0;
  if (everLed) progress.notice(`resuming job ${submission.jobId}`);
  const current = await withOptionsOf(planned, last, (line) => progress.notice(line));
  return { folder, submission: current, start: everLed ? 'resumed' : 'submitted' };
}

async function ifUnfinished(last: JobEntry): Promise<JobEntry | null> {
  const graph = await readGraph(last.folder);
  if (!graph || !isGloballyTerminal(graph.state)) return last;
  // Its JobMaster may have been killed after the end, before it had cleaned up.
  if (!(await isLed(last.folder))) await clearEnded(last.folder, graph);
  return null;
}

async function follow(
  options: RunOptions,
  started: Started,
  progress: RunProgress,
  interrupted: Promise<string>,
): Promise<FollowEnd> {
  const { folder, submission, start } = started;
  const config = readOptions(submission.config);
  const prints = await followPrints(started, progress);
  return followJob({
    folder,
    start,
    progress,
    interrupted,
    size: clusterSize(options, config, slotsNeeded(submission.graph)),
    heartbeatTimeoutMs: config.heartbeatTimeoutMs,
    recordedEnd: async () => {
      const graph = await readGraph(folder);
      const ended = graph && (isGloballyTerminal(graph.state) || graph.state === 'SUSPENDED');
      return ended ? { state: graph.state, reason: graph.stateReason } : null;
    },
  }).finally(() => prints?.stop());
}

/** Rows of print sinks: all of a job that begins, of another one what comes from now on. */
async function followPrints(
  { folder, submission, start }: Started,
  progress: RunProgress,
): Promise<PrintFollower | null> {
  const plan = submission.graph.streaming;
  if (!plan) return null;
  const onLines = (lines: readonly string[]) => progress.rows(lines);
  const fromBeginning = start === 'submitted';
  const prints = new PrintFollower({ plan, logsFolder: folder.logs, fromBeginning, onLines });
  await prints.start();
  return prints;
}

function slotsNeeded({ streaming }: JobGraph): number {
  return Math.max(0, ...(streaming?.vertices ?? []).map(({ parallelism }) => parallelism));
}

async function failureOf(
  end: FollowEnd,
  folder: JobFolder,
  interruption: Interruption | null,
  options: RunOptions,
): Promise<RunFailure | null> {
  if (end.state === 'FINISHED') return null;
  const message = end.reason ?? `the job is ${end.state}`;
  if (end.state === 'FAILED') return { code: 'JOB_FAILED', message };
  if (end.state === 'CANCELED') return { code: 'JOB_CANCELED', message };
  const code = interruption?.code ?? (await suspensionCode(folder));
  return { code, message, hint: await suspensionHint(code, folder, options) };
}

/** Checkpoints are read only where the job has been suspended by itself: a signal, or a failed write, has not damaged any. */
async function suspensionHint(code: ErrorCode, folder: JobFolder, options: RunOptions): Promise<string> {
  const graph = code === 'JOB_SUSPENDED' ? await readGraph(folder) : null;
  if (graph && (await isUnresumable(graph))) return `start over with: ${freshLine(options)}`;
  return `resume with: ${resumeLine(options)}`;
}

/** A streaming job that has ended for good may have left the state that another one can begin from. */
async function withStateHint(report: RunReport, options: RunOptions): Promise<RunReport> {
  const { failure, lastCheckpoint } = report;
  if (!failure || failure.hint !== undefined || !lastCheckpoint) return report;
  // Most ends delete it.
  if ((await readMetadata(lastCheckpoint.location)).kind !== 'metadata') return report;
  const hint = `begin again from its state with: ${restoreLine(options, lastCheckpoint.location)}`;
  return { ...report, failure: { ...failure, hint } };
}

/** A JobMaster that suspends the job by itself says so by its status, and leaves word where its store failed. */
async function suspensionCode(folder: JobFolder): Promise<ErrorCode> {
  const failure = await readFailure(folder);
  return failure instanceof JobrecError ? failure.code : 'JOB_SUSPENDED';
}
