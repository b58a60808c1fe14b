// Plays one scenario on a real cluster and judges every failover in it: the prediction is made from a copy of the
// files, after the kill and before the new JobManager starts; the truth is what that JobManager then deploys.
// Spec: docs/testing.md "Real Flink".
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FlinkCluster, ProcessEnded } from './cluster.ts';
import { type Observation, union } from './comparison.ts';
import { damageStore } from './damage.ts';
import { captureFiles, captureLogs, captureStatus, storeOf, writeJson } from './evidence.ts';
import { Gates, hasEnded, untilAtRest } from './gates.ts';
import type { FlinkJars } from './jars.ts';
import { jobText } from './job-shape.ts';
import { type JudgedFailover, judge } from './judgement.ts';
import { type MasterLog, readMasterLog } from './master-log.ts';
import { predict } from './prediction.ts';
import type { JobStatus } from './rest.ts';
import { type Scenario, type Step, scenarioText } from './scenario.ts';
import { TimedOut, until } from './waiting.ts';

export type RoundResult =
  | { readonly kind: 'judged'; readonly failovers: readonly JudgedFailover[] }
  /** The run says nothing about the prediction. */
  | { readonly kind: 'void'; readonly why: string };

/** What the new JobManager did. */
type Aftermath = Pick<Observation, 'ranAgain' | 'restored' | 'missing' | 'hangs'>;

class VoidRound extends Error {}

const recoveryTimeoutMs = 120_000;
const endTimeoutMs = 150_000;
/** Nothing was deployed for so long after the gates opened: the job hangs. */
const hangMs = 25_000;

/** Leaves evidence of all that happened in `evidence`. */
export async function playScenario(jars: FlinkJars, scenario: Scenario, evidence: string): Promise<RoundResult> {
  try {
    const cluster = await beforeKill(() => FlinkCluster.start(jars, scenario.cluster));
    return { kind: 'judged', failovers: await playOn(cluster, scenario, evidence) };
  } catch (error) {
    if (error instanceof VoidRound) return { kind: 'void', why: error.message };
    throw error;
  }
}

async function playOn(cluster: FlinkCluster, scenario: Scenario, evidence: string): Promise<JudgedFailover[]> {
  try {
    return await new Round(cluster, scenario, evidence).play();
  } finally {
    await captureLogs(cluster, evidence).finally(() => cluster.close());
    await writeFile(join(evidence, 'scenario.txt'), `Flink ${cluster.jars.version}\n${scenarioText(scenario)}\n`);
  }
}

/** That something takes too long on a busy machine, or ends, says nothing of a prediction that was not asked for yet. */
async function beforeKill<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const saysNothing = error instanceof TimedOut || error instanceof ProcessEnded;
    throw saysNothing ? new VoidRound(error.message) : error;
  }
}

class Round {
  readonly #cluster: FlinkCluster;
  readonly #scenario: Scenario;
  readonly #evidence: string;
  readonly #gates: Gates;
  readonly #judged: JudgedFailover[] = [];
  /** Finished in any JobManager's time. */
  #everFinished: ReadonlySet<string> = new Set();
  #jobId = '';

