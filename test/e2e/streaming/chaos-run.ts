// One run of a streaming job in which processes are killed at seeded moments, resumed until it has ended, and checked
// against its input: every running count of every word, or the count of every word and window, is in the file sink exactly
// once. With slow checkpoints, tasks stand still now and then for longer than the timeout, several checkpoints are under
// way, and savepoints come between. What is stopped (SIGSTOP) is replaced, and continues when another leads.
import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { generatedRow } from '../../../src/engine/streaming/sources/generator-source.ts';
import { seeded } from '../../replay/random.ts';
import { kill, pause } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

export const streamKillKinds = [
  'job-master',
  'task-manager',
  'client',
  'all',
  'all-and-damage',
  'all-with-slow-checkpoints',
  'all-with-windows',
  'stopped-and-continued',
] as const;
export type StreamKillKind = (typeof streamKillKinds)[number];

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite'];
const rows = 9_000;
/** Of the rows' own time: a window holds 100 of them. */
const [stepMs, windowMs] = [10, 1_000];

const slowCheckpoints = `
  execution.checkpointing.timeout: 120 ms
  execution.checkpointing.max-concurrent-checkpoints: 3`;

const window = `, window: { tumbling: ${windowMs} ms, time: at }`;

const jobFile = (kind: StreamKillKind) => `
name: chaos
mode: streaming
config:
  execution.checkpointing.interval: 150 ms
  execution.checkpointing.num-retained: 3
  execution.checkpointing.tolerable-failed-checkpoints: 100
  execution.checkpointing.dir: checkpoints
  execution.checkpointing.data-inline-threshold: 300 b
  restart-strategy.type: fixed-delay
  restart-strategy.fixed-delay.attempts: 1000
  restart-strategy.fixed-delay.delay: 10 ms
  heartbeat.interval: 200 ms
  heartbeat.timeout: ${stops(kind) ? 1_500 : 5_000} ms${isSlow(kind) ? slowCheckpoints : ''}
sources:
  numbers:
    generator:
      rowsPerSecond: 2500
      rows: ${rows}
      columns: { n: sequence, word: { choice: [${words.join(', ')}] }, at: { time: { start: 0, step: ${stepMs} } } }
    parallelism: 2
stages:
  ones: { inputs: { n: numbers }, map: "./ones.ts#one", parallelism: 2 }
  counts: { inputs: { o: ones }, sum: count, keyBy: word, parallelism: 2${hasWindows(kind) ? window : ''} }
sinks:
  out: { input: counts, path: out }
`;

/** Some rows keep their task for twice the timeout of a checkpoint. */
const functions = (kind: StreamKillKind) => `
const still = new Int32Array(new SharedArrayBuffer(4));
export function one(row: { word: string; n: number; at: number }) {
  if (${isSlow(kind)} && row.n % 900 === 0) Atomics.wait(still, 0, 0, 250);
  return { word: row.word, at: row.at, count: 1 };
}
`;

function isSlow(kind: StreamKillKind): boolean {
  return kind === 'all-with-slow-checkpoints';
}

function stops(kind: StreamKillKind): boolean {
  return kind === 'stopped-and-continued';
}

function hasWindows(kind: StreamKillKind): boolean {
  return kind === 'all-with-windows';
}

export interface ChaosResult {
  readonly kills: number;
  readonly restores: number;
  readonly fallbacks: number;
  readonly givenUp: number;
  readonly savepoints: number;
}

export async function chaosRun(kind: StreamKillKind, seed: number): Promise<ChaosResult> {
  const { below: random } = seeded(seed);
  const job = await StreamJob.create({ 'job.yaml': jobFile(kind), 'ones.ts': functions(kind) });
  try {
    const kills = await runToTheEnd(job, kind, random);
    requireExactlyOnce((await job.written()).map(resultText), expectedResults(kind));
    const restores = await job.events('checkpoint-restored');
    const fallbacks = restores.filter((event) => (event.skipped as unknown[]).length > 0).length;
    const givenUp = (await job.events('checkpoint-aborted')).length;
    const savepoints = (await job.events('savepoint-completed')).length;
    return { kills, restores: restores.length, fallbacks, givenUp, savepoints };
  } finally {
    await job.remove();
  }
}

