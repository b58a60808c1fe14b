// Fencing: a JobMaster that was stopped, replaced and continued changes nothing, even with results of its workers still
// unread in its sockets; and of two clients only one works.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, parseJson, readProcesses, runCli, startCli } from './cli.ts';
import {
  answerOf,
  expectedAnswer,
  type GatedJob,
  gatedJob,
  hasBegun,
  onlyJobFolder,
  openAll,
  openGate,
  runArgs,
  runsOf,
} from './gated-job.ts';

// Real processes, on machines that may be busy: some seconds each, when they are not.
vi.setConfig({ testTimeout: 120_000 });

const heartbeat = { 'heartbeat.interval': '200 ms', 'heartbeat.timeout': '3 s' };

const hasEnded = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

it('a replaced JobMaster that wakes up with all results in its hands records nothing and commits nothing', async () => {
  const job = await gatedJob({ stages: 2 });
  const run = startCli(runArgs(job, heartbeat));
  await openGate(job, 's1');
  await eventually('s2 waits', async () =>
    (await hasBegun(job, 's2-1')) && (await hasBegun(job, 's2-0')) ? true : null,
  );
  const folder = await onlyJobFolder(job);
  const stopped = (await readProcesses(folder))?.jobMaster.pid ?? 0;
  process.kill(stopped, 'SIGSTOP');
  // The last tasks finish and tell the master that sleeps: it would have all that a commit needs.
  await openGate(job, 's2');
  await eventually('the last results', async () =>
    (await readdir(join(job.output, await stagingOf(job)))).length >= 2 ? true : null,
  );
  await rm(join(job.folder, 'gates', 's2'));
  await eventually('the next epoch', async () => ((await readProcesses(folder))?.epoch === 2 ? true : null));
  await eventually('s2 runs again', async () => (((await runsOf(job))['s2-0'] ?? 0) >= 2 ? true : null));
  process.kill(stopped, 'SIGCONT');
  await eventually('the end of the old master', async () => (hasEnded(stopped) ? true : null));
  const visible = (await readdir(job.output)).filter((name) => !name.startsWith('.'));
  expect(visible).toEqual([]);
  expect((await readProcesses(folder))?.epoch).toBe(2);
  await openAll(job);
  const report = parseJson<RunReport>(await run.result);
  expect(report).toMatchObject({ state: 'FINISHED', recoveries: [{ epoch: 2, kept: 2, rerun: 0, differences: [] }] });
  expect(await answerOf(job)).toEqual(expectedAnswer(job));
  const finishes = await runCli(['inspect', report.store, '--events', '--type', 'execution-vertex-finished', '--json']);
  const epochs = finishes.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { epoch: number });
  expect(epochs.map(({ epoch }) => epoch).sort()).toEqual([1, 1, 2, 2]);
  expect((await runCli(['validate', report.store, '--json'])).code).toBe(0);
});

it('of two clients of one job one works, and the other says which process has it', async () => {
  const job = await gatedJob({ stages: 2 });
  const run = startCli(runArgs(job, heartbeat));
  await openGate(job, 's1');
  await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
  const refused = await runCli(runArgs(job, heartbeat));
  expect(refused.code).toBe(5);
  expect(JSON.parse(refused.stdout).error).toMatchObject({
    code: 'JOB_HELD',
    message: `job gated is being run by process ${run.pid}`,
    data: { name: 'gated', pid: run.pid },
  });
  await openAll(job);
  expect(parseJson<RunReport>(await run.result).state).toBe('FINISHED');
  expect(await answerOf(job)).toEqual(expectedAnswer(job));
});

/** The sink's staging folder of the epoch that leads. */
async function stagingOf(job: GatedJob): Promise<string> {
  return (await readdir(job.output)).find((name) => name.startsWith('.')) ?? '.';
}
