// One chaos run: a real job with real processes, struck as its plan says, resumed where its client died, and checked at
// its end. A strike that comes after the job's end does not count. All that happens goes into a journal, which is kept
// with the job's folder when anything is wrong.
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../../src/model/job-log.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { parseJson, pause, type StartedCli, startCli } from '../e2e/cli.ts';
import { type ChaosJob, createChaosJob } from './chaos-job.ts';
import type { ChaosPlan, Strike, Trigger } from './chaos-plan.ts';
import { checkEnd } from './final-checks.ts';
import { processesOf, signal, untilGone } from './job-processes.ts';
import { type Comparison, compareWithRecovery, isRecovered, type Prediction } from './prediction.ts';
import { StoreWatch } from './store-watch.ts';
import { type Blow, perform } from './strike.ts';

/** A job that has not ended after so long hangs. */
const runTimeoutMs = 120_000;
const pollIntervalMs = 2;

export interface OpenPrediction extends Prediction {
  readonly jobFolder: string;
  /** Set when the next strike falls, which may retire what it is compared with; null: still open. */
  comparison: Comparison | null;
}

export interface ChaosOutcome {
  readonly plan: ChaosPlan;
  /** Strikes that hit a live job. */
  readonly blows: readonly Blow[];
  readonly recoveries: number;
  readonly predictions: {
    readonly compared: number;
    readonly open: number;
    readonly kept: number;
    readonly rerun: number;
  };
  /** Events that were seen before a kill and found again. */
  readonly remembered: number;
  readonly durationMs: number;
}

/** Throws ChaosFailure with the place of the evidence where anything does not hold. */
export async function chaosRun(plan: ChaosPlan, evidenceFolder: string): Promise<ChaosOutcome> {
  const job = await createChaosJob(plan.shape);
  const run = new ChaosRun(plan, job);
  try {
    return await run.play();
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const kept = join(evidenceFolder, `seed-${plan.seed}-${plan.kind}`);
    await run.keepEvidence(kept, message);
    throw new ChaosFailure(plan, kept, message);
  } finally {
    await run.endEverything();
    await rm(job.folder, { recursive: true, force: true });
  }
}

export class ChaosFailure extends Error {
  override readonly name = 'ChaosFailure';
  readonly plan: ChaosPlan;
  readonly evidence: string;

  constructor(plan: ChaosPlan, evidence: string, message: string) {
    super(`kind ${plan.kind}, seed ${plan.seed}: ${message}\nevidence: ${evidence}`);
    this.plan = plan;
    this.evidence = evidence;
  }
}

export class ChaosRun {
  readonly plan: ChaosPlan;
  readonly job: ChaosJob;
  readonly watch: StoreWatch;
  readonly predictions: OpenPrediction[] = [];
  readonly #journal: string[] = [];
  readonly #startedMs = performance.now();
  #client: StartedCli | null = null;
  #clientEnded = false;
  #resumes = 0;
  /** Last event, and newest epoch, when the last strike fell. */
  #baseline = { sequence: -1, epoch: 0 };

  constructor(plan: ChaosPlan, job: ChaosJob) {
    this.plan = plan;
    this.job = job;
    // What a master writes after it was stopped and replaced counts no more, and a compaction retires events: then fewer
    // may be read than before.
    this.watch = new StoreWatch(job.home, plan.kind === 'stop' || plan.kind === 'compact');
  }

