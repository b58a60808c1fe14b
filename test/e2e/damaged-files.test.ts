// Small files around a store that are damaged, or in the way: they cost what they say, and never the job.
import { mkdir, readdir, readFile, rename, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { JobsReport, RunReport } from '../../src/services/run-report.ts';
import { eventually, parseJson, runCli, startCli } from './cli.ts';
import {
  answerOf,
  expectedAnswer,
  type GatedJob,
  gatedJob,
  hasBegun,
  jobFolderWith,
  killAll,
  openAll,
  openGate,
  runArgs,
} from './gated-job.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A job whose processes are all dead, with the two tasks of its first stage finished. */
async function halfDoneJob(): Promise<{ readonly job: GatedJob; readonly folder: string }> {
  const job = await gatedJob({ stages: 2 });
  const run = startCli(runArgs(job));
  await openGate(job, 's1');
  await eventually('s2 waits', async () => ((await hasBegun(job, 's2-0')) ? true : null));
  // What is not in the store yet when everything dies has not finished.
  const folder = await jobFolderWith(job, 2);
  await killAll(folder);
  await run.result;
  return { job, folder };
}

it('a damaged claim of a worker, epoch and lock name nobody: the job is resumed with all that had finished', async () => {
  const { job, folder } = await halfDoneJob();
  const locks = (await readdir(join(job.home, 'locks'))).map((name) => join(job.home, 'locks', name));
  for (const generations of [join(folder, 'workers/worker-1/claims'), join(folder, 'epochs'), ...locks]) {
    const newest = (await readdir(generations)).sort().at(-1) ?? '';
    await truncate(join(generations, newest), 20);
  }
  await openAll(job);
  const report = parseJson<RunReport>(await runCli(runArgs(job)));
  expect(report.state).toBe('FINISHED');
  expect(report.recoveries[0]).toMatchObject({ kept: 2, rerun: 0 });
  expect(await answerOf(job)).toEqual(expectedAnswer(job));
});

it('a log that cannot be opened suspends the job, saying so, and the job goes on when it can', async () => {
  const { job, folder } = await halfDoneJob();
  const log = join(folder, 'logs/worker-1.log');
  await rename(log, `${log}.moved`);
  await mkdir(log);
  const refused = await runCli(runArgs(job));
  expect([refused.code, parseJson(refused)]).toMatchObject([
    7,
    {
      state: 'SUSPENDED',
      failure: { message: expect.stringContaining(`EISDIR: illegal operation on a directory, open '${log}'`) },
    },
  ]);
  await rmdir(log);
  await openAll(job);
  expect(parseJson<RunReport>(await runCli(runArgs(job)))).toMatchObject({ state: 'FINISHED' });
  expect(await answerOf(job)).toEqual(expectedAnswer(job));
});

it('a damaged plan.json hides no job, and stops no other one', async () => {
  const { job, folder } = await halfDoneJob();
  const before = parseJson<JobsReport>(await runCli(['jobs', '--home', job.home, '--json'])).jobs;
  await truncate(join(folder, 'plan.json'), 30);
  const [listed] = parseJson<JobsReport>(await runCli(['jobs', '--home', job.home, '--json'])).jobs;
  expect(listed).toEqual({ ...before[0], startedAt: expect.any(String) });
  const other = await gatedJob({ stages: 1, open: true });
  await writeFile(other.jobFile, (await readFile(other.jobFile, 'utf8')).replace('name: gated', 'name: other'));
  expect((await runCli(runArgs({ ...other, home: job.home }))).code).toBe(0);
});

async function listedIn(job: GatedJob): Promise<unknown> {
  const result = await runCli(['jobs', '--home', job.home, '--json']);
  return [result.code, parseJson<JobsReport>(result).jobs];
}

it('jobs says that a store is damaged', async () => {
  const job = await gatedJob({ stages: 2, open: true });
  const { store } = parseJson<RunReport>(await runCli(runArgs(job)));
  expect(await listedIn(job)).toMatchObject([0, [{ state: 'FINISHED', damage: null }]]);
  const finishes = await runCli(['inspect', store, '--events', '--type', 'execution-vertex-finished', '--json']);
  const last = finishes.stdout.trim().split('\n').at(-1) ?? '';
  const { segment, offset } = JSON.parse(last) as { segment: string; offset: number };
  const bytes = await readFile(join(store, segment));
  bytes.writeUInt8(bytes.readUInt8(offset + 30) ^ 1, offset + 30);
  await writeFile(join(store, segment), bytes);
  expect(await listedIn(job)).toMatchObject([3, [{ damage: { segment, offset, code: 'CHECKSUM_MISMATCH' } }]]);
  const table = await runCli(['jobs', '--home', job.home]);
  expect([table.code, table.stdout]).toEqual([3, expect.stringMatching(/SUSPENDED DAMAGED .*jobrec validate \//s)]);
});

it('to jobs a torn tail is no damage', async () => {
  const { job, folder } = await halfDoneJob();
  const store = join(folder, 'job-events');
  const segments = (await readdir(store)).filter((name) => name.endsWith('.seg'));
  const segment = segments.sort().at(-1) ?? '';
  await truncate(join(store, segment), (await stat(join(store, segment))).size - 3);
  const { findings } = parseJson<{ readonly findings: unknown }>(await runCli(['validate', store, '--json']));
  expect(findings).toMatchObject([{ code: 'TORN_TAIL' }]);
  expect(await listedIn(job)).toMatchObject([0, [{ state: 'SUSPENDED', damage: null }]]);
});

it('a home that is none is an error, not an empty list', async () => {
  const job = await gatedJob({ stages: 1 });
  const file = join(job.folder, 'file');
  await writeFile(file, '');
  const { code, stdout } = await runCli(['jobs', '--home', file, '--json']);
  expect([code, JSON.parse(stdout).error.code]).toEqual([4, 'STORE_UNREADABLE']);
});