  constructor(cluster: FlinkCluster, scenario: Scenario, evidence: string) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#evidence = evidence;
    this.#gates = new Gates(join(cluster.folder, 'gates'));
  }

  async play(): Promise<JudgedFailover[]> {
    await this.#gates.create();
    const job = join(this.#cluster.folder, 'job.txt');
    await writeFile(job, jobText(this.#scenario.stages));
    this.#jobId = await beforeKill(() => this.#cluster.submit('jobrec.judge.GatedJob', [job, this.#gates.folder]));
    for (const [index, step] of this.#scenario.steps.entries()) await this.#playStep(step, index);
    return this.#judged;
  }

  async #playStep(step: Step, index: number): Promise<void> {
    const folder = join(this.#evidence, `step-${index}`);
    const before = await beforeKill(() => this.#runUntilStrike(step));
    await captureStatus(this.#cluster, this.#jobId, folder);
    const killed = step.killsWorkers.map((worker) => this.#cluster.workers[worker] as string);
    await this.#cluster.kill({ jobManager: step.killsJobManager, workers: killed });
    if (step.killsJobManager) await this.#judge(step, before, folder);
    else await this.#goOnWithout(killed, step);
  }

  /** The job's state at the kill, or null where it was moving. */
  async #runUntilStrike(step: Step): Promise<JobStatus | null> {
    await this.#gates.open(step.opens);
    if (step.runForMs !== null) {
      await new Promise((resolve) => setTimeout(resolve, step.runForMs ?? 0));
      return null;
    }
    const job = await untilAtRest(this.#cluster, this.#gates, this.#jobId);
    if (hasEnded(job)) throw new VoidRound(`the job was ${job.state} before the kill`);
    return job;
  }

  /** Only workers were lost: waits until the JobManager has noticed, or nothing seems to have happened. */
  async #goOnWithout(killed: readonly string[], step: Step): Promise<void> {
    await this.#startWorkers(step.newWorkers);
    const noticed = async () => {
      const listed = await this.#cluster.rest.workers();
      return listed.length > 0 && killed.every((workerId) => !listed.includes(workerId)) ? true : null;
    };
    await until('the JobManager gives up the lost workers', noticed, { timeoutMs: 40_000, everyMs: 250 });
  }

  async #judge(step: Step, before: JobStatus | null, folder: string): Promise<void> {
    const log = await readMasterLog(this.#cluster.jobManagerLog);
    if (log.jobResult !== null) throw new VoidRound(`the job was ${log.jobResult} before the kill`);
    this.#mustBeUndisturbed(log);
    this.#everFinished = union(this.#everFinished, log.finished);
    await this.#damage(step, folder);
    const captured = await captureFiles(this.#cluster, this.#jobId, folder);
    const { store } = captured;
    if (store === null) throw new VoidRound('nothing was recorded before the kill');
    // As they are now: before the restart brings new ones.
    const survivors = { living: [...this.#cluster.workers], dead: [...this.#cluster.deadWorkers] };
    const question = { location: captured.haFolder, asksBy: step.asksBy, ...survivors };
    const predicted = await predict(question);
    await writeJson(join(folder, 'prediction.json'), predicted);
    const truth = await this.#restart(step);
    const observed = { ...truth, ...this.#finishedBefore(step, before) };
    await writeJson(join(folder, 'truth.json'), { jobId: this.#jobId, ...survivors, ...observed });
    this.#judged.push(await judge({ question, captured: { ...captured, store }, predicted, observed }));
  }

  async #damage({ damage }: Step, folder: string): Promise<void> {
    const store = await storeOf(this.#cluster.highAvailabilityFolder, this.#jobId);
    if (damage === null || store === null) return;
    await writeFile(join(folder, 'damage.txt'), `${await damageStore(store, damage)}\n`);
  }

  /**
   * Tasks that had finished. Exact for the first failover of a job at rest: a later one may build on finishes that the
   * recovery before it took back without recording that, and an unflushed or damaged store lacks some.
   */
  #finishedBefore(step: Step, before: JobStatus | null): { finished: ReadonlySet<string>; finishedIsExact: boolean } {
    const isFirst = this.#judged.length === 0;
    const isWhole = step.damage === null;
    const isFlushed = this.#scenario.cluster.flushInterval !== '10 min';
    if (before === null || !isFirst || !isFlushed || !isWhole)
      return { finished: this.#everFinished, finishedIsExact: false };
    const finished = before.tasks.filter(({ status }) => status === 'FINISHED');
    return {
      finished: new Set(finished.map(({ vertexId, subtask }) => `${vertexId}#${subtask}`)),
      finishedIsExact: true,
    };
  }

  /** Starts the JobManager again, and sees what it deploys: until the end, or until the job rests for the next step. */
  async #restart(step: Step): Promise<Aftermath> {
    await this.#cluster.startJobManager();
    await this.#startWorkers(step.newWorkers);
    const log = () => readMasterLog(this.#cluster.jobManagerLog);
    const recovered = async () => {
      this.#cluster.mustBeAlive();
      return (await log()).recovered ? true : null;
    };
    await until('the job is taken up again', recovered, { timeoutMs: recoveryTimeoutMs });
    const isLast = step === this.#scenario.steps.at(-1);
    return isLast ? this.#runToTheEnd() : this.#runToRest();
  }

  async #runToTheEnd(): Promise<Aftermath> {
    await this.#gates.open(['all']);
    const opened = performance.now();
    const look = async () => {
      this.#cluster.mustBeAlive();
      const log = await readMasterLog(this.#cluster.jobManagerLog);
      this.#mustBeUndisturbed(log);
      const hangs = log.deployed.size === 0 && performance.now() - opened > hangMs;
      return log.jobResult !== null || hangs ? { ...log, hangs } : null;
    };
    const { deployed, restored, missing, hangs, jobResult } = await until('the job ends', look, {
      timeoutMs: endTimeoutMs,
      everyMs: 250,
    });
    if (!hangs && jobResult !== 'FINISHED') throw new Error(`the recovered job ended as ${jobResult}`);
    return { ranAgain: deployed, restored, missing, hangs };
  }

  /** A task that is not finished any more will run again, even if it does not get there before the next kill. */
  async #runToRest(): Promise<Aftermath> {
    const job = await untilAtRest(this.#cluster, this.#gates, this.#jobId);
    const log = await readMasterLog(this.#cluster.jobManagerLog);
    this.#mustBeUndisturbed(log);
    const kept = job.tasks
      .filter(({ status }) => status === 'FINISHED')
      .map((task) => `${task.vertexId}#${task.subtask}`);
    const lost = [...this.#everFinished].filter((task) => !kept.includes(task));
    const waiting = await this.#gates.waiting(this.#cluster.workerPids);
    return {
      ranAgain: union(log.deployed, new Set(lost)),
      restored: log.restored,
      missing: log.missing,
      hangs: log.deployed.size === 0 && waiting.length === 0,
    };
  }

  /** What no store shows: Flink's own race, and workers that a busy machine kept from answering. */
  #mustBeUndisturbed({ lateReports, lostWorkers }: MasterLog): void {
    if (lateReports > 0) throw new VoidRound('a worker reported its partitions late (recovery rule 12)');
    const lost = this.#cluster.workers.filter((workerId) => lostWorkers.has(workerId));
    if (lost.length > 0) throw new VoidRound(`given up by the JobManager though alive: ${lost.join(', ')}`);
  }

  async #startWorkers(count: number): Promise<void> {
    for (let started = 0; started < count; started += 1) await this.#cluster.startWorker();
  }
}
