// Keeps one live process for each configured worker (or shuffle service): starts those that are missing, starts again
// those that died. A worker is alive when it has registered, when the process started here has not ended, or when a live process
// holds its folder (it was started by an earlier JobMaster and will register).
import { JobrecError } from '../../model/errors.ts';
import type { WorkerId } from '../../model/ids.ts';
import type { Options } from '../../model/options.ts';
import { latestHolder } from '../../store/generation.ts';
import { type JobFolder, workerFolder } from '../../store/job-folder.ts';
import { type ClusterSize, type EngineProcess, signalProcess, spawnTaskManager } from '../processes.ts';
import { workerClaims } from '../task-manager/worker-claim.ts';

/** Starts of one worker in a row that end before it registers; more, and the job cannot go on. */
const failedStartsMax = 5;

/** How long a process may live without registering: as long as a new JobMaster waits, and no less than silence is borne. */
export function registrationTimeoutOf(options: Options): number {
  return Math.max(options.previousWorkerTimeoutMs, 3 * options.heartbeatTimeoutMs);
}

/** The configured TaskManagers, as a supervisor wants them. */
export function taskManagersOf(
  folder: JobFolder,
  size: ClusterSize,
): Pick<WorkerSupervisorOptions, 'workerIds' | 'folderOf' | 'spawn'> {
  return {
    workerIds: Array.from({ length: size.workers }, (_, index) => `worker-${index + 1}`),
    folderOf: (workerId) => workerFolder(folder, workerId),
    spawn: (workerId) => spawnTaskManager(folder, workerId, size),
  };
}

interface Supervised {
  process: EngineProcess | null;
  failedStarts: number;
  /** `performance.now()` since when it lives without being registered; null: it is registered or dead. */
  awaitedSinceMs: number | null;
}

export interface WorkerSupervisorOptions {
  readonly workerIds: readonly WorkerId[];
  /** The folder that the process claims and that outlives it. */
  readonly folderOf: (workerId: WorkerId) => string;
  readonly spawn: (workerId: WorkerId) => EngineProcess;
  readonly isRegistered: (workerId: WorkerId) => boolean;
  /** Whether this JobMaster still leads: one that was replaced starts nothing. */
  readonly mayStart: () => Promise<boolean>;
  /** A process that lives so long without registering hangs, and is killed. */
  readonly registrationTimeoutMs: number;
  readonly onStarted: () => void;
  readonly onHopeless: (error: JobrecError) => void;
}

export class WorkerSupervisor {
  readonly workerIds: readonly WorkerId[];
  readonly #supervised = new Map<WorkerId, Supervised>();
  readonly #options: WorkerSupervisorOptions;
  #stopped = false;

  constructor(options: WorkerSupervisorOptions) {
    this.#options = options;
    this.workerIds = options.workerIds;
    for (const workerId of this.workerIds)
      this.#supervised.set(workerId, { process: null, failedStarts: 0, awaitedSinceMs: null });
  }

  /** Pids of the processes started here that have not registered yet. */
  get starting(): { workerId: WorkerId; pid: number }[] {
    return [...this.#supervised].flatMap(([workerId, { process }]) => {
      const pid = process?.pid ?? null;
      return pid !== null && !this.#options.isRegistered(workerId) ? [{ workerId, pid }] : [];
    });
  }

  /** Starts what is missing. Called at the start and at intervals. */
  async ensureAll(): Promise<void> {
    for (const [workerId, supervised] of this.#supervised) {
      if (this.#stopped) return;
      if (this.#options.isRegistered(workerId)) {
        supervised.failedStarts = 0;
        supervised.awaitedSinceMs = null;
      } else await this.#ensureOne(workerId, supervised);
    }
  }

  async #ensureOne(workerId: WorkerId, supervised: Supervised): Promise<void> {
    const pid = supervised.process?.pid ?? (await this.liveHolder(workerId));
    if (pid !== null) return this.#endIfHanging(pid, supervised);
    supervised.awaitedSinceMs = null;
    // Asked last, and what another call has started meanwhile is left alone.
    if ((await this.#options.mayStart()) && !supervised.process && !this.#stopped) this.#start(workerId, supervised);
  }

  #endIfHanging(pid: number, supervised: Supervised): void {
    const nowMs = performance.now();
    supervised.awaitedSinceMs ??= nowMs;
    if (nowMs - supervised.awaitedSinceMs < this.#options.registrationTimeoutMs) return;
    supervised.awaitedSinceMs = null;
    signalProcess(pid, 'SIGKILL');
  }

  /** Pid of the live process that holds the worker's folder; null: there is none. */
  async liveHolder(workerId: WorkerId): Promise<number | null> {
    return (await latestHolder(workerClaims(this.#options.folderOf(workerId)))).livePid;
  }

  /** Whether a worker of an earlier JobMaster is still there. */
  async anyAlive(): Promise<boolean> {
    for (const workerId of this.workerIds) if ((await this.liveHolder(workerId)) !== null) return true;
    return false;
  }

  /** Kills holders that live but do not register: they hang, and their folder must be free for a successor. */
  async killUnregistered(): Promise<void> {
    for (const workerId of this.workerIds) {
      if (this.#options.isRegistered(workerId) || this.#supervised.get(workerId)?.process) continue;
      const pid = await this.liveHolder(workerId);
      if (pid !== null) signalProcess(pid, 'SIGKILL');
    }
  }

  /** Kills what was started here and has not registered. Not for a fenced master: its workers may have another leader. */
  killStarting(): void {
    for (const { pid } of this.starting) signalProcess(pid, 'SIGKILL');
  }

  stop(): void {
    this.#stopped = true;
  }

  #start(workerId: WorkerId, supervised: Supervised): void {
    const process = this.#options.spawn(workerId);
    supervised.process = process;
    supervised.failedStarts += 1;
    void process.ended.then(() => {
      supervised.process = null;
      if (supervised.failedStarts >= failedStartsMax && !this.#stopped) this.#options.onHopeless(cannotStart(workerId));
    });
    this.#options.onStarted();
  }
}

function cannotStart(workerId: WorkerId): JobrecError {
  return new JobrecError(
    'JOB_SUSPENDED',
    `${workerId} cannot be started: it ended ${failedStartsMax} times before it registered`,
    {
      data: { workerId },
      hint: `see logs/${workerId}.log in the job's folder`,
    },
  );
}
