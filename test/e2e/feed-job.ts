// A job whose source has a user-written enumerator: three tasks, each with two splits of its own, read by a function
// that leaves a line in a side log for every split it begins, and waits for the split's gate. A test opens gates, and so
// decides which splits are read and which tasks have finished when it kills something. A `hold` stage waits behind it.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import { inspectStore } from '../../src/services/inspect.ts';
import type { InspectReport } from '../../src/services/inspect-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, kill, parseJson, pause, readProcesses, runJson, type StartedCli, startCli } from './cli.ts';
import { killAll } from './gated-job.ts';

export interface FeedJob {
  readonly folder: string;
  readonly jobFile: string;
  readonly home: string;
}

export const splitIds = ['s0', 's1', 's2', 's3', 's4', 's5'];
export const rowsOfSplit = 50;

export interface FeedJobOptions {
  readonly snapshots: boolean;
  /** Of the whole enumerator file, where another is wanted. */
  readonly enumerator?: string;
  readonly config?: Readonly<Record<string, string>>;
}

/** A job of the test that runs: when that has ended, so have the job's processes, and its files are gone. */
export async function feedJob(options: FeedJobOptions): Promise<FeedJob> {
  const job = await emptyFeedJob();
  const { folder } = job;
  await mkdir(join(folder, 'gates'));
  await writeFile(join(folder, 'job.yaml'), jobText(options.config ?? {}));
  await writeFile(join(folder, 'feed.ts'), options.enumerator ?? enumeratorText(folder, options.snapshots));
  await writeFile(join(folder, 'read.ts'), readerText(folder));
  return job;
}

/** A folder for a job of the test that runs, whose files the test writes itself. */
export async function emptyFeedJob(): Promise<FeedJob> {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-feed-'));
  const job = { folder, jobFile: join(folder, 'job.yaml'), home: join(folder, 'home') };
  onTestFinished(() => removeJob(job));
  return job;
}

