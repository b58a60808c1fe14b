// One job whose power fails several times: see power-loss.slow.ts.
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../../src/model/job-log.ts';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { headerBytes } from '../../src/store/format.ts';
import { marksIn } from '../../src/store/frame.ts';
import { type ChaosJob, createChaosJob } from '../chaos/chaos-job.ts';
import { checkSink } from '../chaos/final-checks.ts';
import { processesOf, signal, untilGone } from '../chaos/job-processes.ts';
import { drawJobShape, type JobShape } from '../chaos/job-shape.ts';
import { compareWithRecovery } from '../chaos/prediction.ts';
import { recordsOf, StoreWatch } from '../chaos/store-watch.ts';
import { parseJson, pause, runCli, startCli } from '../e2e/cli.ts';
import { seeded } from '../replay/random.ts';
import { PowerDisk } from './mounts.ts';

export interface PowerPlan {
  readonly seed: number;
  readonly shape: JobShape;
  readonly data: 'data=ordered' | 'data=writeback';
  /** Finishes, counted from the last cut, after which the power fails; -1: when the commit has started. */
  readonly cuts: readonly { readonly finishes: number; readonly delayMs: number }[];
}

export interface PowerOutcome {
  readonly cuts: number;
  readonly acknowledged: number;
  readonly predictions: number;
  readonly kept: number;
  readonly rerun: number;
}

export function drawPowerPlan(seed: number): PowerPlan {
  const random = seeded(seed);
  const shape = drawJobShape(random);
  const cut = () => ({ finishes: random.chance(0.25) ? -1 : random.below(8), delayMs: random.below(40) });
  const cuts = Array.from({ length: 1 + random.below(3) }, cut);
  return { seed, shape, data: random.pick(['data=ordered', 'data=writeback']), cuts };
}

/** `root`: an empty folder of the real file system. */
export async function powerLossRun(plan: PowerPlan, root: string): Promise<PowerOutcome> {
  const folder = join(root, 'disk');
  await mkdir(folder);
  const disk = PowerDisk.create(folder, plan.data);
  try {
    const job = await createChaosJob(plan.shape, folder);
    await new PowerRun(plan, disk, job).syncInputs();
    return await new PowerRun(plan, disk, job).play();
  } finally {
    for (const { pid } of await processesOf(folder)) signal(pid, 'SIGKILL');
    await pause(100);
    disk.unmount();
    await rm(root, { recursive: true, force: true });
  }
}

class PowerRun {
  readonly #plan: PowerPlan;
  readonly #disk: PowerDisk;
  readonly #job: ChaosJob;
  readonly #total = { cuts: 0, acknowledged: 0, predictions: 0, kept: 0, rerun: 0 };

  constructor(plan: PowerPlan, disk: PowerDisk, job: ChaosJob) {
    this.#plan = plan;
    this.#disk = disk;
    this.#job = job;
  }

