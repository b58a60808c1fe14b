// One seeded run with kills: starts the sales job, sends SIGKILL to a set of processes at random moments, resumes
// when the client was among them, and checks the answer, and diff's prediction wherever everything was dead.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, kill, type Processes, parseJson, pause, readProcesses, runCli, startCli } from './cli.ts';
import { losePartition } from './lose-partition.ts';
import { createSalesJob, outputRows, type SalesJob } from './sales-job.ts';

/** `first-write`: all processes, within the first moments of the first JobMaster's epoch. */
export const killKinds = ['job-master', 'task-manager', 'client', 'all', 'first-write'] as const;
export type KillKind = (typeof killKinds)[number];

export interface KillRun {
  /** Kills that hit a live job; those after its end do not count. */
  readonly kills: number;
  readonly recoveries: number;
  /** Predictions that were compared with what then ran. */
  readonly predictions: number;
}

/** A small, good enough generator: the same seed gives the same moments and victims. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return Math.floor((((state ^ (state >>> 12)) >>> 0) / 2 ** 32) * below);
  };
}

export async function killRun(kind: KillKind, seed: number): Promise<KillRun> {
  const job = await createSalesJob({ pauseMs: 30 });
  try {
    return await killAndCheck(job, kind, randomFrom(seed));
  } finally {
    await endEverything(job);
    await rm(job.folder, { recursive: true, force: true });
  }
}

async function killAndCheck(job: SalesJob, kind: KillKind, random: (below: number) => number): Promise<KillRun> {
  let kills = 0;
  let predictions = 0;
  let predicted: DiffReport | null = null;
  for (let round = 0; ; round += 1) {
    const run = startCli(['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '2', '--json']);
    let ended = false;
    void run.result.then(() => {
      ended = true;
    });
    const planned = round < 3 ? 1 + random(2) : 0;
    for (let strike = 0; strike < planned && !ended; strike += 1) {
      await strikeMoment(job, kind, random, () => ended);
      if (await strikeAt(job, kind, random, run.pid)) kills += 1;
    }
    const result = await run.result;
    if (result.signal === 'SIGKILL') {
      if (kind === 'all' || kind === 'first-write') predicted = await afterAllDied(job, random);
      continue;
    }
    const report = parseJson<RunReport>(result);
    expect(report.state, result.stdout + result.stderr).toBe('FINISHED');
    expect(await outputRows(job)).toEqual(job.expected);
    const recovery = report.recoveries.at(-1);
    if (predicted && predicted.summary.finished > 0 && recovery) {
      expect({ kept: recovery.kept, rerun: recovery.rerun }).toEqual({
        kept: predicted.summary.kept,
        rerun: predicted.summary.rerun,
      });
      predictions += 1;
    }
    return { kills, recoveries: report.recoveries.length, predictions };
  }
}

async function strikeMoment(
  job: SalesJob,
  kind: KillKind,
  random: (below: number) => number,
  ended: () => boolean,
): Promise<void> {
  const begun = kind === 'first-write' ? jobMasterPid : processesOf;
  while (!ended() && !(await begun(job))) await pause(1);
  await pause(kind === 'first-write' ? random(60) : random(800));
}

/** Kills what `kind` says; false when the job was not running any more, or not yet. */
async function strikeAt(
  job: SalesJob,
  kind: KillKind,
  random: (below: number) => number,
  client: number,
): Promise<boolean> {
  const processes = await processesOf(job);
  if (kind === 'first-write') {
    kill(client);
    kill((await jobMasterPid(job)) ?? 0);
  }
  if (!processes) return kind === 'first-write';
  for (const pid of victims(processes, kind, random)) kill(pid);
  return true;
}

/** The holder of the newest epoch, who may not have written processes.json yet. */
async function jobMasterPid(job: SalesJob): Promise<number | null> {
  const [name] = await readdir(join(job.home, 'jobs')).catch(() => []);
  const epochs = join(job.home, 'jobs', name ?? '', 'epochs');
  const newest = (await readdir(epochs).catch(() => []))
    .filter((file) => /^\d+$/.test(file))
    .sort()
    .at(-1);
  return newest === undefined ? null : JSON.parse(await readFile(join(epochs, newest), 'utf8')).holder.pid;
}

function victims(processes: Processes, kind: KillKind, random: (below: number) => number): number[] {
  const workers = processes.taskManagers.map(({ pid }) => pid);
  const client = processes.client ? [processes.client.pid] : [];
  switch (kind) {
    case 'job-master':
      return [processes.jobMaster.pid];
    case 'task-manager':
      return workers.length === 0 ? [] : [workers[random(workers.length)] ?? 0];
    case 'client':
      return client;
    case 'all':
    case 'first-write':
      return [...client, processes.jobMaster.pid, ...workers];
  }
}

/** Makes sure that all are dead, loses a partition in some runs, and asks what the next run will do. */
async function afterAllDied(job: SalesJob, random: (below: number) => number): Promise<DiffReport | null> {
  // A process that was being started at the moment of the kill is not in the list that was read: end it, too.
  await pause(300);
  const processes = await processesOf(job);
  if (processes) for (const pid of victims(processes, 'all', () => 0)) kill(pid);
  await pause(50);
  const [name] = await readdir(join(job.home, 'jobs')).catch(() => []);
  if (name === undefined) return null;
  const folder = join(job.home, 'jobs', name);
  if (random(2) === 0) await losePartition(folder, random);
  const result = await runCli(['diff', join(folder, 'job-events'), '--json']);
  // Killed before the first event was recorded: there is nothing to predict from.
  return result.code === 4 ? null : parseJson<DiffReport>(result);
}

async function processesOf(job: SalesJob): Promise<Processes | null> {
  for (const name of await readdir(join(job.home, 'jobs')).catch(() => [])) {
    const processes = await readProcesses(join(job.home, 'jobs', name));
    if (processes) return processes;
  }
  return null;
}

async function endEverything(job: SalesJob): Promise<void> {
  const processes = await processesOf(job);
  if (!processes) return;
  for (const pid of victims(processes, 'all', () => 0)) kill(pid);
  await eventually('the processes have ended', async () => {
    const alive = victims(processes, 'all', () => 0).filter((pid) => {
      try {
        process.kill(pid, 0);
        return true;
      } catch {
        return false;
      }
    });
    return alive.length === 0 ? true : null;
  }).catch(() => {});
}
