// Restart strategies end to end: a map function that throws, under each strategy; what is recorded, what the job's end
// says, and that a new JobMaster goes on with the count of the one before.
import { writeFile } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, kill, parseJson, readProcesses, runCli, startCli } from './cli.ts';
import { answerOf, expectedAnswer, gatedJob, jobFolderWith, runArgs, runsOf } from './gated-job.ts';

// Real processes, on machines that may be busy: a second or two each, when they are not.
vi.setConfig({ testTimeout: 120_000 });

const failingJob = (before: string) => gatedJob({ stages: 2, before, open: true });

async function failuresIn(report: RunReport): Promise<{ cause: string; attempt: number; counted: boolean }[]> {
  const { stdout } = await runCli(['inspect', report.store, '--events', '--type', 'execution-failed', '--json']);
  return stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Fails the first task of the second stage, each time with another message. */
const alwaysFails = "if (name === 's2-0') throw new Error('attempt ' + task.attempt + ' is bad');";
const failsTwice = "if (name === 's2-0' && task.attempt < 2) throw new Error('attempt ' + task.attempt + ' is bad');";

describe('a task that always fails ends the job with its first cause, and every attempt is kept', () => {
  it.each([
    { config: { 'restart-strategy.type': 'none' }, failures: 1, why: 'restart-strategy.type is none' },
    {
      config: { 'restart-strategy.fixed-delay.attempts': '2', 'restart-strategy.fixed-delay.delay': '20 ms' },
      failures: 3,
      why: 'restart-strategy fixed-delay allows 2 restarts',
    },
    {
      config: {
        'restart-strategy.type': 'failure-rate',
        'restart-strategy.failure-rate.max-failures-per-interval': '2',
        'restart-strategy.failure-rate.delay': '20 ms',
      },
      failures: 3,
      why: '3 failures within 60 s exceed restart-strategy failure-rate',
    },
    {
      config: {
        'restart-strategy.type': 'exponential-delay',
        'restart-strategy.exponential-delay.initial-backoff': '20 ms',
        'restart-strategy.exponential-delay.attempts-before-reset-backoff': '3',
      },
      failures: 4,
      why: 'restart-strategy exponential-delay allows 3 restarts',
    },
  ])('$why', async ({ config, failures, why }) => {
    const job = await failingJob(alwaysFails);
    const result = await runCli(runArgs(job, config));
    expect(result.code, result.stderr).toBe(7);
    const report = parseJson<RunReport>(result);
    expect(report).toMatchObject({ state: 'FAILED', failure: { code: 'JOB_FAILED' } });
    expect(report.failure?.message).toMatch(/^s2#0: .*attempt 0 is bad/);
    expect(report.failure?.message).toContain(why);
    const kept = await failuresIn(report);
    expect(kept.map(({ cause }) => /attempt \d is bad/.exec(cause)?.[0])).toEqual(
      Array.from({ length: failures }, (_, attempt) => `attempt ${attempt} is bad`),
    );
    expect(kept.every(({ counted }) => counted)).toBe(true);
    expect((await runsOf(job))['s2-0']).toBe(failures);
  });
});

describe('a task that fails for a while', () => {
  it.each(['fixed-delay', 'failure-rate', 'exponential-delay'])(
    'is restarted by %s, alone, and the job finishes',
    async (type) => {
      const job = await failingJob(failsTwice);
      const config = {
        'restart-strategy.type': type,
        'restart-strategy.fixed-delay.delay': '20 ms',
        'restart-strategy.failure-rate.max-failures-per-interval': '2',
        'restart-strategy.failure-rate.delay': '20 ms',
        'restart-strategy.exponential-delay.initial-backoff': '20 ms',
      };
      const result = await runCli(runArgs(job, config));
      expect(result.code, result.stdout + result.stderr).toBe(0);
      expect(await answerOf(job)).toEqual(expectedAnswer(job));
      expect(await runsOf(job)).toEqual({ 's1-0': 1, 's1-1': 1, 's2-0': 3, 's2-1': 1 });
    },
  );
});

it('a new JobMaster goes on with the count; its predecessor and a lost worker do not count', async () => {
  // Attempts wait for a file that the test writes; the failing task fails whenever it may run.
  const gate =
    "while (name === 's2-0' && !fs.existsSync(join(folder, 'fail-' + task.attempt))) await new Promise((r) => setTimeout(r, 5));";
  const job = await failingJob(`${gate} ${alwaysFails}`);
  const run = startCli(
    runArgs(job, { 'restart-strategy.fixed-delay.attempts': '1', 'restart-strategy.fixed-delay.delay': '0 ms' }),
  );
  const folder = await jobFolderWith(job, 3);
  const failed = async (count: number) =>
    eventually(`${count} failures`, async () => {
      const { stdout } = await runCli(['inspect', folder, '--events', '--type', 'execution-failed', '--json']);
      return stdout.split('is bad').length - 1 >= count ? true : null;
    });
  await writeFile(`${job.folder}/gates/fail-0`, '');
  await failed(1);
  const processes = await readProcesses(folder);
  kill(processes?.jobMaster.pid ?? 0);
  await eventually('the next epoch', async () => ((await readProcesses(folder))?.epoch === 2 ? true : null));
  await eventually('the second attempt', async () => (((await runsOf(job))['s2-0'] ?? 0) >= 3 ? true : null));
  kill((await readProcesses(folder))?.taskManagers[0]?.pid ?? 0);
  await eventually('the attempt after the worker', async () => (((await runsOf(job))['s2-0'] ?? 0) >= 4 ? true : null));
  for (const attempt of [1, 2, 3, 4]) await writeFile(`${job.folder}/gates/fail-${attempt}`, '');
  const report = parseJson<RunReport>(await run.result);
  expect(report.state).toBe('FAILED');
  expect(report.recoveries.length).toBeGreaterThanOrEqual(1);
  const counted = (await failuresIn(report)).filter((failure) => failure.counted);
  expect(counted).toHaveLength(2);
  expect(report.failure?.message).toMatch(/^s2#0: .*attempt 0 is bad/);
});