  async play(): Promise<ChaosOutcome> {
    this.startClient();
    const blows: Blow[] = [];
    for (const strike of this.plan.strikes) {
      if (!(await this.#moment(strike))) break;
      const blow = await perform(this, strike);
      if (blow) blows.push(blow);
      this.#baseline = await this.#now();
    }
    const report = await this.#end();
    const checked = await checkEnd(this, report);
    const { remembered } = this.watch;
    return { plan: this.plan, blows, ...checked, remembered, durationMs: performance.now() - this.#startedMs };
  }

  note(text: string): void {
    this.#journal.push(`${Math.round(performance.now() - this.#startedMs)} ms  ${text}`);
  }

  get clientPid(): number | null {
    return this.#client && !this.#clientEnded ? this.#client.pid : null;
  }

  startClient(): void {
    const { plan, job } = this;
    const size =
      this.#client === null ? plan : (plan.resumes[Math.min(this.#resumes++, plan.resumes.length - 1)] ?? plan);
    const options = Object.entries(plan.options).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
    const cluster = ['--workers', String(size.workers), '--slots', String(size.slots)];
    const client = startCli(['run', job.jobFile, '--home', job.home, ...cluster, ...options, '--json']);
    this.#client = client;
    this.#clientEnded = false;
    this.note(`client ${client.pid} starts with ${cluster.join(' ')}`);
    void client.result.then(({ code, signal: killedBy }) => {
      if (this.#client === client) this.#clientEnded = true;
      this.note(`client ${client.pid} ended: ${killedBy ?? code}`);
    });
  }

  /** Whether the newest job has ended, by its log or because its client has. */
  async hasEnded(records?: readonly LogRecord[]): Promise<boolean> {
    const read = records ?? (await this.watch.look());
    const ended = read.some(({ event }) => event.type === 'job-status-changed' && event.state === 'FINISHED');
    return ended || (this.#clientEnded && (await this.#client?.result)?.signal !== 'SIGKILL');
  }

  /** Settles the predictions made so far: a blow before the recovery is complete leaves them open for good. */
  async disturb(): Promise<void> {
    const records = await this.watch.look();
    for (const prediction of this.predictions) {
      prediction.comparison ??= isRecovered(prediction, records)
        ? compareWithRecovery(prediction, records)
        : { kind: 'open', why: 'a strike fell into the recovery' };
    }
  }

  async keepEvidence(folder: string, message: string): Promise<void> {
    const { writeFile } = await import('node:fs/promises');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const processes = await processesOf(this.job.folder);
    await writeFile(join(folder, 'failure.txt'), `${message}\n\n${this.#journal.join('\n')}\n`);
    await writeFile(join(folder, 'processes.json'), `${JSON.stringify(processes, null, 1)}\n`);
    await writeFile(join(folder, 'plan.json'), `${JSON.stringify(this.plan, null, 1)}\n`);
    await cp(this.job.folder, join(folder, 'job'), { recursive: true }).catch((error) => this.note(String(error)));
  }

  async endEverything(): Promise<void> {
    const left = await processesOf(this.job.folder);
    for (const { pid } of left) signal(pid, 'SIGKILL');
    await untilGone(left.map(({ pid }) => pid)).catch(() => {});
    // A worker that was just being started by a JobMaster that is gone now.
    for (const { pid } of await processesOf(this.job.folder)) signal(pid, 'SIGKILL');
  }

  /** Waits for the strike's moment; false where the job ended first. */
  async #moment(strike: Strike): Promise<boolean> {
    const deadlineMs = performance.now() + runTimeoutMs;
    for (;;) {
      const records = await this.watch.look();
      if (await this.hasEnded(records)) return false;
      if (await this.#isReached(strike.trigger, records)) break;
      if (performance.now() > deadlineMs)
        throw new Error(`the job hangs: ${JSON.stringify(strike.trigger)} never came`);
      await pause(pollIntervalMs);
    }
    this.note(`${JSON.stringify(strike.trigger)} is reached`);
    await pause(strike.delayMs);
    return !(await this.hasEnded());
  }

  async #isReached(trigger: Trigger, records: readonly LogRecord[]): Promise<boolean> {
    const fresh = records.filter(({ sequence }) => sequence > this.#baseline.sequence).map(({ event }) => event);
    switch (trigger.kind) {
      case 'now':
        return true;
      case 'epoch-taken':
        return (await this.watch.newestEpoch()) > this.#baseline.epoch;
      case 'recorded':
        return fresh.filter(({ type }) => type === trigger.type).length >= trigger.count;
      case 'finished':
        return fresh.filter(({ type }) => type === 'execution-vertex-finished').length >= trigger.count;
      case 'reconciling':
        return fresh.some((event) => event.type === 'job-status-changed' && event.state === 'RECONCILING');
      case 'commit-started':
        return records.some(({ event }) => event.type === 'commit-started');
      case 'first-rename':
        return this.watch.anyPartIn(this.job.shape.sinks.map(({ name }) => join(this.job.folder, 'out', name)));
    }
  }

  async #now(): Promise<{ sequence: number; epoch: number }> {
    const records = await this.watch.look();
    return { sequence: records.at(-1)?.sequence ?? -1, epoch: await this.watch.newestEpoch() };
  }

  /** Resumes until a client has seen the job's end. */
  async #end(): Promise<RunReport> {
    const deadlineMs = performance.now() + runTimeoutMs;
    for (;;) {
      const client = this.#client;
      if (client === null) throw new Error('there is a client');
      const result = await Promise.race([client.result, pause(deadlineMs - performance.now()).then(() => null)]);
      if (result === null) throw new Error(`the job hangs: no end within ${runTimeoutMs / 1000} s`);
      if (result.signal === 'SIGKILL') {
        this.startClient();
        continue;
      }
      if (result.code !== 0) throw new Error(`run ended with exit ${result.code}: ${result.stdout}\n${result.stderr}`);
      return parseJson<RunReport>(result);
    }
  }
}
