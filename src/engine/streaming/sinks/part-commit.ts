// The output of file sinks as of a checkpoint: parts become visible when their checkpoint is complete, and a job that
// falls back to an earlier checkpoint takes the later parts back, since it will write those rows again. Every step can
// be done twice: recovery rolls forward what a killed JobMaster had begun.
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, replaceFile, syncFolder } from '../../../store/atomic-file.ts';
import type { CommittedPart } from '../../../store/checkpoint/own-metadata.ts';
import { checkpointOfPart, isPart, ownerFileName, stagedPrefix } from './part-names.ts';

/** A part that does not lie whole where it was staged; null: all do. */
export async function unstagedPart(parts: readonly CommittedPart[]): Promise<string | null> {
  for (const { staged, bytes } of parts) {
    const found = await stat(staged).catch(() => null);
    if (found?.size !== bytes) return staged;
  }
  return null;
}

/** How many of a checkpoint's parts are not where they became visible. */
export async function missingParts(parts: readonly CommittedPart[]): Promise<number> {
  const found = await Promise.all(parts.map(({ final }) => stat(final).catch(() => null)));
  return found.filter((each) => each === null).length;
}

/** Makes the parts visible. A part that is not staged any more has been committed before. */
export async function commitParts(parts: readonly CommittedPart[]): Promise<void> {
  for (const { staged, final } of parts) await rename(staged, final).catch(ignoreMissing);
  for (const folder of new Set(parts.map(({ final }) => dirname(final)))) await syncFolder(folder);
}

/**
 * Removes what the job staged and has not committed, and its parts behind `checkpointId` (null: all of them). With
 * `jobId` null those of every job: the numbers of checkpoints go on from a job to those that begin from its state.
 */
export async function rollBackParts(
  folders: readonly string[],
  jobId: string | null,
  checkpointId: number | null,
): Promise<number> {
  let takenBack = 0;
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(emptyIfMissing)) {
      const of = checkpointOfPart(name, jobId);
      const isLater = of !== null && of > (checkpointId ?? -1);
      if (!isLater && !name.startsWith(stagedPrefix(jobId))) continue;
      await rm(join(folder, name), { force: true });
      if (isLater) takenBack += 1;
    }
  }
  return takenBack;
}

/** Removes what is staged, when the job is over. */
export async function dropStaged(folders: readonly string[], jobId: string): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(emptyIfMissing)) {
      if (name.startsWith(stagedPrefix(jobId))) await rm(join(folder, name), { force: true });
    }
  }
}

/**
 * Makes the sink's folder that of the job `jobName`. `replaces`: what an earlier run of this job left is removed, as a
 * batch job's next run does; a run that goes on from a savepoint keeps it.
 */
export async function claimSinkFolder(folder: string, jobName: string, replaces: boolean): Promise<void> {
  await makeFolder(folder);
  if (replaces) {
    for (const name of await readdir(folder)) if (isPart(name)) await rm(join(folder, name), { force: true });
  }
  await replaceFile(join(folder, ownerFileName), ownerText(jobName));
}

function ownerText(jobName: string): string {
  return `${JSON.stringify({ job: jobName })}\n`;
}

/** What lies in a sink's folder and is not of the job `jobName`. */
export async function foreignParts(folder: string, jobName: string): Promise<string[]> {
  const names = await readdir(folder).catch(emptyIfMissing);
  const isOwn = (await readFile(join(folder, ownerFileName), 'utf8').catch(() => null)) === ownerText(jobName);
  return names.filter((name) => !(isOwn && (isPart(name) || name === ownerFileName || name.startsWith('.staged-'))));
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

function emptyIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
