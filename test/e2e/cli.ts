// Runs the built jobrec as its users do: a real process, its output and exit code. A run that is started and left
// alone can be watched and killed through its home.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutFolder } from '../support/checkout.ts';

export const binary = join(checkoutFolder(), 'bin', 'run.js');

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedCli {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Added to the environment, also that of the processes which the command starts. */
  readonly env?: Readonly<Record<string, string>>;
}

export function startCli(args: readonly string[], options: CliOptions = {}): StartedCli {
  // The extra certificates cost every process start some 50 ms, and nothing here connects to anything.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(process.execPath, [binary, ...args], {
    cwd: options.cwd,
    env: { ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const result = new Promise<CliResult>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { pid: child.pid ?? -1, child, result };
}

export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}

/** The JSON document on stdout; fails with all that was printed where there is none. */
export async function runJson<Report>(args: readonly string[], options: CliOptions = {}): Promise<Report> {
  const result = await runCli([...args, '--json'], options);
  return parseJson<Report>(result);
}

export function parseJson<Report>(result: CliResult): Report {
  try {
    return JSON.parse(result.stdout) as Report;
  } catch {
    throw new Error(`no JSON on stdout (exit ${result.code}): ${result.stdout}\n${result.stderr}`);
  }
}

export interface Processes {
  readonly epoch: number;
  readonly client: { readonly pid: number } | null;
  readonly jobMaster: { readonly pid: number };
  readonly shuffleService?: { readonly pid: number };
  readonly taskManagers: readonly { readonly workerId: string; readonly pid: number }[];
}

/** A job's processes.json; null when it is not running. */
export async function readProcesses(jobFolder: string): Promise<Processes | null> {
  try {
    return JSON.parse(await readFile(join(jobFolder, 'processes.json'), 'utf8')) as Processes;
  } catch {
    return null;
  }
}

/** Polls until `probe` gives something, or fails after `timeoutMs`. */
export async function eventually<T>(what: string, probe: () => Promise<T | null>, timeoutMs = 30_000): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  while (performance.now() < deadlineMs) {
    const found = await probe();
    if (found !== null) return found;
    await pause(5);
  }
  throw new Error(`${what} did not happen within ${timeoutMs} ms`);
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** SIGKILL; a process that has ended is no error. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}
