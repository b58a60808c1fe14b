// The client as supervisor: starts the JobMaster, follows it, starts the next one when it dies, and returns when the
// job has ended or was suspended. It decides nothing about the job; killing it leaves the JobMaster running.
import { join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import { isGloballyTerminal, type JobState } from '../../model/states.ts';
import { replaceFile } from '../../store/atomic-file.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import { failureFile, readFailure } from '../job-master/master-failure.ts';
import {
  type ClusterSize,
  type EngineProcess,
  type JobMasterStart,
  type ProcessEnd,
  signalProcess,
  spawnJobMaster,
} from '../processes.ts';
import type { ToClient, VertexProgress } from '../protocol/messages.ts';
import { linkToMaster, type MasterLink } from './master-link.ts';

const pollIntervalMs = 10;
/** JobMasters in a row that end by themselves before they lead. */
const failedStartsMax = 3;
/** A JobMaster gets so many heartbeat timeouts, and at least so long, to read its store and lead. */
const startTimeouts = 6;
const startTimeoutMsMin = 30_000;
/** JobMasters in a row that die while no task finishes (or checkpoint completes): then something kills them, and starting more helps nobody. */
const fruitlessDeathsMax = 20;
/** How long a JobMaster gets to suspend the job before the client stops waiting for it. */
const suspendTimeoutMs = 20_000;

export interface FollowProgress {
  status(state: JobState, reason: string | null): void;
  vertices(vertices: readonly VertexProgress[]): void;
  notice(message: string): void;
}

export interface FollowOptions {
  readonly folder: JobFolder;
  readonly size: ClusterSize;
  /** How to start the first JobMaster; null: one leads already. */
  readonly start: JobMasterStart | null;
  readonly progress: FollowProgress;
  /** Silence of the JobMaster after which another one is started. */
  readonly heartbeatTimeoutMs: number;
  /** The end that the store records, for a JobMaster that ended well before it could say so; null: none. */
  readonly recordedEnd: () => Promise<FollowEnd | null>;
  /** Resolves with a reason when the user wants the job suspended. */
  readonly interrupted: Promise<string>;
}

export interface FollowEnd {
  readonly state: JobState;
  readonly reason: string | null;
}

/** Follows the job to its end. Throws what keeps any JobMaster from leading (e.g. STORE_DAMAGED). */
export async function followJob(options: FollowOptions): Promise<FollowEnd> {
  return new JobFollower(options).follow();
}

class JobFollower {
  readonly #options: FollowOptions;
  #epoch = 0;
  #failedStarts = 0;
  #hangingStarts = 0;
  #fruitlessDeaths = 0;
  #finished = 0;
  #interruption: string | null = null;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  async follow(): Promise<FollowEnd> {
    void this.#options.interrupted.then((reason) => {
      this.#interruption = reason;
    });
    let start = this.#options.start;
    for (;;) {
      const master = start === null ? null : spawnJobMaster(this.#options.folder, this.#options.size, start);
      const link = await this.#link(master);
      const end = link ? await this.#followLink(link, master) : await this.#startFailed(master);
      if (end) return end;
      if (this.#interruption !== null) return { state: 'SUSPENDED', reason: this.#interruption };
      this.#fruitlessDeaths += 1;
      if (this.#fruitlessDeaths >= fruitlessDeathsMax) return { state: 'SUSPENDED', reason: fruitless };
      this.#options.progress.notice('the JobMaster is gone; starting the next one');
      start = 'restarted';
    }
  }

  /**
   * A link to a master above the last epoch; null when the one that was started ended first, or none leads. One that
   * hangs before it leads is killed: nobody else would notice.
   */
  async #link(master: EngineProcess | null): Promise<MasterLink | null> {
    let ended = master === null;
    let killed = false;
    const startTimeoutMs = Math.max(startTimeoutMsMin, startTimeouts * this.#options.heartbeatTimeoutMs);
    // Twice as long after each one that was killed: a machine that is merely slow gets there in the end.
    const deadlineMs = performance.now() + startTimeoutMs * 2 ** this.#hangingStarts;
    void master?.ended.then(() => {
      ended = true;
    });
    for (;;) {
      const link = await linkToMaster(this.#options.folder, this.#epoch);
      if (link) return link;
      if (ended) return null;
      if (master && !killed && performance.now() > deadlineMs) {
        killed = true;
        this.#hangingStarts += 1;
        if (master.pid !== null) signalProcess(master.pid, 'SIGKILL');
      }
      await pause(pollIntervalMs);
    }
  }

  /** What a master that never led left behind: its reason, or nothing (it was killed: start another). */
  async #startFailed(master: EngineProcess | null): Promise<FollowEnd | null> {
    return master ? this.#endOf(await master.ended) : null;
  }

  async #endOf(end: ProcessEnd): Promise<FollowEnd | null> {
    if (end.code === 0) return this.#options.recordedEnd();
    await this.#throwFailure(end);
    return null;
  }

  async #throwFailure(end: ProcessEnd): Promise<void> {
    if (end.code === null) return;
    const failure = await readFailure(this.#options.folder);
    if (failure instanceof JobrecError && failure.code !== 'JOB_HELD') throw failure;
    this.#failedStarts += 1;
    if (this.#failedStarts < failedStartsMax) return;
    // A master that cannot write cannot leave word either: then this fails as its own writes did.
    if (!failure) await replaceFile(failureFile(this.#options.folder), '{}\n');
    const log = join(this.#options.folder.logs, 'job-master.log');
    throw failure ?? new Error(`the JobMaster ended with exit code ${end.code}; see ${log}`);
  }

  /** Follows one master; null when it is gone without the job having ended. */
  async #followLink(link: MasterLink, master: EngineProcess | null): Promise<FollowEnd | null> {
    this.#epoch = link.epoch;
    this.#failedStarts = 0;
    const end = await this.#listen(link);
    link.connection.destroy();
    if (!master) return end;
    // It exits as soon as it has said the end; one that hangs is left to its fence.
    const exited = await Promise.race([master.ended, pause(end ? suspendTimeoutMs : 1_000)]);
    return end ?? (exited ? this.#endOf(exited) : null);
  }

  #listen(link: MasterLink): Promise<FollowEnd | null> {
    const { connection, token } = link;
    return new Promise((resolve) => {
      const watch = setInterval(() => {
        if (connection.silentMs() > this.#options.heartbeatTimeoutMs) connection.destroy();
      }, 500);
      const done = (end: FollowEnd | null) => {
        clearInterval(watch);
        resolve(end);
      };
      connection.onMessage((message) => this.#show(message, done));
      connection.onClose(() => done(null));
      connection.send({ type: 'attach-client', token, pid: process.pid });
      void this.#options.interrupted.then((reason) => {
        connection.send({ type: 'control', token, command: 'suspend', reason });
        setTimeout(() => done({ state: 'SUSPENDED', reason }), suspendTimeoutMs).unref();
      });
    });
  }

  #countProgress(vertices: readonly VertexProgress[]): void {
    const finished = vertices.reduce((sum, vertex) => sum + vertex.finished + (vertex.lastCheckpointId ?? 0), 0);
    if (finished > this.#finished) this.#fruitlessDeaths = 0;
    this.#finished = finished;
  }

  #show(message: ToClient, done: (end: FollowEnd) => void): void {
    const { progress } = this.#options;
    switch (message.type) {
      case 'status':
        progress.status(message.state, message.reason);
        if (isGloballyTerminal(message.state) || message.state === 'SUSPENDED')
          done({ state: message.state, reason: message.reason });
        return;
      case 'progress':
        this.#countProgress(message.vertices);
        return progress.vertices(message.vertices);
      case 'notice':
        return progress.notice(message.message);
    }
  }
}

const fruitless = `${fruitlessDeathsMax} JobMasters died one after the other without any task finishing`;

function pause(durationMs: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), durationMs));
}
