// The processes that belong to one job, found by its folder in their command lines: also those that were started a
// moment ago and stand in no list yet. Linux only (/proc).
import { readdir, readFile } from 'node:fs/promises';

export type ProcessRole = 'client' | 'job-master' | 'task-manager' | 'shuffle-service' | 'other';

export interface JobProcess {
  readonly pid: number;
  readonly role: ProcessRole;
  /** `R`, `S`, `T` (stopped), ... as /proc says; never `Z`. */
  readonly state: string;
  readonly commandLine: string;
}

/** The live processes whose command line names `folder`, this one and its own tools left out. */
export async function processesOf(folder: string): Promise<JobProcess[]> {
  const found: JobProcess[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const commandLine = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (!commandLine.includes(folder)) continue;
    const state = await stateOf(Number(name));
    if (state === null || state === 'Z' || state === 'X') continue;
    const words = commandLine.split('\0');
    found.push({ pid: Number(name), role: roleOf(words), state, commandLine: words.join(' ').trim() });
  }
  return found;
}

export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    // it has ended
    return false;
  }
}

/** Resolves when none of these processes is there any more. */
export async function untilGone(pids: readonly number[], timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (const pid of pids) {
    for (;;) {
      const state = await stateOf(pid);
      if (state === null || state === 'Z' || state === 'X') break;
      if (performance.now() > deadlineMs) throw new Error(`process ${pid} (state ${state}) did not end`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}

async function stateOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat === null ? null : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? null);
}

function roleOf(words: readonly string[]): ProcessRole {
  const script = words[1] ?? '';
  if (script.endsWith('/job-master.js')) return 'job-master';
  if (script.endsWith('/task-manager.js')) return 'task-manager';
  if (script.endsWith('/shuffle-service.js')) return 'shuffle-service';
  return script.endsWith('/run.js') && words[2] === 'run' ? 'client' : 'other';
}