function jobText(config: Readonly<Record<string, string>>): string {
  const options = Object.entries(config).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`);
  return `name: feed
config:
  restart-strategy.fixed-delay.delay: 10 ms
${options.join('')}sources:
  feed:
    enumerator: ./feed.ts#feed
    read: ./read.ts#read
    columns: { id: BIGINT, split: VARCHAR }
    parallelism: 3
stages:
  hold:
    inputs: { f: { from: feed, exchange: hash, by: [id] } }
    map: ./read.ts#hold
    columns: { id: BIGINT, split: VARCHAR }
    parallelism: 2
sinks:
  out: { input: hold, path: out/, format: json }
`;
}

/** Each task has splits of its own: who gets which does not depend on who is faster. */
function enumeratorText(folder: string, snapshots: boolean): string {
  const state =
    '    snapshot: () => given,\n    restore(state: number[]) { given = state; note("restored " + state.join(" ")); },\n';
  return `import { appendFileSync } from 'node:fs';
const note = (what: string) => appendFileSync(${JSON.stringify(join(folder, 'enumerators.log'))}, what + '\\n');
export function feed(context: { parallelism: number }) {
  note('started');
  let given = Array.from({ length: context.parallelism }, () => 0);
  return {
    next(subtask: number) {
      const place = given[subtask] ?? 0;
      if (place >= 2) return null;
      given = given.with(subtask, place + 1);
      const number = 2 * subtask + place;
      return { id: 's' + number, data: { first: number * ${rowsOfSplit} } };
    },
${snapshots ? state : ''}  };
}
`;
}

function readerText(folder: string): string {
  return `import { appendFileSync, existsSync } from 'node:fs';
const folder = ${JSON.stringify(folder)};
type Task = { subtask: number; attempt: number; signal: AbortSignal };
async function gate(name: string, task: Task) {
  while (!existsSync(folder + '/gates/' + name) && !task.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 5));
}
export async function* read(split: { id: string; data: { first: number } }, task: Task) {
  appendFileSync(folder + '/reads.log', split.id + '\\n');
  await gate(split.id, task);
  for (let row = 0; row < ${rowsOfSplit}; row += 1) yield { id: split.data.first + row, split: split.id };
}
export async function* hold(rows: AsyncIterable<object>, task: Task) {
  appendFileSync(folder + '/reads.log', 'hold\\n');
  await gate('hold', task);
  yield* rows;
}
`;
}

export async function openGates(job: FeedJob, ...gates: string[]): Promise<void> {
  for (const gate of gates) await writeFile(join(job.folder, 'gates', gate), '');
}

/** How often each split was begun to be read. */
export async function readsOf(job: FeedJob): Promise<Record<string, number>> {
  const lines = (await readFile(join(job.folder, 'reads.log'), 'utf8').catch(() => '')).split('\n');
  const counts: Record<string, number> = {};
  for (const line of lines.sort()) if (line.startsWith('s')) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

/** What became of the enumerator: a line for each start, and one for each state that it went on from. */
export async function enumeratorsOf(job: FeedJob): Promise<string[]> {
  return (await readFile(join(job.folder, 'enumerators.log'), 'utf8')).trim().split('\n');
}

export async function hasBegun(job: FeedJob, ...names: string[]): Promise<void> {
  await eventually(`${names.join(', ')} begun`, async () => {
    const text = await readFile(join(job.folder, 'reads.log'), 'utf8').catch(() => '');
    return names.every((name) => text.split('\n').includes(name)) ? true : null;
  });
}

export function startFeed(job: FeedJob, ...more: string[]): StartedCli {
  return startCli(['run', job.jobFile, '--home', job.home, '--workers', '1', '--slots', '3', '--json', ...more]);
}

export async function folderOf(job: FeedJob): Promise<string> {
  return eventually('a job', async () => {
    const [name] = await readdir(join(job.home, 'jobs')).catch(() => []);
    return name === undefined ? null : join(job.home, 'jobs', name);
  });
}

/** Waits until the store says that `finished` tasks of the source have finished. */
export async function sourceHasFinished(job: FeedJob, finished: number): Promise<void> {
  await storeSays(job, `${finished} finished source tasks`, ({ vertices }) => {
    return (vertices.find(({ vertexName }) => vertexName === 'feed')?.finished ?? 0) >= finished;
  });
}

/** Waits until a new JobMaster has recovered the job. */
export async function hasRecovered(job: FeedJob): Promise<void> {
  await storeSays(job, 'a recovery', ({ byType }) => (byType['recovery-completed'] ?? 0) >= 1);
}

async function storeSays(job: FeedJob, what: string, isSo: (report: InspectReport) => boolean): Promise<void> {
  const location = join(await folderOf(job), 'job-events');
  await eventually(what, async () => {
    // In this process: a command for each look would take the processor from the job.
    const report = await inspectStore({ location, topology: [] }).catch(() => null);
    await pause(20);
    return report !== null && isSo(report) ? true : null;
  });
}

/** SIGKILL to the client, then to the JobMaster: nobody starts another, and the workers stay. */
export async function killMaster(job: FeedJob): Promise<void> {
  const processes = await eventually('its processes', async () => readProcesses(await folderOf(job)));
  if (processes.client) kill(processes.client.pid);
  kill(processes.jobMaster.pid);
}

export async function predict(job: FeedJob): Promise<DiffReport> {
  return runJson<DiffReport>(['diff', join(await folderOf(job), 'job-events')]);
}

export async function endOf(run: StartedCli): Promise<RunReport> {
  return parseJson<RunReport>(await run.result);
}

/** All rows of the sink, by split. */
export async function rowsBySplit(job: FeedJob): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const ids = new Set<number>();
  for (const name of (await readdir(join(job.folder, 'out'))).filter((each) => each.startsWith('part-'))) {
    for (const line of (await readFile(join(job.folder, 'out', name), 'utf8')).split('\n')) {
      if (line === '') continue;
      const { id, split } = JSON.parse(line) as { id: number; split: string };
      if (ids.has(id)) throw new Error(`row ${id} is there twice`);
      ids.add(id);
      counts[split] = (counts[split] ?? 0) + 1;
    }
  }
  return counts;
}

export const allRows = Object.fromEntries(splitIds.map((id) => [id, rowsOfSplit]));

async function removeJob(job: FeedJob): Promise<void> {
  for (const name of await readdir(join(job.home, 'jobs')).catch(() => [])) await killAll(join(job.home, 'jobs', name));
  await rm(job.folder, { recursive: true, force: true });
}