  /** The job's files were there long before. */
  async syncInputs(): Promise<void> {
    const { spawnSync } = await import('node:child_process');
    spawnSync('sync', ['-f', this.#job.jobFile]);
  }

  async play(): Promise<PowerOutcome> {
    let predicted: { report: DiffReport; sequence: number } | null = null;
    let baseline = -1;
    for (const cut of this.#plan.cuts) {
      const client = this.#start();
      let ended = false;
      void client.result.then(() => {
        ended = true;
      });
      await this.#moment(cut, baseline, () => ended);
      if (ended) break;
      await this.#failPower();
      if (predicted) await this.#compare(predicted);
      predicted = await this.#predict();
      baseline = predicted?.sequence ?? -1;
    }
    const report = parseJson<RunReport>(await this.#start().result);
    if (report.state !== 'FINISHED')
      throw new Error(`the job ended ${report.state}: ${JSON.stringify(report.failure)}`);
    if (predicted) await this.#compare(predicted);
    await this.#checkAnswer();
    return this.#total;
  }

  #start() {
    const { jobFile, home } = this.#job;
    return startCli(['run', jobFile, '--home', home, '--workers', '2', '--slots', '1', '--json'], { cwd: '/' });
  }

  async #moment(cut: PowerPlan['cuts'][number], baseline: number, ended: () => boolean): Promise<void> {
    const watch = new StoreWatch(this.#job.home, true);
    while (!ended()) {
      const fresh = (await watch.look()).filter(({ sequence }) => sequence > baseline);
      const count = (type: string) => fresh.filter(({ event }) => event.type === type).length;
      if (count('commit-started') > 0 || (cut.finishes >= 0 && count('execution-vertex-finished') > cut.finishes))
        break;
      await pause(2);
    }
    await pause(cut.delayMs);
  }

  /** Everything stops, what is durable is kept, everything dies, and the machine comes back with what was kept. */
  async #failPower(): Promise<void> {
    // Several looks: a process may start another one while the list is read.
    for (let look = 0; look < 3; look += 1) {
      for (const { pid } of await processesOf(this.#job.folder)) signal(pid, 'SIGSTOP');
    }
    await pause(50);
    const acknowledged = await acknowledgedRecords(this.#job.home);
    const kept = this.#disk.keepDurable();
    const left = await processesOf(this.#job.folder);
    for (const { pid } of left) signal(pid, 'SIGKILL');
    await untilGone(left.map(({ pid }) => pid));
    this.#disk.powerOn(kept);
    this.#total.cuts += 1;
    await this.#checkAcknowledged(acknowledged);
  }

  async #checkAcknowledged(acknowledged: readonly LogRecord[]): Promise<void> {
    const [first] = acknowledged;
    if (first === undefined) return;
    const folder = await new StoreWatch(this.#job.home, true).jobFolder();
    const records = folder === null ? [] : await recordsOf(folder);
    for (const [index, before] of acknowledged.entries()) {
      const after = records[index];
      if (JSON.stringify(after) === JSON.stringify(before)) continue;
      throw new Error(`acknowledged event ${before.sequence} (${before.event.type}) is ${JSON.stringify(after)} now`);
    }
    this.#total.acknowledged += acknowledged.length;
  }

  async #predict(): Promise<{ report: DiffReport; sequence: number } | null> {
    const folder = await new StoreWatch(this.#job.home, true).jobFolder();
    if (folder === null) return null;
    const result = await runCli(['diff', join(folder, 'job-events'), '--json']);
    if (result.code === 4) return null;
    const report = parseJson<DiffReport>(result);
    // A finish is recorded only when its partitions and parts are durable.
    if (report.summary.rerun > 0) throw new Error(`finished tasks lost their results: ${JSON.stringify(report.rerun)}`);
    if (report.damage) throw new Error(`the store is damaged: ${JSON.stringify(report.damage)}`);
    return report.at.sequence === null ? null : { report, sequence: report.at.sequence };
  }

  async #compare(prediction: { report: DiffReport; sequence: number }): Promise<void> {
    const folder = await new StoreWatch(this.#job.home, true).jobFolder();
    const comparison = compareWithRecovery(prediction, folder === null ? [] : await recordsOf(folder));
    if (comparison.kind === 'open') return;
    this.#total.predictions += 1;
    this.#total.kept += comparison.kept;
    this.#total.rerun += comparison.rerun;
  }

  async #checkAnswer(): Promise<void> {
    const { length: runs } = await new StoreWatch(this.#job.home, true).jobFolders();
    for (const sink of this.#job.shape.sinks) await checkSink(this.#job, sink, runs);
  }
}

/** The records that a mark proves to be synced, and the look for a later epoch behind them to be done. */
async function acknowledgedRecords(home: string): Promise<LogRecord[]> {
  const folder = await new StoreWatch(home, true).jobFolder();
  if (folder === null) return [];
  const records = await recordsOf(folder);
  const last = records.at(-1)?.segment;
  if (last === undefined) return [];
  const content = await readFile(join(folder, 'job-events', last));
  const marks = marksIn(content, 0, content.readUInt32LE(headerBytes - 4));
  const synced = marks.reduce((highest, { syncedLength }) => Math.max(highest, syncedLength), 0);
  return records.filter(({ segment, offset, bytes }) => segment !== last || offset + bytes <= synced);
}
