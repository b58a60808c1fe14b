// A chain of stages whose tasks wait for files: a test opens gates one after the other and so decides which tasks have
// finished when it kills or damages something. Stage `s1` reads two files, each later one reads the one before by hash;
// every stage adds one to `v`, so the answer is known without running anything.
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { replay } from '../../src/replay/replay.ts';
import { openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { eventually, kill, type Processes, readProcesses } from './cli.ts';

export interface GatedJob {
  readonly folder: string;
  readonly jobFile: string;
  readonly home: string;
  readonly output: string;
  readonly stages: number;
  readonly rows: number;
}

export interface GatedJobOptions {
  readonly stages: number;
  readonly rows?: number;
  /** Files that the first stage reads, one a task. Default 2. */
  readonly files?: number;
  /** Tasks of each stage behind the first. Default 2; `null`: decided when it runs. */
  readonly parallelism?: number | null;
  /** Text in each row, to make partitions large. */
  readonly padding?: number;
  /** TypeScript statements at the start of each task; in scope: `task`, `name` (`s2-0`), `fs`, `folder`. */
  readonly before?: string;
  /** Gates are there from the start. */
  readonly open?: boolean;
}

/** A job of the test that runs: when that has ended, so have the job's processes, and its files are gone. */
export async function gatedJob(options: GatedJobOptions): Promise<GatedJob> {
  const job = await createJob(options);
  onTestFinished(() => removeJob(job));
  return job;
}

/** What `run` is called with. */
export function runArgs(
  job: GatedJob,
  config: Readonly<Record<string, string>> = {},
  { workers = 1, slots = 2 }: { readonly workers?: number; readonly slots?: number } = {},
): string[] {
  const options = Object.entries(config).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  const size = ['--workers', String(workers), '--slots', String(slots)];
  return ['run', job.jobFile, '--home', job.home, ...size, '--json', ...options];
}

async function createJob(options: GatedJobOptions): Promise<GatedJob> {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-gated-'));
  const rows = options.rows ?? 200;
  await mkdir(join(folder, 'data'));
  await mkdir(join(folder, 'gates'));
  const files = options.files ?? 2;
  for (let file = 0; file < files; file += 1) {
    const lines = Array.from({ length: rows }, (_, id) => id).filter((id) => id % files === file);
    await writeFile(join(folder, 'data', `${file}.csv`), `id,v\n${lines.map((id) => `${id},0`).join('\n')}\n`);
  }
  const { stages } = options;
  const job = {
    folder,
    jobFile: join(folder, 'job.yaml'),
    home: join(folder, 'home'),
    output: join(folder, 'out'),
    stages,
    rows,
  };
  await writeFile(job.jobFile, jobText(options));
  await writeFile(join(folder, 'gated.ts'), functionText(folder, options));
  if (options.open === true) for (let stage = 1; stage <= stages; stage += 1) await openGate(job, `s${stage}`);
  return job;
}

/** Opens the gate of a stage (`s2`) or of one of its tasks (`s2-0`). */
export async function openGate(job: GatedJob, gate: string): Promise<void> {
  await writeFile(join(job.folder, 'gates', gate), '');
}

export async function openAll(job: GatedJob): Promise<void> {
  for (let stage = 1; stage <= job.stages; stage += 1) await openGate(job, `s${stage}`);
}

/** Whether a task (`s2-0`) has begun to wait at its gate. */
export async function hasBegun(job: GatedJob, task: string): Promise<boolean> {
  return access(join(job.folder, 'gates', `begun-${task}`)).then(
    () => true,
    () => false,
  );
}

/** How often tasks of each name have begun: every run of a task leaves a line. */
export async function runsOf(job: GatedJob): Promise<Record<string, number>> {
  const names = (await readdir(join(job.folder, 'gates'))).filter((name) => name.startsWith('run-'));
  const counts: Record<string, number> = {};
  for (const name of names.sort()) {
    const task = name.split('-').slice(1, 3).join('-');
    counts[task] = (counts[task] ?? 0) + 1;
  }
  return counts;
}

/** The folder of the one job in the home. */
export async function onlyJobFolder(job: GatedJob): Promise<string> {
  return eventually('a job', async () => {
    const [name] = await readdir(join(job.home, 'jobs')).catch(() => []);
    return name === undefined ? null : join(job.home, 'jobs', name);
  });
}

/** Waits until so many tasks have finished and that is in the store. */
export async function finishedTasks(job: GatedJob, finished: number): Promise<void> {
  const folder = await onlyJobFolder(job);
  await eventually(`${finished} finished tasks`, async () => {
    const log = await openJobLog(join(folder, 'job-events')).catch(() => null);
    if (log === null) return null;
    const { graph } = await replay(log.records());
    const tasks = [...graph.vertices.values()].flatMap((vertex) => vertex.tasks);
    return tasks.filter(({ state }) => state === 'FINISHED').length >= finished ? true : null;
  });
}

/** The job's folder, once so many tasks have finished. */
export async function jobFolderWith(job: GatedJob, finished: number): Promise<string> {
  await finishedTasks(job, finished);
  return onlyJobFolder(job);
}

/** The sum and number of the rows that the sink holds: with every id once and `v` the number of stages, as expected. */
export async function answerOf(job: GatedJob): Promise<unknown> {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  const parts = quoteLiteral(join(job.output, 'part-*.parquet'));
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INT AS rows, count(DISTINCT id)::INT AS ids, min(v)::INT AS least, max(v)::INT AS most FROM read_parquet(${parts})`,
  );
  const [answer] = reader.getRowObjectsJson();
  connection.closeSync();
  database.closeSync();
  return answer;
}

export function expectedAnswer({ rows, stages }: GatedJob): unknown {
  return { rows, ids: rows, least: stages, most: stages };
}

export function allPids(processes: Processes): number[] {
  const workers = processes.taskManagers.map(({ pid }) => pid);
  return [processes.client?.pid, processes.jobMaster.pid, ...workers].filter((pid): pid is number => pid !== undefined);
}

/** SIGKILL to all processes of the job, and to those that were being started. */
export async function killAll(jobFolder: string): Promise<void> {
  for (let look = 0; look < 3; look += 1) {
    const processes = await readProcesses(jobFolder);
    if (processes) for (const pid of allPids(processes)) kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** Where the first stored event of this kind, of this vertex, begins: segment and byte position. */
export async function placeOfEvent(
  job: GatedJob,
  type: string,
  vertexName: string,
): Promise<{ readonly segment: string; readonly offset: number }> {
  const folder = join(await onlyJobFolder(job), 'job-events');
  const log = await openJobLog(folder);
  const names = (await replay(log.records())).graph.vertices;
  for await (const { event, segment, offset } of log.records()) {
    if (event.type !== type || !('vertexId' in event)) continue;
    if (names.get(event.vertexId)?.name === vertexName) return { segment: join(folder, segment), offset };
  }
  throw new Error(`the store holds no ${type} of ${vertexName}`);
}

async function removeJob(job: GatedJob): Promise<void> {
  for (const name of await readdir(join(job.home, 'jobs')).catch(() => [])) {
    await killAll(join(job.home, 'jobs', name));
  }
  await rm(job.folder, { recursive: true, force: true });
}

function jobText({ stages, parallelism = 2, padding = 0 }: GatedJobOptions): string {
  const columns = `columns: { id: BIGINT, v: BIGINT${padding === 0 ? '' : ', pad: VARCHAR'} }`;
  const lines = Array.from({ length: stages }, (_, index) => {
    const input = index === 0 ? '{ r: rows }' : `{ r: { from: s${index}, exchange: hash, by: [id] } }`;
    const tasks = index === 0 || parallelism === null ? '' : `\n    parallelism: ${parallelism}`;
    return `  s${index + 1}:\n    inputs: ${input}\n    map: ./gated.ts#stage\n    ${columns}${tasks}`;
  });
  return `name: gated
sources:
  rows: { path: "data/*.csv" }
stages:
${lines.join('\n')}
sinks:
  out: { input: s${stages}, path: out/, format: parquet, mode: overwrite }
`;
}

function functionText(folder: string, { before = '', padding = 0 }: GatedJobOptions): string {
  return `import * as fs from 'node:fs';
import { join } from 'node:path';
const folder = ${JSON.stringify(join(folder, 'gates'))};
const pad = 'x'.repeat(${padding});
type Row = { id: bigint; v: bigint };
type Task = { vertexName: string; subtask: number; attempt: number; signal: AbortSignal };
export async function* stage(rows: AsyncIterable<Row>, task: Task) {
  const name = task.vertexName + '-' + task.subtask;
  fs.writeFileSync(join(folder, 'run-' + name + '-' + process.hrtime.bigint()), '');
  ${before}
  fs.writeFileSync(join(folder, 'begun-' + name), '');
  while (!fs.existsSync(join(folder, task.vertexName)) && !fs.existsSync(join(folder, name))) {
    if (task.signal.aborted) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  for await (const { id, v } of rows) {
    const made = { id, v: v + 1n };
    yield ${padding === 0 ? 'made' : `{ ...made, pad: pad + id }`};
  }
}
`;
}
