// The job as the real program runs it: `jobrec run` in a child process, and the other commands on its store. Knows the
// processes of the run, so that they can be killed on purpose, and ended when the demo itself is interrupted.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout; this module is bundled to build/scripts/demo/. */
export const checkout = fileURLToPath(new URL('../../../', import.meta.url));
export const home = 'build/demo';
export const jobFile = 'examples/flights/job.yaml';

const suspendTimeoutMs = 5000;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Processes {
  readonly epoch: number;
  readonly jobMaster: { readonly pid: number };
  readonly taskManagers: readonly { readonly workerId: string; readonly pid: number }[];
}

/** Runs one jobrec command to its end. */
export function jobrec(args: readonly string[], color: boolean): Promise<Ended> {
  return endOf(startJobrec(args, color));
}

function startJobrec(args: readonly string[], color: boolean): ChildProcess {
  // Extra certificates cost every process start time, and nothing here goes over the network.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const given = color ? env : { ...env, NO_COLOR: '1' };
  return spawn(process.execPath, ['bin/run.js', ...args], {
    cwd: checkout,
    env: given,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C in the terminal is for the demo, which then ends its run in good order.
    detached: true,
  });
}

async function endOf(child: ChildProcess, onNote: (line: string) => void = () => {}): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk;
    for (const line of chunk.toString().split('\n')) if (line.trim() !== '') onNote(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { code, stdout, stderr };
}

export class JobRun {
  readonly ended: Promise<Ended>;
  readonly #client: ChildProcess;
  #hasEnded = false;

  constructor(color: boolean, onNote: (line: string) => void) {
    this.#client = startJobrec(['run', jobFile, '--home', home], color);
    this.ended = endOf(this.#client, onNote).finally(() => {
      this.#hasEnded = true;
    });
    this.ended.catch(() => {});
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The job's folder; null as long as there is none. */
  async folder(): Promise<string | null> {
    const jobs = join(checkout, home, 'jobs');
    const [first] = await readdir(jobs).catch(() => []);
    return first === undefined ? null : join(jobs, first);
  }

  /** Who works for the job right now; null before and after. */
  async processes(): Promise<Processes | null> {
    const folder = await this.folder();
    if (folder === null) return null;
    const text = await readFile(join(folder, 'processes.json'), 'utf8').catch(() => null);
    return text === null ? null : (JSON.parse(text) as Processes);
  }

  /** Stops the client in its tracks, so that nobody starts another JobMaster yet. */
  freezeClient(): void {
    this.#client.kill('SIGSTOP');
  }

  thawClient(): void {
    this.#client.kill('SIGCONT');
  }

  /** Ends the client and every process of the job; used when the demo is interrupted. */
  async abandon(): Promise<void> {
    if (this.#hasEnded) return;
    const atWork = await this.processes();
    this.thawClient();
    this.#client.kill('SIGTERM');
    await Promise.race([this.ended, pause(suspendTimeoutMs)]);
    this.#client.kill('SIGKILL');
    // Suspending has ended them, but for one that hangs or was about to start.
    for (const { pid } of [atWork?.jobMaster, ...(atWork?.taskManagers ?? [])].filter(isPresent)) kill(pid, 'SIGKILL');
  }
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}

/** A process that is gone already is no error. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