async function runToTheEnd(job: StreamJob, kind: StreamKillKind, random: (below: number) => number): Promise<number> {
  let kills = 0;
  let planned = 1 + random(3);
  for (let round = 0; round < 12; round += 1) {
    const started = job.start('--json', '--workers', '2', '--slots', '1');
    let ended = false;
    void started.result.then(() => {
      ended = true;
    });
    while (!ended && planned > 0) {
      // Mostly behind a checkpoint, so that there is something to go on from; sometimes before any.
      const wanted = random(5) === 0 ? 0 : 2;
      while (!ended && (await checkpointIds(job)).ids.length < wanted) await pause(20);
      await pause(random(1_200));
      if (isSlow(kind)) await job.cli('savepoint', 'chaos', 'saved');
      if (ended || !(await killOne(job, kind, started.pid, random))) continue;
      kills += 1;
      planned -= 1;
    }
    const result = await started.result;
    if (result.code === 0) return kills;
    if (result.signal !== 'SIGKILL') throw new Error(`exit ${result.code}: ${result.stdout}\n${result.stderr}`);
    await pause(300);
    if (kind === 'all-and-damage') await damageNewest(job, random);
  }
  throw new Error('the job did not end within 12 runs');
}

/** Whether something was killed. */
async function killOne(job: StreamJob, kind: StreamKillKind, client: number, random: (below: number) => number) {
  const processes = await job.processes();
  if (!processes || processes.taskManagers.length === 0) return false;
  const workers = processes.taskManagers.map(({ pid }) => pid);
  if (stops(kind)) return stopAndContinue([processes.jobMaster.pid, ...workers], random);
  if (kind === 'job-master') kill(processes.jobMaster.pid);
  else if (kind === 'task-manager') kill(workers[random(workers.length)] ?? 0);
  else if (kind === 'client') kill(client);
  else for (const pid of [client, processes.jobMaster.pid, ...workers]) kill(pid);
  return true;
}

/** Stops one of the processes, often with the JobMaster, the first; for longer than anyone waits for them, or not quite. */
async function stopAndContinue(pids: readonly number[], random: (below: number) => number): Promise<true> {
  const victims = new Set([pids[random(pids.length)] ?? 0, ...pids.slice(0, random(2))]);
  for (const pid of victims) signal(pid, 'SIGSTOP');
  await pause(800 + random(3_500));
  for (const pid of victims) signal(pid, 'SIGCONT');
  return true;
}

/** A process that has ended is no error. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // it has ended
  }
}

async function checkpointIds(job: StreamJob): Promise<{ readonly folder: string; readonly ids: number[] }> {
  const [jobId = ''] = await readdir(join(job.folder, 'checkpoints')).catch(() => []);
  const folder = join(job.folder, 'checkpoints', jobId);
  const names = await readdir(folder).catch(() => []);
  return { folder, ids: names.flatMap((name) => /^chk-(\d+)$/.exec(name)?.[1] ?? []).map(Number) };
}

/** Cuts a file of the newest checkpoint in half, or removes it. */
async function damageNewest(job: StreamJob, random: (below: number) => number): Promise<void> {
  const { folder, ids } = await checkpointIds(job);
  // With one alone there is nothing to fall back to.
  if (ids.length < 2) return;
  const newest = join(folder, `chk-${Math.max(...ids)}`);
  const names = (await readdir(newest)).sort();
  const name = names[random(names.length)];
  if (name === undefined) return;
  if (random(2) === 0) await rm(join(newest, name));
  else await truncate(join(newest, name), 20);
}

function resultText({ word, count, windowStart }: Readonly<Record<string, unknown>>): string {
  return windowStart === undefined ? `${word} ${count}` : `${word} ${count} from ${windowStart}`;
}

/** What the job gives, computed from its rows one by one. */
function expectedResults(kind: StreamKillKind): string[] {
  const columns = { n: { kind: 'sequence' }, word: { kind: 'choice', values: words } } as const;
  const counts = new Map<string, number>();
  const running: string[] = [];
  for (let number = 0; number < rows; number += 1) {
    const { word } = generatedRow(columns, number);
    const start = Math.floor((number * stepMs) / windowMs) * windowMs;
    const key = hasWindows(kind) ? `${word} from ${start}` : `${word}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    running.push(`${word} ${count}`);
  }
  if (!hasWindows(kind)) return running;
  return [...counts].map(([key, count]) => key.replace(' ', ` ${count} `));
}

function requireExactlyOnce(written: readonly string[], expected: readonly string[]): void {
  const [have, want] = [written, expected].map((results) => [...results].sort());
  const wrong = want?.findIndex((result, index) => have?.[index] !== result) ?? 0;
  if (wrong < 0 && have?.length === want?.length) return;
  const first = wrong < 0 ? '' : `: ${have?.[wrong]} where ${want?.[wrong]} belongs`;
  throw new Error(`${have?.length} results of ${want?.length}${first}`);
}
