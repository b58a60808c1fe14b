// A home and the jobs in it: which run of a name is the last, whether it has ended, who holds it. Used by run, jobs
// and cancel.
import { readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findSubmission, type Submission, writeSubmission } from '../engine/submission.ts';
import { type ErrorCode, JobrecError, messageOf } from '../model/errors.ts';
import { derivedId } from '../model/ids.ts';
import type { Damage, JobLog } from '../model/job-log.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { replayLog } from '../replay/replay-log.ts';
import { makeFolder, syncFolder, writeSynced } from '../store/atomic-file.ts';
import { latestHolder, takeGeneration } from '../store/generation.ts';
import { type JobFolder, jobFolderAt, jobsFolder } from '../store/job-folder.ts';
import { openJobLog } from '../store/open-log.ts';

export interface JobEntry {
  readonly folder: JobFolder;
  readonly submission: Submission;
}

/** All jobs of a home, oldest first. Errors: STORE_UNREADABLE for a home that is none. */
export async function listJobEntries(home: string): Promise<JobEntry[]> {
  const entries = await readdir(jobsFolder(home), { withFileTypes: true }).catch((error) => noneIfAbsent(home, error));
  const found: JobEntry[] = [];
  for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
    const folder = jobFolderAt(join(jobsFolder(home), entry.name));
    const submission = await submissionOf(folder);
    if (submission) found.push({ folder, submission });
  }
  return found.sort((a, b) => a.submission.submittedAtMs - b.submission.submittedAtMs);
}

function noneIfAbsent(home: string, error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return [];
  throw new JobrecError('STORE_UNREADABLE', `the home ${resolve(home)} cannot be read: ${messageOf(error)}`, {
    data: { path: resolve(home), system: error.code },
    hint: '--home names the folder in which `run` keeps its jobs',
    cause: error,
  });
}

/** As the client wrote it; where that is damaged, as the store has it: one file does not hide a job. null: neither. */
async function submissionOf(folder: JobFolder): Promise<Submission | null> {
  const written = await findSubmission(folder).catch((error) => {
    if (error instanceof JobrecError) return null;
    throw error;
  });
  return written ?? recordedSubmission(folder).catch(() => null);
}

async function recordedSubmission(folder: JobFolder): Promise<Submission | null> {
  const recorded = await readGraph(folder);
  if (recorded === null) return null;
  const { jobId, name, graph, config, fingerprint, lastTimeMicros } = recorded;
  if (jobId === null || name === null || graph === null || fingerprint === null) return null;
  let submittedAtMs = (lastTimeMicros ?? 0) / 1000;
  for await (const { timeMicros } of (await openJobLog(folder.jobEvents)).records()) {
    submittedAtMs = (timeMicros ?? 0) / 1000;
    break;
  }
  return { jobId, name, submittedAtMs, graph, config, fingerprint };
}

/** The last job of that name; null: there is none. */
export async function latestRun(home: string, name: string): Promise<JobEntry | null> {
  return (await listJobEntries(home)).filter(({ submission }) => submission.name === name).at(-1) ?? null;
}

/** The last job of that name, or the one with that id. Throws JOB_UNKNOWN with the names that there are. */
export async function findJob(home: string, nameOrId: string): Promise<JobEntry> {
  const entries = await listJobEntries(home);
  const found = entries
    .filter(({ submission }) => submission.jobId === nameOrId || submission.name === nameOrId)
    .at(-1);
  if (found) return found;
  const names = [...new Set(entries.map(({ submission }) => submission.name))];
  const known = names.length === 0 ? 'it holds no jobs' : `it knows ${names.join(', ')}`;
  throw new JobrecError('JOB_UNKNOWN', `no job ${nameOrId} in ${resolve(home)}; ${known}`, {
    data: { job: nameOrId, names },
  });
}

/**
 * The job's graph as its store has it; null where no event was recorded (killed in its first write). On a damaged
 * store, that of the longest good prefix.
 */
