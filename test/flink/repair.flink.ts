// validate --repair against real Flink: one byte of an older file of the store changes after the JobManager was killed.
// As it is, Flink deletes the store and runs everything again; repaired, it keeps exactly what was predicted for the kept
// beginning, and the job ends well. Spec: docs/flink.md "Repair".
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { ValidateReport } from '../../src/services/validate-report.ts';
import { jsonOf, runCli } from '../support/cli.ts';
import { FlinkCluster } from './cluster.ts';
import { compare } from './comparison.ts';
import { captureFiles, storeOf } from './evidence.ts';
import { Gates, untilAtRest } from './gates.ts';
import { type FlinkJars, flinkJars } from './jars.ts';
import { jobText, type Stage } from './job-shape.ts';
import { type MasterLog, readMasterLog } from './master-log.ts';
import { predict } from './prediction.ts';
import { judgeSettings } from './settings.ts';
import { until } from './waiting.ts';

const { versions } = judgeSettings(process.env, Date.now());

const common = { parallelism: 2, gateAtRecord: 0, chains: false } as const;
/** A chain, or a diamond, whose last stage reads both others. */
const stagesOf = (isDiamond: boolean): Stage[] => [
  { ...common, kind: 'source', name: 's0', inputs: [], source: { records: 400, splits: 4, batchSnapshot: true } },
  { ...common, kind: 'map', name: 'm0', inputs: [{ stage: 's0', exchange: 'hash' }], source: null },
  {
    ...common,
    kind: isDiamond ? 'union' : 'map',
    name: 'm1',
    inputs: (isDiamond ? ['m0', 's0'] : ['m0']).map((stage) => ({ stage, exchange: 'hash' as const })),
    source: null,
  },
];
/** The last stage waits with one task. */
const opened = ['s0.0', 's0.1', 'm0.0', 'm0.1', 'm1.0'];

describe.each(versions)('Flink %s', (version) => {
  test('recovers what a repair kept', async ({ skip }) => {
    const { repaired, predicted, before, after } = await failover(await jarsOr(version, skip), {
      repairs: true,
      isDiamond: true,
    });
    expect(repaired).toMatchObject({ ok: true, damage: null, repair: { applied: true } });
    // Three are kept; what else had finished depends on the version: 2.x runs what follows a finished task at once.
    expect(repaired?.repair?.givenUp.finishedTasks).toBe(before.finished.size - 3);
    expect(repaired?.repair?.outlook).toMatchObject({ verdict: 'recoverable', kept: 3, rerun: 0 });
    expect(predicted.kept.length).toBe(3);
    const observed = { ...after, finished: before.finished, finishedIsExact: false, ranAgain: after.deployed };
    expect(compare(predicted, { ...observed, hangs: false }).disagreements).toEqual([]);
    expect(after.restored.size).toBe(3);
    expect(after.jobResult).toBe('FINISHED');
  });

  test('runs again what needs a result that was released after the kept events', async ({ skip }) => {
    const { repaired, after } = await failover(await jarsOr(version, skip), { repairs: true, isDiamond: false });
    expect(repaired?.repair?.outlook).toMatchObject({ verdict: 'restart-from-scratch', kept: 0, rerun: 3 });
    expect(after.restored.size).toBe(3);
    expect([...after.restored].filter((task) => !after.deployed.has(task))).toEqual([]);
  });

  test('starts over without one', async ({ skip }) => {
    const options = { repairs: false, isDiamond: true };
    const { predicted, before, after } = await failover(await jarsOr(version, skip), options);
    expect(predicted.verdict).toBe('restart-from-scratch');
    expect([...before.finished].filter((task) => !after.deployed.has(task))).toEqual([]);
  });
});

async function jarsOr(version: string, skip: (why: string) => void): Promise<FlinkJars> {
  const answer = await flinkJars(version);
  if ('jars' in answer) return answer.jars;
  skip(answer.missing);
  throw new Error(answer.missing);
}

interface Failover {
  readonly repaired: ValidateReport | null;
  /** From the store that the new JobManager found. */
  readonly predicted: DiffReport;
  readonly before: MasterLog;
  readonly after: MasterLog;
}

interface Course {
  readonly repairs: boolean;
  readonly isDiamond: boolean;
}

async function failover(jars: FlinkJars, course: Course): Promise<Failover> {
  const evidence = await mkdtemp(join(tmpdir(), 'jobrec-repair-'));
  const options = { workers: 3, slotsPerWorker: 2, snapshotMinPause: '0 ms', flushInterval: '200 ms' };
  const cluster = await FlinkCluster.start(jars, options);
  try {
    return await damagedFailover(cluster, course, evidence);
  } finally {
    await cluster.close();
    await rm(evidence, { recursive: true, force: true });
  }
}

async function damagedFailover(
  cluster: FlinkCluster,
  { repairs, isDiamond }: Course,
  evidence: string,
): Promise<Failover> {
  const gates = new Gates(join(cluster.folder, 'gates'));
  const jobId = await untilKilled(cluster, gates, stagesOf(isDiamond));
  const before = await readMasterLog(cluster.jobManagerLog);
  const store = (await storeOf(cluster.highAvailabilityFolder, jobId)) ?? '';
  await damage(store);
  const repaired = repairs ? await repair(store) : null;
  const { haFolder } = await captureFiles(cluster, jobId, evidence);
  const predicted = await predict({ location: haFolder, asksBy: 'workers', living: [...cluster.workers], dead: [] });
  await cluster.startJobManager();
  await gates.open(['all']);
  const ended = async () => {
    const log = await readMasterLog(cluster.jobManagerLog);
    return log.jobResult === null ? null : log;
  };
  return {
    repaired,
    predicted,
    before,
    after: await until('the job ends', ended, { timeoutMs: 120_000, everyMs: 250 }),
  };
}

/** The job's id. */
async function untilKilled(cluster: FlinkCluster, gates: Gates, stages: readonly Stage[]): Promise<string> {
  await gates.create();
  const job = join(cluster.folder, 'job.txt');
  await writeFile(job, jobText(stages));
  const jobId = await cluster.submit('jobrec.judge.GatedJob', [job, gates.folder]);
  await gates.open(opened);
  await untilAtRest(cluster, gates, jobId);
  await cluster.kill({ jobManager: true, workers: [] });
  return jobId;
}

/** The type of the last event of the middle file becomes one that no Flink knows: the finish of a task of m0. */
async function damage(store: string): Promise<void> {
  expect((await readdir(store)).length).toBeGreaterThan(2);
  const file = join(store, 'events.1');
  const bytes = await readFile(file);
  let last = 0;
  for (let at = 0; at + 8 <= bytes.length; at += 8 + bytes.readInt32BE(at + 4)) last = at;
  expect(bytes.readInt32BE(last)).toBe(1);
  bytes.writeInt32BE(9, last);
  await writeFile(file, bytes);
}

async function repair(store: string): Promise<ValidateReport> {
  const result = await runCli(['validate', store, '--repair', '--yes', '--json']);
  expect(result.code).toBe(0);
  return jsonOf(result) as unknown as ValidateReport;
}
