// A streaming job in a folder of its own, run by the built program; what it printed, its store and its processes.
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type CliResult,
  eventually,
  kill,
  type Processes,
  pause,
  readProcesses,
  runCli,
  type StartedCli,
  startCli,
} from '../cli.ts';

export interface EventJson {
  readonly type: string;
  readonly [field: string]: unknown;
}

export class StreamJob {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param files path → content; `job.yaml` among them */
  static async create(files: Readonly<Record<string, string>>): Promise<StreamJob> {
    const job = new StreamJob(await mkdtemp(join(tmpdir(), 'jobrec-stream-')));
    for (const [name, content] of Object.entries(files)) await job.write(name, content);
    return job;
  }

  async write(name: string, content: string): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }

  /** Appends rows to a log, as one write. */
  async append(name: string, rows: readonly object[]): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await appendFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }

  start(...args: readonly string[]): StartedCli {
    return startCli(['run', 'job.yaml', ...args], { cwd: this.folder });
  }

  run(...args: readonly string[]): Promise<CliResult> {
    return runCli(['run', 'job.yaml', ...args], { cwd: this.folder });
  }

  cli(...args: readonly string[]): Promise<CliResult> {
    return runCli(args, { cwd: this.folder });
  }

  /** The folder of the last job of the home; null before it is there. */
  async jobFolder(): Promise<string | null> {
    const names = await readdir(join(this.folder, '.jobrec/jobs')).catch(() => []);
    const folders = names.map((name) => join(this.folder, '.jobrec/jobs', name));
    if (folders.length < 2) return folders[0] ?? null;
    const submitted = await Promise.all(folders.map(submittedAtMs));
    return folders[submitted.indexOf(Math.max(...submitted))] ?? null;
  }

  async processes(): Promise<Processes | null> {
    const folder = await this.jobFolder();
    return folder === null ? null : readProcesses(folder);
  }

  /** Events of these kinds, in order. */
  async events(...types: readonly string[]): Promise<EventJson[]> {
    const folder = await this.jobFolder();
    if (folder === null) return [];
    const args = ['inspect', join(folder, 'job-events'), '--events', '--json', '--type', types.join(',')];
    const { stdout } = await runCli(args);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as EventJson)
      .filter((event) => typeof event.type === 'string');
  }

  /** Rows that the print sink has written. */
  async printed(sink = 'out'): Promise<Record<string, unknown>[]> {
    const folder = await this.jobFolder();
    if (folder === null) return [];
    const names = (await readdir(join(folder, 'logs'))).filter((name) => name.startsWith(`print-${sink}-`)).sort();
    return (await Promise.all(names.map((name) => rowsIn(join(folder, 'logs', name))))).flat();
  }

  /** Rows in the visible parts of a file sink. */
  async written(path = 'out'): Promise<Record<string, unknown>[]> {
    const names = await readdir(join(this.folder, path)).catch(() => []);
    const parts = names.filter((name) => name.startsWith('part-')).sort();
    return (await Promise.all(parts.map((name) => rowsIn(join(this.folder, path, name))))).flat();
  }

  async checkpoints(): Promise<number> {
    return (await this.events('checkpoint-completed')).length;
  }

  /** Waits until a checkpoint has completed that began after now. */
  async nextCheckpoint(): Promise<void> {
    const before = await this.checkpoints();
    await eventually('two checkpoints', async () => ((await this.checkpoints()) >= before + 2 ? true : null));
  }

  /** SIGKILL of everything that runs for the job. */
  async killAll(client: StartedCli): Promise<void> {
    const processes = await this.processes();
    kill(client.pid);
    if (processes) for (const { pid } of [processes.jobMaster, ...processes.taskManagers]) kill(pid);
    await client.result;
  }

  async remove(): Promise<void> {
    const processes = await this.processes().catch(() => null);
    if (processes) for (const { pid } of [processes.jobMaster, ...processes.taskManagers]) kill(pid);
    await pause(50);
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function submittedAtMs(folder: string): Promise<number> {
  const plan = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as { submittedAtMs: number };
  return plan.submittedAtMs;
}

async function rowsIn(path: string): Promise<Record<string, unknown>[]> {
  const text = await readFile(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
