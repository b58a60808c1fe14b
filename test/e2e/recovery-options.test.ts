// The settings of a recovery, each by its effect on a real job whose processes are killed.
import { truncate } from 'node:fs/promises';
import { describe, expect, it, vi } from 'vitest';
import type { DiffReport } from '../../src/services/diff-report.ts';
import type { ReplayReport } from '../../src/services/replay-report.ts';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, kill, parseJson, readProcesses, runCli, runJson, startCli } from './cli.ts';
import {
  answerOf,
  expectedAnswer,
  finishedTasks,
  type GatedJob,
  gatedJob,
  hasBegun,
  killAll,
  onlyJobFolder,
  openAll,
  openGate,
  placeOfEvent,
  runArgs,
  runsOf,
} from './gated-job.ts';

// Real processes, on machines that may be busy: a second each, when they are not.
vi.setConfig({ testTimeout: 120_000 });

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

describe('previous-worker.recovery.timeout', () => {
  it('bounds RECONCILING: a worker that hangs is not waited for, and what lies whole in its folder counts', async () => {
    const job = await gatedJob({ stages: 2 });
    const timeout = { 'execution.batch.job-recovery.previous-worker.recovery.timeout': '1 s' };
    const run = startCli(runArgs(job, timeout, { workers: 2 }));
    await openGate(job, 's1');
    await finishedTasks(job, 2);
    const folder = await onlyJobFolder(job);
    const processes = await readProcesses(folder);
    const { pid: hanging = 0, workerId: hangingId = '' } = processes?.taskManagers[0] ?? {};
    process.kill(hanging, 'SIGSTOP');
    kill(processes?.jobMaster.pid ?? 0);
    await openAll(job);
    const report = parseJson<RunReport>(await run.result);
    await expectAnswer(job, report);
    const [recovery] = report.recoveries;
    expect(recovery).toMatchObject({ cause: 'job-master-lost', kept: 2, rerun: 0, differences: [] });
    expect(recovery?.durationMs).toBeGreaterThanOrEqual(1_000);
    // Its successor works in the same folder: the one that hung was ended first.
    const { stdout } = await runCli(['inspect', report.store, '--events', '--type', 'worker-registered', '--json']);
    const registered = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { workerId: string; pid: number });
    const pids = registered.filter(({ workerId }) => workerId === hangingId).map(({ pid }) => pid);
    expect(pids[0]).toBe(hanging);
    expect(new Set(pids).size).toBeLessThanOrEqual(2);
  });
});

describe('job-recovery.enabled', () => {
  it('false: the death of a JobMaster runs every task again, and diff says so', async () => {
    const job = await gatedJob({ stages: 2 });
    const off = { 'execution.batch.job-recovery.enabled': 'false' };
    const run = startCli(runArgs(job, off));
    await openGate(job, 's1');
    await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
    const folder = await onlyJobFolder(job);
    const diff = await runJson<DiffReport>(['diff', folder]);
    expect(diff).toMatchObject({ verdict: 'restart-from-scratch', summary: { finished: 0, kept: 0 } });
    expect(diff.why).toContain('execution.batch.job-recovery.enabled: false');
    const { byType } = await runJson<{ byType: Record<string, number> }>(['inspect', folder]);
    expect(byType['execution-vertex-finished']).toBeUndefined();
    kill((await readProcesses(folder))?.jobMaster.pid ?? 0);
    await openAll(job);
    const report = parseJson<RunReport>(await run.result);
    await expectAnswer(job, report);
    expect(report.recoveries).toMatchObject([{ kept: 0, rerun: 0 }]);
    expect(await runsOf(job)).toMatchObject({ 's1-0': 2, 's1-1': 2 });
  });
});

describe('heartbeat.timeout', () => {
  it('takes a worker that stops answering for lost, and its tasks run elsewhere or again', async () => {
    const job = await gatedJob({ stages: 2 });
    const run = startCli(
      runArgs(job, { 'heartbeat.interval': '100 ms', 'heartbeat.timeout': '700 ms' }, { workers: 2 }),
    );
    await openGate(job, 's1');
    await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
    const folder = await onlyJobFolder(job);
    process.kill((await readProcesses(folder))?.taskManagers[0]?.pid ?? 0, 'SIGSTOP');
    const lost = async () => (await runCli(['inspect', folder, '--events', '--type', 'worker-lost', '--json'])).stdout;
    await eventually('the loss', async () => ((await lost()).includes('it has not answered') ? true : null));
    await openAll(job);
    const report = parseJson<RunReport>(await run.result);
    await expectAnswer(job, report);
    expect(await runsOf(job)).toMatchObject({ 's1-0': 1, 's1-1': 1 });
  });
});

describe('adaptive decisions', () => {
  const volume = 'execution.batch.adaptive.auto-parallelism.avg-data-volume-per-task';
  const parallelismOf = (report: RunReport) =>
    Object.fromEntries(report.vertices.map(({ vertexName, parallelism }) => [vertexName, parallelism]));

  it('are replayed and not made again: a recorded parallelism stays, whatever the options say now', async () => {
    const job = await gatedJob({ stages: 3, parallelism: null, rows: 400, padding: 500 });
    const run = startCli(runArgs(job, { [volume]: '1 gb' }));
    await openGate(job, 's1');
    await eventually('s2 is recorded', () => placeOfEvent(job, 'job-vertex-initialized', 's2').catch(() => null));
    await killAll(await onlyJobFolder(job));
    await run.result;
    await openAll(job);
    const result = await runCli(runArgs(job, { [volume]: '1 kb' }));
    expect(result.stderr).toContain(`with other options than before: ${volume}`);
    const report = parseJson<RunReport>(result);
    await expectAnswer(job, report);
    // Of s2 it was recorded; s3 is decided now.
    expect(parallelismOf(report)).toEqual({ s1: 2, s2: 1, s3: 4 });
    expect(await runsOf(job)).toMatchObject({ 's1-0': 1, 's1-1': 1 });
  });

  it('whose event was lost are made after the recovery, where Flink hangs', async () => {
    const job = await gatedJob({ stages: 2 });
    const run = startCli(runArgs(job));
    await openGate(job, 's1');
    const recorded = () => placeOfEvent(job, 'job-vertex-initialized', 's2').catch(() => null);
    // A task may begin before the batch with its vertex's initialization is written.
    const { segment, offset } = await eventually('s2 is recorded', recorded);
    await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
    const folder = await onlyJobFolder(job);
    await killAll(folder);
    await run.result;
    // As if the crash had come before that batch was written.
    await truncate(segment, offset);
    const diff = await runJson<DiffReport>(['diff', folder]);
    expect(diff).toMatchObject({ verdict: 'recoverable', summary: { finished: 2, rerun: 0, pending: 0 } });
    await openAll(job);
    const report = parseJson<RunReport>(await runCli(runArgs(job)));
    await expectAnswer(job, report);
    expect(report.recoveries).toMatchObject([{ kept: 2, rerun: 0, differences: [] }]);
    expect(await runsOf(job)).toMatchObject({ 's1-0': 1, 's1-1': 1 });
  });
});
