// A disk that is full, read-only or failing, under the store, the partitions or a sink: the job stops with a word that
// says so (exit 7), keeps what it had, and the same command goes on from there once the disk is mended.
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { eventually, parseJson, runCli, runJson, startCli } from '../e2e/cli.ts';
import { createSalesJob, outputRows, type SalesJob } from '../e2e/sales-job.ts';
import { endJob, finishedTasks } from './job-at-work.ts';
import { type Mount, mountReadOnly, mountSmall, PowerDisk, whyNoMounts } from './mounts.ts';

const noTmpfs = whyNoMounts('tmpfs');
const noExt4 = whyNoMounts('ext4');
const amongMany = 64 * 1024;

let job: SalesJob;
let mounts: Mount[] = [];

async function newJob(pauseMs: number): Promise<SalesJob> {
  job = await createSalesJob({ pauseMs });
  mkdirSync(job.home);
  mkdirSync(job.output);
  return job;
}

const args = () => ['run', job.jobFile, '--home', job.home, '--workers', '2', '--slots', '1', '--json'];

afterEach(async () => {
  await endJob(job);
  for (const mount of mounts) mount.unmount();
  mounts = [];
});

async function expectRecovers(jobId: string | null): Promise<void> {
  const report = await runJson<RunReport>(args());
  expect(report.state).toBe('FINISHED');
  if (jobId !== null) expect(report.jobId).toBe(jobId);
  expect(await outputRows(job)).toEqual(job.expected);
  expect((await runCli(['validate', report.store, '--json'])).code).toBe(0);
}

describe.skipIf(noTmpfs !== null)(`a full disk${noTmpfs === null ? '' : ` (skipped: ${noTmpfs})`}`, () => {
  it.each([
    { where: 'home', kilobytes: 4, what: 'not even the job can be written' },
    { where: 'home', kilobytes: 28, what: 'the store cannot be begun' },
    { where: 'home', kilobytes: 100, what: 'partitions do not fit' },
    { where: 'home', kilobytes: 300, what: 'later partitions do not fit' },
    { where: 'output', kilobytes: 8, what: 'the sink takes some parts' },
    { where: 'output', kilobytes: 4, what: 'the sink takes nothing' },
  ] as const)('$where of $kilobytes kB: $what', async ({ where, kilobytes }) => {
    await newJob(30);
    const small = mountSmall(job[where], kilobytes);
    mounts.push(small);
    const result = await runCli(args());
    expect(result.code, result.stdout + result.stderr).toBe(7);
    expect(result.stdout).toMatch(/no space left on device/i);
    const report = JSON.parse(result.stdout) as Partial<RunReport>;
    expect(report.state ?? 'none yet').not.toBe('FAILED');
    small.resize(amongMany);
    await expectRecovers(report.jobId ?? null);
  });
});

describe.skipIf(noTmpfs !== null)('a read-only home', () => {
  it('is refused with one line, and nothing is started', async () => {
    await newJob(0);
    mounts.push(mountReadOnly(job.home));
    const result = await runCli(args());
    expect(result.code).toBe(7);
    expect(JSON.parse(result.stdout).error).toMatchObject({ code: 'STORE_POISONED', data: { system: 'EROFS' } });
  });
});

describe.skipIf(noExt4 !== null)(
  `a disk that fails in the middle${noExt4 === null ? '' : ` (skipped: ${noExt4})`}`,
  () => {
    it.each(['home', 'output'] as const)(
      '%s turns read-only: suspended, and resumed after the repair',
      async (where) => {
        await newJob(150);
        const disk = PowerDisk.create(job[where], 'data=ordered');
        mounts.push(disk);
        await rm(join(job[where], 'lost+found'), { recursive: true });
        const client = startCli(args());
        await eventually('a finished task', async () => ((await finishedTasks(job)) >= 2 ? true : null));
        disk.turnReadOnly();
        const result = await client.result;
        expect(result.code, result.stdout + result.stderr).toBe(7);
        expect(result.stdout).toMatch(/read-only file system|input\/output error/i);
        const { jobId = null, state = 'SUSPENDED' } = parseJson<Partial<RunReport>>(result);
        expect(state).toBe('SUSPENDED');
        await endJob(job, false);
        disk.repair();
        await expectRecovers(jobId);
      },
    );
  },
);

describe('a path that is no folder', () => {
  it('under a sink is a word, not a bug', async () => {
    await newJob(0);
    const result = await runCli(['run', job.jobFile, '--home', join(job.jobFile, 'home'), '--json']);
    expect(result.code).not.toBe(1);
  });
});
