// The gates of a judged job as files (jobs/Gate.java waits for them), and when the job rests: every task that runs
// waits at a gate, and nothing has moved for a while.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FlinkCluster } from './cluster.ts';
import type { JobStatus } from './rest.ts';
import { until } from './waiting.ts';

/** Longer than the longest flush-interval that is meant to have passed. */
const restMs = 1_500;
/** With nothing running at all, the scheduler gets more time to show that it will go on. */
const idleRestMs = 4_000;
const restTimeoutMs = 90_000;

export class Gates {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async create(): Promise<void> {
    await mkdir(join(this.folder, 'waiting'), { recursive: true });
  }

  async open(gates: readonly string[]): Promise<void> {
    for (const gate of gates) await writeFile(join(this.folder, gate), '');
  }

  /** Tasks that wait, of these processes only: a killed one leaves its mark behind. */
  async waiting(pids: readonly number[]): Promise<string[]> {
    const names = await readdir(join(this.folder, 'waiting'));
    const living: string[] = [];
    for (const name of names.sort()) {
      const pid = await readFile(join(this.folder, 'waiting', name), 'utf8').catch(() => '');
      if (pids.includes(Number(pid))) living.push(name);
    }
    return living;
  }
}

/** Waits until the job rests or has ended; its state then. */
export async function untilAtRest(cluster: FlinkCluster, gates: Gates, jobId: string): Promise<JobStatus> {
  let since = performance.now();
  let last = '';
  const look = async (): Promise<JobStatus | null> => {
    cluster.mustBeAlive();
    const job = await cluster.rest.job(jobId);
    const waiting = await gates.waiting(cluster.workerPids);
    const now = JSON.stringify([job, waiting]);
    if (now !== last || job === null || !couldRest(job, waiting.length)) since = performance.now();
    last = now;
    const neededMs = waiting.length === 0 ? idleRestMs : restMs;
    return job && (hasEnded(job) || performance.now() - since >= neededMs) ? job : null;
  };
  return until('the job rests', look, { timeoutMs: restTimeoutMs, everyMs: 250 });
}

export function hasEnded({ state }: JobStatus): boolean {
  return ['FINISHED', 'FAILED', 'CANCELED'].includes(state);
}

/** Nothing on its way: what runs waits, and what is scheduled lacks a slot. */
function couldRest({ state, tasks }: JobStatus, waiting: number): boolean {
  const count = (...wanted: string[]) => tasks.filter(({ status }) => wanted.includes(status)).length;
  const isMoving = count('DEPLOYING', 'CANCELING', 'RECONCILING') > 0;
  const lacksSlots = count('SCHEDULED') === 0 || waiting > 0;
  return state === 'RUNNING' && !isMoving && lacksSlots && count('RUNNING', 'INITIALIZING') === waiting;
}
