// Jobs with `shuffle: service`, end to end: losing every worker costs no finished task, and the service itself may be
// killed, hang, or lose what it holds. The answer is DuckDB's in every case, and diff says beforehand what runs again.
import { access, readdir, rm, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { ReplayReport } from '../../src/services/replay-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { eventually, kill, type Processes, parseJson, pause, readProcesses, runCli, runJson, startCli } from './cli.ts';
import { partitionFiles } from './lose-partition.ts';
import { createSalesJob, outputRows, type SalesJob } from './sales-job.ts';

const jobs: SalesJob[] = [];

async function salesJob(pauseMs: number, shuffle?: 'service'): Promise<SalesJob> {
  const job = await createSalesJob({ pauseMs, ...(shuffle ? { shuffle } : {}) });
  jobs.push(job);
  return job;
}

afterEach(async () => {
  for (const job of jobs.splice(0)) {
    for (const name of await readdir(join(job.home, 'jobs')).catch(() => [])) {
      const processes = await readProcesses(join(job.home, 'jobs', name));
      if (processes) for (const pid of pidsOf(processes)) kill(pid);
    }
    await rm(job.folder, { recursive: true, force: true });
  }
});

const workerPids = (processes: Processes) => processes.taskManagers.map(({ pid }) => pid);

function pidsOf(processes: Processes): number[] {
  const service = processes.shuffleService ? [processes.shuffleService.pid] : [];
  const client = processes.client ? [processes.client.pid] : [];
  return [...client, processes.jobMaster.pid, ...service, ...workerPids(processes)];
}

const runArgs = (job: SalesJob, ...more: readonly string[]) => [
  ...['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1'],
  ...more,
  '--json',
];

async function finishedIn(store: string): Promise<number> {
  let count = 0;
  for await (const { event } of (await openJobLog(store)).records()) {
    if (event.type === 'execution-vertex-finished') count += 1;
  }
  return count;
}

/** Starts the job and waits until at least `finished` tasks have finished. */
async function underWay(job: SalesJob, finished: number, ...more: readonly string[]) {
  const run = startCli(runArgs(job, ...more));
  const folder = await eventually(`${finished} finished tasks`, async () => {
    const [name] = await readdir(join(job.home, 'jobs')).catch(() => []);
    if (name === undefined || !(await readProcesses(join(job.home, 'jobs', name)))) return null;
    const recorded = await finishedIn(join(job.home, 'jobs', name, 'job-events')).catch(() => 0);
    return recorded >= finished ? join(job.home, 'jobs', name) : null;
  });
  const processes = await readProcesses(folder);
  if (!processes) throw new Error('the job has ended too early');
  return { run, folder, processes };
}

async function expectFinished(job: SalesJob, report: RunReport): Promise<void> {
  expect(report.state, JSON.stringify(report.failure)).toBe('FINISHED');
  expect(await outputRows(job)).toEqual(job.expected);
  for (const gone of ['processes.json', 'workers', 'shuffle']) {
    await expect(access(join(report.store, '..', gone))).rejects.toThrow();
  }
  const validated = await runCli(['validate', report.store, '--json']);
  expect(validated.code, validated.stdout).toBe(0);
}

type Line = Readonly<Record<string, unknown>>;

async function eventsOf(store: string, ...types: readonly string[]): Promise<Line[]> {
  const { stdout } = await runCli(['inspect', store, '--events', '--type', types.join(','), '--json']);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Tasks that finished more than once, as `vertex#subtask`. */
async function ranAgain(store: string): Promise<string[]> {
  const finishes = await eventsOf(store, 'execution-vertex-finished');
  const names = finishes.map((line) => `${line.vertexName}#${line.subtask}`);
  return names.filter((name, index) => names.indexOf(name) !== index).sort();
}

const rerunNames = (diff: DiffReport) => diff.rerun.map((task) => `${task.vertexName}#${task.subtask}`).sort();

// On busy cores; alone the longest takes some four seconds.
describe('a job with a shuffle service', { timeout: 90_000 }, () => {
  it('says so in its plan, its processes and its record', async () => {
    const job = await salesJob(100, 'service');
    const plan = await runJson<{ shuffle: string }>(runArgs(job, '--dry-run').slice(0, -1));
    expect(plan.shuffle).toBe('service');
    const { run, folder, processes } = await underWay(job, 2);
    expect(processes.shuffleService?.pid).toBeGreaterThan(0);
    expect((await partitionFiles(folder, ['shuffle'])).length).toBeGreaterThanOrEqual(2);
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    const snapshots = await eventsOf(report.store, 'shuffle-master-snapshot');
    const increments = snapshots.filter((line) => line.incremental === true);
    expect(increments).toHaveLength(11);
    expect(increments[0]?.holders).toEqual([
      { workerId: 'shuffle-service', partitions: [expect.stringMatching(/^[0-9a-f]{32}#\d+@0$/)] },
    ]);
    expect(await eventsOf(report.store, 'worker-registered')).toContainEqual(
      expect.objectContaining({ workerId: 'shuffle-service', slots: 0 }),
    );
    const replayed = await runJson<ReplayReport>(['replay', report.store]);
    expect(replayed.shuffleMaster).toMatchObject({ incremental: true, bytes: expect.any(Number) });
    expect(await ranAgain(report.store)).toEqual([]);
  });

  it('is another job than the same without: a resume across the change is refused', async () => {
    const job = await salesJob(150, 'service');
    const { run } = await underWay(job, 1);
    process.kill(run.pid, 'SIGINT');
    await run.result;
    const { readFile, writeFile } = await import('node:fs/promises');
    await writeFile(job.jobFile, (await readFile(job.jobFile, 'utf8')).replace('shuffle: service\n', ''));
    const refused = await runCli(runArgs(job));
    expect(refused.code).toBe(2);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'JOB_CHANGED', data: { changed: ['plan'] } });
  });

  it('loses no finished task with all its workers and their disks', async () => {
    const job = await salesJob(150, 'service');
    const { run, folder, processes } = await underWay(job, 5);
    for (const pid of workerPids(processes)) kill(pid);
    await rm(join(folder, 'workers'), { recursive: true });
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect(await ranAgain(report.store)).toEqual([]);
    expect(await eventsOf(report.store, 'execution-vertex-reset')).toEqual([]);
    expect((await eventsOf(report.store, 'worker-lost')).length).toBeGreaterThanOrEqual(2);
  });

  it('where a job without loses them: the same kill makes finished tasks run again', async () => {
    const job = await salesJob(150);
    const { run, folder, processes } = await underWay(job, 5);
    for (const pid of workerPids(processes)) kill(pid);
    await rm(join(folder, 'workers'), { recursive: true });
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect((await ranAgain(report.store)).length).toBeGreaterThan(0);
  });

  it('goes on after SIGKILL of the service: the next one serves what the folder holds', async () => {
    const job = await salesJob(150, 'service');
    const { run, folder, processes } = await underWay(job, 3);
    kill(processes.shuffleService?.pid ?? 0);
    await eventually('another service', async () => {
      const pid = (await readProcesses(folder))?.shuffleService?.pid;
      return pid !== undefined && pid !== processes.shuffleService?.pid ? pid : null;
    });
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect(await ranAgain(report.store)).toEqual([]);
    const lost = await eventsOf(report.store, 'worker-lost');
    expect(lost).toMatchObject([{ workerId: 'shuffle-service' }]);
  });

  it('replaces a service that hangs without dying; the one that is continued then changes nothing', async () => {
    const job = await salesJob(250, 'service');
    const heartbeats = ['-D', 'heartbeat.interval=200 ms', '-D', 'heartbeat.timeout=2 s'];
    const { run, processes } = await underWay(job, 2, ...heartbeats);
    const hung = processes.shuffleService?.pid ?? 0;
    process.kill(hung, 'SIGSTOP');
    const result = await run.result;
    expect(() => process.kill(hung, 'SIGCONT')).toThrow();
    const report = parseJson<RunReport>(result);
    await expectFinished(job, report);
    expect(await ranAgain(report.store)).toEqual([]);
    expect(await eventsOf(report.store, 'worker-lost')).toMatchObject([
      { workerId: 'shuffle-service', reason: 'it has not answered for 2 s' },
    ]);
  });

  it('recovers from the death of JobMaster, service and workers together, with nothing lost', async () => {
    const job = await salesJob(150, 'service');
    const { run, folder, processes } = await underWay(job, 5);
    for (const pid of pidsOf(processes)) if (pid !== run.pid) kill(pid);
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect(report.recoveries).toMatchObject([{ epoch: 2, rerun: 0 }]);
    expect(report.recoveries[0]?.kept).toBeGreaterThanOrEqual(5);
    expect(await ranAgain(report.store)).toEqual([]);
    expect(dirname(report.store)).toBe(folder);
  });

  it('whose service lost partitions, deleted and cut short, runs again what diff says', async () => {
    const job = await salesJob(250, 'service');
    const { run, folder, processes } = await underWay(job, 6);
    for (const pid of pidsOf(processes)) kill(pid);
    await run.result;
    await pause(50);
    const store = join(folder, 'job-events');
    const before = await runJson<DiffReport>(['diff', store]);
    expect(before).toMatchObject({ basis: { survivors: 'folders' }, summary: { rerun: 0 } });
    expect(new Set(before.partitions.reserved.map(({ workerId }) => workerId))).toContain('shuffle-service');
    const gone = await runJson<DiffReport>(['diff', store, '--lost-worker', 'worker-1', '--lost-worker', 'worker-2']);
    expect(gone.summary.rerun).toBe(0);
    expect(gone.basis.assumptions.join()).toMatch(/partitions on shuffle-service count as there/);
    const [deleted = '', cut = ''] = await partitionFiles(folder, ['shuffle']);
    await rm(deleted);
    await truncate(cut, 100);
    const predicted = await runJson<DiffReport>(['diff', store]);
    expect(predicted.summary.rerun).toBeGreaterThan(0);
    const report = parseJson<RunReport>(await runCli(runArgs(job)));
    await expectFinished(job, report);
    const { kept, rerun } = predicted.summary;
    expect(report.recoveries).toMatchObject([{ epoch: 2, kept, rerun }]);
    expect(await ranAgain(report.store)).toEqual(rerunNames(predicted));
  });

  it('whose service loses a partition under way meets it and makes it again', async () => {
    const job = await salesJob(300, 'service');
    const { run, folder } = await underWay(job, 3);
    for (const file of await partitionFiles(folder, ['shuffle'])) await rm(file);
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect((await ranAgain(report.store)).length).toBeGreaterThan(0);
  });
});
