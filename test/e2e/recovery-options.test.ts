// The settings of a recovery, each by its effect on a real job whose processes are killed.
import { afterEach, describe, expect, it } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { ReplayReport } from '../../src/services/replay-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { parseJson, runCli, runJson, startCli } from './cli.ts';
import {
  answerOf,
  createGatedJob,
  expectedAnswer,
  finishedTasks,
  type GatedJob,
  type GatedJobOptions,
  killAll,
  onlyJobFolder,
  openAll,
  openGate,
  removeJob,
  runsOf,
} from './gated-job.ts';

const jobs: GatedJob[] = [];

async function gatedJob(options: GatedJobOptions): Promise<GatedJob> {
  const job = await createGatedJob(options);
  jobs.push(job);
  return job;
}

afterEach(async () => {
  for (const job of jobs.splice(0)) await removeJob(job);
});

function runArgs(job: GatedJob, config: Readonly<Record<string, string>> = {}, workers = 1): string[] {
  const options = Object.entries(config).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
  return ['run', job.jobFile, '--home', job.home, '--workers', String(workers), '--slots', '2', '--json', ...options];
}

async function expectAnswer(job: GatedJob, report: RunReport): Promise<void> {
  expect(report.state).toBe('FINISHED');
  expect(await answerOf(job)).toEqual(expectedAnswer(job));
}

describe('snapshot.min-pause', () => {
  const minPause = 'execution.batch.job-recovery.snapshot.min-pause';

  it.each([
    { pause: '0 ms', kept: 3, rerun: 0 },
    { pause: '1 h', kept: 1, rerun: 2 },
  ])(
    'of $pause: of three finished tasks of a source at work $rerun are rolled back',
    async ({ pause, kept, rerun }) => {
      const job = await gatedJob({ stages: 2, files: 4 });
      const run = startCli(runArgs(job, { [minPause]: pause }));
      for (const [index, gate] of ['s1-0', 's1-1', 's1-2'].entries()) {
        await openGate(job, gate);
        await finishedTasks(job, index + 1);
      }
      const folder = await onlyJobFolder(job);
      await killAll(folder);
      await run.result;
      const diff = await runJson<DiffReport>(['diff', folder]);
      expect(diff.summary).toMatchObject({ finished: 3, kept, rerun });
      expect(diff.rerun.flatMap(({ reasons }) => reasons.map(({ code }) => code))).toEqual(
        Array.from({ length: rerun }, () => 'finish-not-durable'),
      );
      const replayed = await runJson<ReplayReport>(['replay', folder]);
      expect(replayed.droppedEvents.map(({ subtask }) => subtask)).toEqual(diff.rerun.map(({ subtask }) => subtask));
      expect(replayed.vertices[0]?.tasks.filter(({ state }) => state === 'FINISHED')).toHaveLength(kept);
      await openAll(job);
      const report = parseJson<RunReport>(await runCli(runArgs(job, { [minPause]: pause })));
      await expectAnswer(job, report);
      const reasons = rerun === 0 ? [] : [{ code: 'finish-not-durable', tasks: rerun }];
      const predicted = { kept, rerun };
      expect(report.recoveries).toMatchObject([{ kept, rerun, reasons, predicted, differences: [] }]);
      expect(Object.values(await runsOf(job)).reduce((sum, runs) => sum + runs, 0)).toBe(6 + rerun + 1);
    },
  );

  it('of 1 h costs nothing once a source is through, and nothing at a clean stop', async () => {
    const job = await gatedJob({ stages: 2, files: 3 });
    const run = startCli(runArgs(job, { [minPause]: '1 h' }));
    await openGate(job, 's1-0');
    await openGate(job, 's1-1');
    await finishedTasks(job, 2);
    process.kill(run.pid, 'SIGINT');
    expect((await run.result).code).toBe(130);
    const resumed = startCli(runArgs(job, { [minPause]: '1 h' }));
    await openGate(job, 's1-2');
    await openGate(job, 's2-0');
    await finishedTasks(job, 4);
    const folder = await onlyJobFolder(job);
    await killAll(folder);
    await resumed.result;
    await openAll(job);
    const report = parseJson<RunReport>(await runCli(runArgs(job, { [minPause]: '1 h' })));
    await expectAnswer(job, report);
    expect(report.recoveries).toMatchObject([
      { cause: 'suspended', kept: 2, rerun: 0 },
      { cause: 'all-processes-lost', kept: 4, rerun: 0 },
    ]);
  });
});
