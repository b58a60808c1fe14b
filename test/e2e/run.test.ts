// `jobrec run` end to end, with real processes: the answer is DuckDB's, nothing but store, logs and outputs is left,
// and processes may be killed at any time.
import { access, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { JobsReport, RunReport } from '../../src/services/run-report.ts';
import { eventually, kill, parseJson, pause, readProcesses, runCli, runJson, startCli } from './cli.ts';
import { losePartition } from './lose-partition.ts';
import { createSalesJob, outputRows, type SalesJob } from './sales-job.ts';

const jobs: SalesJob[] = [];

async function salesJob(options: Parameters<typeof createSalesJob>[0] = {}): Promise<SalesJob> {
  const job = await createSalesJob(options);
  jobs.push(job);
  return job;
}

afterEach(async () => {
  for (const job of jobs.splice(0)) {
    for (const folder of await jobFolders(job)) {
      const processes = await readProcesses(folder);
      if (processes) for (const pid of allPids(processes)) kill(pid);
    }
    await rm(job.folder, { recursive: true, force: true });
  }
});

async function jobFolders(job: SalesJob): Promise<string[]> {
  const names = await readdir(join(job.home, 'jobs')).catch(() => []);
  return names.map((name) => join(job.home, 'jobs', name));
}

function allPids(processes: NonNullable<Awaited<ReturnType<typeof readProcesses>>>): number[] {
  const workers = processes.taskManagers.map(({ pid }) => pid);
  return [processes.client?.pid, processes.jobMaster.pid, ...workers].filter((pid): pid is number => pid !== undefined);
}

/** The job's folder once its workers run and at least `finished` tasks have finished. */
async function underWay(job: SalesJob, finished: number): Promise<string> {
  return eventually(`${finished} finished tasks`, async () => {
    const [folder] = await jobFolders(job);
    if (!folder || !(await readProcesses(folder))) return null;
    const { jobs: listed } = await runJson<JobsReport>(['jobs', '--home', job.home]);
    return (listed[0]?.finished ?? 0) >= finished ? folder : null;
  });
}

const runArgs = (job: SalesJob) => ['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1'];

async function expectFinished(job: SalesJob, report: RunReport): Promise<void> {
  expect(report.state).toBe('FINISHED');
  expect(await outputRows(job)).toEqual(job.expected);
  expect(report.sinks).toEqual([{ name: 'out', path: job.output, rows: job.expected.length }]);
  expect((await readdir(job.output)).filter((name) => name.startsWith('.jobrec'))).toEqual([]);
  expect(await readdir(job.output)).toContain('_SUCCESS');
  for (const gone of ['processes.json', 'workers', 'functions', 'master.json']) {
    await expect(access(join(report.store, '..', gone))).rejects.toThrow();
  }
  const validated = await runCli(['validate', report.store, '--json']);
  expect(validated.code, validated.stdout).toBe(0);
}

describe('run', () => {
  it('gives the answer of DuckDB and leaves store, logs and outputs', async () => {
    const job = await salesJob({ pauseMs: 0 });
    const result = await runCli([...runArgs(job), '--json']);
    expect(result.code, result.stderr).toBe(0);
    const report = parseJson<RunReport>(result);
    await expectFinished(job, report);
    expect(report.recoveries).toEqual([]);
    expect(report.vertices.map(({ vertexName }) => vertexName)).toEqual([
      'shops',
      'known -> located -> slow',
      'products -> slow-again',
      'best',
    ]);
    expect(report.vertices.every(({ parallelism, finished }) => parallelism === finished)).toBe(true);
  });

  it('runs anew under a new id, and replaces its own output', async () => {
    const job = await salesJob({ pauseMs: 0 });
    const first = await runJson<RunReport>(runArgs(job));
    const second = await runJson<RunReport>(runArgs(job));
    expect(second.jobId).not.toBe(first.jobId);
    await expectFinished(job, second);
    const { jobs: listed } = await runJson<JobsReport>(['jobs', '--home', job.home]);
    expect(listed.map(({ state }) => state)).toEqual(['FINISHED', 'FINISHED']);
  });

  it('refuses a sink folder that holds something else', async () => {
    const job = await salesJob({ pauseMs: 0 });
    await runJson<RunReport>(runArgs(job));
    await writeFile(join(job.output, 'notes.txt'), 'mine');
    for (const more of [[], ['--dry-run']]) {
      const result = await runCli([...runArgs(job), ...more, '--json']);
      expect([result.code, JSON.parse(result.stdout)]).toMatchObject([2, { error: { code: 'SINK_OCCUPIED' } }]);
    }
    expect(await readFile(join(job.output, 'notes.txt'), 'utf8')).toBe('mine');
    expect(await outputRows(job)).toEqual(job.expected);
  });

  it('of two clients that start at once one works and the other says who does (exit 5)', async () => {
    const job = await salesJob({ pauseMs: 100 });
    const both = await Promise.all([1, 2].map(() => runCli([...runArgs(job), '--json'])));
    expect(both.map(({ code }) => code).sort()).toEqual([0, 5]);
    const refused = both.find(({ code }) => code === 5);
    expect(JSON.parse(refused?.stdout ?? '').error).toMatchObject({
      ...{ code: 'JOB_HELD', data: { name: 'sales' } },
      hint: expect.stringMatching(/wait for it; .* suspends the job, and this command then resumes it/),
    });
    expect(await outputRows(job)).toEqual(job.expected);
    expect(await jobFolders(job)).toHaveLength(1);
  });

  it('says who to blame, on one line, when a task fails for good (exit 7)', async () => {
    const job = await salesJob({ pauseMs: 0 });
    const text = await readFile(job.jobFile, 'utf8');
    await writeFile(
      job.jobFile,
      text.replace(
        'SELECT id, shop, amount, product FROM s',
        "SELECT id, shop, amount, CASE WHEN id = 78 THEN error('row 78 is bad') ELSE product END AS product FROM s",
      ),
    );
    const result = await runCli([...runArgs(job), '-D', 'restart-strategy.fixed-delay.delay=50 ms', '--json']);
    expect(result.code).toBe(7);
    const report = parseJson<RunReport>(result);
    expect(report.state).toBe('FAILED');
    expect(report.failure?.code).toBe('JOB_FAILED');
    expect(report.failure?.message).toMatch(/known -> located -> slow#\d: .*row 78 is bad/);
    const failures = await runCli(['inspect', report.store, '--events', '--type', 'execution-failed', '--json']);
    expect(failures.stdout.match(/row 78 is bad/g)).toHaveLength(4);
    expect(await readdir(job.output)).toEqual([]);
  });

  it('shows the plan with --dry-run and starts nothing', async () => {
    const job = await salesJob();
    const result = await runCli([...runArgs(job), '--dry-run', '--json']);
    expect(result.code, result.stderr).toBe(0);
    const report = JSON.parse(result.stdout);
    expect(report.vertices.map((vertex: { vertexName: string }) => vertex.vertexName)).toContain('best');
    expect(report.edges).toContainEqual(expect.objectContaining({ to: 'best', exchange: 'hash', by: ['region'] }));
    expect(await jobFolders(job)).toEqual([]);
  });
});

describe('recovery', () => {
  it('goes on after SIGKILL of the JobMaster, keeping what had finished', async () => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli([...runArgs(job), '--json']);
    const folder = await underWay(job, 4);
    kill((await readProcesses(folder))?.jobMaster.pid ?? 0);
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect(report.recoveries).toHaveLength(1);
    expect(report.recoveries[0]).toMatchObject({ epoch: 2, cause: 'job-master-lost', rerun: 0 });
    expect(report.recoveries[0]?.kept).toBeGreaterThanOrEqual(4);
    const states = await statusChanges(report.store);
    expect(states).toEqual(['CREATED', 'RUNNING', 'CREATED', 'RECONCILING', 'RUNNING', 'FINISHED']);
  });

  it('a JobMaster that was stopped, replaced and continued changes nothing', async () => {
    const job = await salesJob({ pauseMs: 400 });
    const run = startCli([...runArgs(job), '-D', 'heartbeat.timeout=1 s', '-D', 'heartbeat.interval=200 ms', '--json']);
    const folder = await underWay(job, 1);
    const stopped = (await readProcesses(folder))?.jobMaster.pid ?? 0;
    process.kill(stopped, 'SIGSTOP');
    await eventually('the next epoch', async () => ((await readProcesses(folder))?.epoch === 2 ? true : null));
    await pause(300);
    process.kill(stopped, 'SIGCONT');
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
    expect(report.recoveries).toMatchObject([{ epoch: 2, cause: 'job-master-lost' }]);
    // It had taken its successor's workers for silent ones, and killed them.
    const lost = await runCli(['inspect', report.store, '--events', '--type', 'worker-lost', '--json']);
    expect(lost.stdout).toBe('');
  });

  it('goes on after SIGKILL of each TaskManager', async () => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli([...runArgs(job), '--json']);
    const folder = await underWay(job, 2);
    for (const { pid } of (await readProcesses(folder))?.taskManagers ?? []) kill(pid);
    const report = parseJson<RunReport>(await run.result);
    await expectFinished(job, report);
  });

  it('goes on to the end without its client', async () => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli(runArgs(job));
    const folder = await underWay(job, 2);
    kill(run.pid);
    await run.result;
    await eventually('the end of the job', async () => ((await readProcesses(folder)) === null ? true : null));
    expect(await outputRows(job)).toEqual(job.expected);
  });

  it('attaches a later run to a live job, and refuses a second client (exit 5)', async () => {
    const job = await salesJob({ pauseMs: 500 });
    const first = startCli(runArgs(job));
    await underWay(job, 1);
    const refused = await runCli([...runArgs(job), '--json']);
    expect(refused.code, refused.stdout).toBe(5);
    expect(JSON.parse(refused.stdout).error.code).toBe('JOB_HELD');
    kill(first.pid);
    await first.result;
    const attached = parseJson<RunReport>(await runCli([...runArgs(job), '--json']));
    await expectFinished(job, attached);
    expect(attached.recoveries).toEqual([]);
  });

  it('resumes after all processes died, exactly as diff predicts, also with a lost partition', async () => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli(runArgs(job));
    const folder = await underWay(job, 5);
    const processes = await readProcesses(folder);
    if (!processes) throw new Error('the job has ended too early');
    for (const pid of allPids(processes)) kill(pid);
    await run.result;
    await pause(50);
    expect(await losePartition(folder, () => 0)).toBe(true);
    const diff = await runJson<DiffReport>(['diff', join(folder, 'job-events')]);
    expect(diff.basis.survivors).toBe('folders');
    expect(diff.summary.rerun).toBeGreaterThan(0);
    const report = parseJson<RunReport>(await runCli([...runArgs(job), '--json']));
    await expectFinished(job, report);
    expect(report.recoveries).toHaveLength(1);
    expect(report.recoveries[0]).toMatchObject({
      cause: 'all-processes-lost',
      kept: diff.summary.kept,
      rerun: diff.summary.rerun,
    });
  });

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
    { signal: 'SIGHUP', code: 129 },
  ] as const)('$signal suspends cleanly and says how to resume', async ({ signal, code }) => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli([...runArgs(job), '--json']);
    const folder = await underWay(job, 2);
    process.kill(run.pid, signal);
    const result = await run.result;
    expect(result.code).toBe(code);
    const suspended = parseJson<RunReport>(result);
    expect(suspended.state).toBe('SUSPENDED');
    expect(suspended.failure?.hint).toContain(`jobrec run ${job.jobFile}`);
    expect(await readProcesses(folder)).toBeNull();
    const report = parseJson<RunReport>(await runCli([...runArgs(job), '--json']));
    await expectFinished(job, report);
    expect(report.jobId).toBe(suspended.jobId);
    expect(report.recoveries[0]).toMatchObject({ cause: 'suspended', rerun: 0 });
  });

  it('notices changed plans, functions and inputs; --fresh starts over', async () => {
    const job = await salesJob({ pauseMs: 150 });
    const run = startCli(runArgs(job));
    await underWay(job, 1);
    process.kill(run.pid, 'SIGINT');
    await run.result;
    const changes = [
      { part: 'plan', file: 'job.yaml', change: (text: string) => text.replace('<= 20', '<= 19') },
      {
        part: 'functions',
        file: 'slow.ts',
        change: (text: string) => text.replace('await pause();', 'await pause(); await pause();'),
      },
    ];
    for (const { part, file, change } of changes) {
      const path = join(job.folder, file);
      const before = await readFile(path, 'utf8');
      await writeFile(path, change(before));
      const refused = await runCli([...runArgs(job), '--json']);
      expect(refused.code).toBe(2);
      expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'JOB_CHANGED', data: { changed: [part] } });
      await writeFile(path, before);
    }
    const input = join(job.folder, 'data', 'sales-0.parquet');
    const { mtime } = await stat(input);
    await utimes(input, mtime, new Date(mtime.getTime() + 60_000));
    const refused = await runCli([...runArgs(job), '--json']);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ code: 'JOB_CHANGED', data: { changed: ['inputs'] } });
    const report = parseJson<RunReport>(await runCli([...runArgs(job), '--fresh', '--json']));
    await expectFinished(job, report);
    const { jobs: listed } = await runJson<JobsReport>(['jobs', '--home', job.home]);
    expect(listed.map(({ state }) => state)).toEqual(['CANCELED', 'FINISHED']);
  });

  it('cancels a live job and a suspended one', async () => {
    const live = await salesJob({ pauseMs: 300 });
    const run = startCli([...runArgs(live), '--json']);
    await underWay(live, 1);
    expect(await runJson(['cancel', 'sales', '--home', live.home])).toMatchObject({ state: 'CANCELED' });
    const result = await run.result;
    expect(result.code).toBe(7);
    expect(parseJson<RunReport>(result)).toMatchObject({ state: 'CANCELED', failure: { code: 'JOB_CANCELED' } });
    expect((await readdir(live.output)).length).toBe(0);

    const suspended = await salesJob({ pauseMs: 300 });
    const second = startCli(runArgs(suspended));
    const folder = await underWay(suspended, 1);
    process.kill(second.pid, 'SIGTERM');
    await second.result;
    expect(await runJson(['cancel', 'sales', '--home', suspended.home])).toMatchObject({ state: 'CANCELED' });
    await expect(access(join(folder, 'workers'))).rejects.toThrow();
  });
});

async function statusChanges(store: string): Promise<string[]> {
  const result = await runCli(['inspect', store, '--events', '--type', 'job-status-changed', '--json']);
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).state);
}
