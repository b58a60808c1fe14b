// The course of a JobMaster from its first decision to its end, the same for batch and streaming jobs: the first end
// counts, what goes on is settled, the last status is recorded, and only then processes and files follow it. What follows
// from which end is a table: master-end.ts. Design invariants 3 and 8.
import { JobrecError } from '../../model/errors.ts';
import type { RecoveryCause } from '../../model/job-events.ts';
import { isGloballyTerminal, type JobState } from '../../model/states.ts';
import type { JobMasterStart } from '../processes.ts';
import type { Cluster } from './cluster.ts';
import type { Control } from './listener.ts';
import { endRules, type MasterEnd, terminalEnd } from './master-end.ts';
import type { Mastership } from './mastership.ts';

/** What a batch job and a streaming job do each in its own way. */
export interface LedJob {
  /** Leads the job until it has an end. What is thrown is one, too. */
  lead(): Promise<MasterEnd>;
  /** Brings what still goes on to rest, and records what has to stand before the end. */
  settle(end: MasterEnd): Promise<void>;
  /** Removes what nobody needs once the job has ended for good. Can be done twice. */
  deleteFiles(): Promise<void>;
}

export class MasterCourse {
  /** Resolves at the first end: what follows it comes too late. */
  readonly ended: Promise<MasterEnd>;
  readonly #mastership: Mastership;
  readonly #cluster: Cluster;
  #end!: (end: MasterEnd) => void;
  #isEnding = false;

  constructor(mastership: Mastership, cluster: Cluster) {
    this.#mastership = mastership;
    this.#cluster = cluster;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    mastership.onPoisoned((end) => this.end(end));
    mastership.onNotice((message) => cluster.clients.notice(message));
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Leads the job to its end, whatever end that is. */
  async run(job: LedJob): Promise<MasterEnd> {
    const { state, stateReason } = this.#mastership.recorder.graph;
    const led = isGloballyTerminal(state) ? Promise.resolve(terminalEnd(state, stateReason)) : job.lead();
    const end = await led.catch((error) => this.#mastership.endOf(error));
    this.#isEnding = true;
    this.#cluster.stop();
    const final = await this.#record(job, end);
    await this.#conclude(job, final);
    return final;
  }

  end(end: MasterEnd): void {
    this.#isEnding = true;
    this.#end(end);
  }

  async endFor(error: unknown): Promise<void> {
    this.end(await this.#mastership.endOf(error));
  }

  /** Ends the work and keeps the state: the same command resumes. */
  suspend(reason: string): void {
    this.end({ kind: 'suspended', reason });
  }

  /** A process cannot be started, or looked after. */
  hopeless(error: unknown): void {
    if (!(error instanceof JobrecError) || error.code !== 'JOB_SUSPENDED') return void this.endFor(error);
    this.suspend(error.hint === null ? error.message : `${error.message}; ${error.hint}`);
  }

  control(command: Control['command'], reason: string): void {
    this.end({ kind: command === 'cancel' ? 'canceled' : 'suspended', reason });
  }

  /** Whether this JobMaster goes on with what another one has begun. */
  isTakeOver(start: JobMasterStart): boolean {
    return start !== 'submitted' && this.#mastership.epoch > 1;
  }

  /** From CREATED to RECONCILING. Returns why the JobMaster before is no more. */
  takeOver(start: JobMasterStart, anyWorkerOutlived: boolean): RecoveryCause {
    const cause = this.#mastership.causeOf(start, anyWorkerOutlived);
    this.status('CREATED', `epoch ${this.#mastership.epoch} takes over (${cause})`);
    this.status('RECONCILING', null);
    return cause;
  }

  /** Records the status, and tells the clients. */
  status(state: JobState, reason: string | null): void {
    void this.#mastership.recorder.record({ type: 'job-status-changed', state, reason });
    this.#cluster.clients.status(state, reason);
  }

  /** Records the last status; a store that fails even then makes the end a poisoned one. */
  async #record(job: LedJob, end: MasterEnd): Promise<MasterEnd> {
    const { recorder } = this.#mastership;
    try {
      await job.settle(end);
      const state = endRules[end.kind].records;
      if (state === null) return end;
      if (recorder.graph.state !== state) {
        await recorder.record({ type: 'job-status-changed', state, reason: end.reason });
      }
      await this.#mastership.close(isGloballyTerminal(state));
      return end;
    } catch (error) {
      return await this.#mastership.endOf(error);
    }
  }

  async #conclude(job: LedJob, end: MasterEnd): Promise<void> {
    const rule = endRules[end.kind];
    // A fenced master's workers have, or will have, another leader.
    if (end.kind !== 'fenced') await this.#cluster.endProcesses();
    if (rule.deletes) await job.deleteFiles();
    if (end.kind !== 'fenced') await this.#cluster.removeProcessList();
    this.#cluster.clients.status(rule.tells, end.reason);
    this.#cluster.close();
  }
}