export async function readGraph(folder: JobFolder): Promise<ExecutionGraph | null> {
  const log = await openStore(folder);
  return log && graphIn(log);
}

/** As `readGraph`, with the damage behind that prefix; also where the store does not hold the job any more. */
export async function readDamaged(
  folder: JobFolder,
): Promise<{ readonly graph: ExecutionGraph | null; readonly damage: Damage | null }> {
  const log = await openStore(folder);
  if (log === null) return { graph: null, damage: null };
  const graph = await graphIn(log).catch(nullIf('STORE_DAMAGED'));
  return { graph, damage: (await log.summary()).damage };
}

function openStore(folder: JobFolder): Promise<JobLog | null> {
  return openJobLog(folder.jobEvents).catch(nullIf('STORE_NOT_FOUND', 'NOT_A_STORE'));
}

async function graphIn(log: JobLog): Promise<ExecutionGraph | null> {
  const { graph } = await replayLog(log);
  return graph.jobId === null ? null : graph;
}

function nullIf(...codes: readonly ErrorCode[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof JobrecError && codes.includes(error.code)) return null;
    throw error;
  };
}

/** Whether a later `run` of the name resumes this job. */
export async function hasEnded(entry: JobEntry): Promise<boolean> {
  const graph = await readGraph(entry.folder);
  return graph !== null && isGloballyTerminal(graph.state);
}

/** Whether a live JobMaster leads the job. */
export async function isLed(folder: JobFolder): Promise<boolean> {
  return (await latestHolder(folder.epochs)).livePid !== null;
}

/** Takes the lock of a job's name for this client. Throws JOB_HELD naming the process that has it. */
export async function lockName(home: string, name: string): Promise<void> {
  const locks = join(resolve(home), 'locks', derivedId('job-name', name));
  const { number, livePid } = await latestHolder(locks);
  if (livePid !== null) throw heldBy(name, livePid);
  if (await takeGeneration(locks, number, { name })) return;
  throw heldBy(name, (await latestHolder(locks)).livePid);
}

function heldBy(name: string, pid: number | null): JobrecError {
  const who = pid === null ? 'another process' : `process ${pid}`;
  return new JobrecError('JOB_HELD', `job ${name} is being run by ${who}`, {
    data: { name, pid },
    hint: 'wait for it; Ctrl-C or SIGTERM there suspends the job, and this command then resumes it',
  });
}

/** Makes the folder of a new job: whole under its name, or not at all. */
export async function createJobFolder(
  home: string,
  submission: Submission,
  modules: readonly { readonly fileName: string; readonly code: string }[],
): Promise<JobFolder> {
  const draft = jobFolderAt(join(resolve(home), `${draftPrefix(submission.name)}${submission.jobId}`));
  const folder = jobFolderAt(join(jobsFolder(home), submission.jobId));
  await rm(draft.root, { recursive: true, force: true });
  for (const path of [draft.functions, draft.logs, draft.workers, draft.jobEvents]) await makeFolder(path);
  for (const { fileName, code } of modules) await writeSynced(join(draft.functions, fileName), code);
  await syncFolder(draft.functions);
  await writeSubmission(draft, submission);
  await makeFolder(jobsFolder(home));
  await rename(draft.root, folder.root);
  await syncFolder(jobsFolder(home));
  return folder;
}

/** Removes what clients left that were killed while they made a job's folder. Only for the holder of the name's lock. */
export async function removeDrafts(home: string, name: string): Promise<void> {
  const entries = await readdir(home).catch(() => []);
  const drafts = entries.filter((entry) => entry.startsWith(draftPrefix(name)));
  for (const draft of drafts) await rm(join(home, draft), { recursive: true, force: true });
}

function draftPrefix(name: string): string {
  return `draft-${derivedId('job-name', name).slice(0, 8)}-`;
}
