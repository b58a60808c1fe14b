// Who holds something: a process by pid and start time, so that neither a zombie nor a process that was given the same
// pid later passes for the holder (design invariant 3). On Linux from /proc; elsewhere only the pid is known, and a
// reused pid counts as the holder (documented limit: the job then looks held until that process ends).
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: boot and start tick on Linux; null where it cannot be known. */
  readonly startTime: string | null;
}

interface ProcessStatus {
  readonly state: string;
  readonly startTime: string;
}

export function currentProcess(): ProcessIdentity {
  return processWithId(process.pid);
}

/** The identity of the process that has this pid now. */
export function processWithId(pid: number): ProcessIdentity {
  return { pid, startTime: statusOf(pid)?.startTime ?? null };
}

export function isAlive(identity: ProcessIdentity): boolean {
  if (!answersSignals(identity.pid)) return false;
  const status = statusOf(identity.pid);
  if (status === null) return true;
  if (status.state === 'Z' || status.state === 'X') return false;
  return identity.startTime === null || identity.startTime === status.startTime;
}

function answersSignals(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, and another user's
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** null where /proc does not tell. */
function statusOf(pid: number): ProcessStatus | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // The command's name, field 2, is in parentheses and may hold blanks and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTick] = [fields[0], fields[19]];
  if (state === undefined || startTick === undefined) return null;
  const boot = readOrNull('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown-boot';
  return { state, startTime: `${boot}/${startTick}` };
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
