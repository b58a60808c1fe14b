// Starting and ending the engine's processes: the only file that imports child_process. Every process is started
// detached (a session of its own), so that it outlives the client and a terminal's Ctrl-C reaches the client alone;
// its output goes to the job's logs folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFile, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WorkerId } from '../model/ids.ts';
import type { JobFolder } from '../store/job-folder.ts';

/** How a process ended: its exit code, or the signal that killed it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface EngineProcess {
  /** null: it could not be started, which its log says. */
  readonly pid: number | null;
  readonly ended: Promise<ProcessEnd>;
}

/** What the JobMaster and the TaskManagers of one run share: how many, how large. */
export interface ClusterSize {
  readonly workers: number;
  readonly slots: number;
  /** DuckDB's memory limit of one slot, in bytes. */
  readonly slotMemoryBytes: number;
  /** How long a TaskManager without a JobMaster waits before it ends itself. */
  readonly orphanTimeoutMs: number;
}

export type JobMasterStart = 'submitted' | 'resumed' | 'restarted';

export function spawnJobMaster(folder: JobFolder, size: ClusterSize, start: JobMasterStart): EngineProcess {
  // It never leaves the loopback address, and reading extra certificates would cost it as much as all of its start.
  const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;
  const args = [folder.root, JSON.stringify({ ...size, start })];
  return spawnEngineProcess('job-master.js', join(folder.logs, 'job-master.log'), args, environment);
}

export function spawnTaskManager(folder: JobFolder, workerId: WorkerId, size: ClusterSize): EngineProcess {
  return spawnEngineProcess('task-manager.js', join(folder.logs, `${workerId}.log`), [
    folder.root,
    workerId,
    String(size.slots),
    String(size.slotMemoryBytes),
    String(size.orphanTimeoutMs),
  ]);
}

export function spawnShuffleService(folder: JobFolder, serviceId: WorkerId, orphanTimeoutMs: number): EngineProcess {
  const args = [folder.root, serviceId, String(orphanTimeoutMs)];
  return spawnEngineProcess('shuffle-service.js', join(folder.logs, `${serviceId}.log`), args);
}

function spawnEngineProcess(
  script: string,
  logFile: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): EngineProcess {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  try {
    // The bundles lie side by side in dist/, and this module is part of one of them.
    const path = fileURLToPath(new URL(`./${script}`, import.meta.url));
    const child = spawn(process.execPath, [path, ...args], { detached: true, env, stdio: ['ignore', log, log] });
    child.unref();
    return { pid: child.pid ?? null, ended: endOf(child, logFile) };
  } finally {
    closeSync(log);
  }
}

function endOf(child: ChildProcess, logFile: string): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', (error) => {
      // As a last word: where even the log takes nothing, the exit code has to do.
      appendFile(logFile, `${new Date().toISOString()} not started: ${error.message}\n`, () =>
        resolve({ code: 1, signal: null }),
      );
    });
  });
}

/** Sends a signal; a process that is gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // ESRCH: it ended between the look and the signal, which is what the caller wants.
  }
}
