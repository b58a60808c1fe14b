// A streaming job through what happens to it: everything killed, the newest checkpoint damaged, suspended, canceled.
import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const jobFile = `
name: counts
mode: streaming
config: { execution.checkpointing.interval: 200 ms, execution.checkpointing.dir: chk }
sources:
  words: { log: words }
stages:
  counts: { inputs: { w: words }, sum: n, keyBy: word }
sinks:
  out: { input: counts, path: out }
`;

const rows = (...words: readonly string[]) => words.map((word) => ({ word, n: 1 }));
const counts = (written: readonly Record<string, unknown>[]) => written.map(({ word, n }) => `${word}${n}`).sort();

async function newJob(): Promise<StreamJob> {
  const job = await StreamJob.create({ 'job.yaml': jobFile });
  onTestFinished(() => job.remove());
  return job;
}

const whenWritten = (job: StreamJob, ...expected: readonly string[]) =>
  eventually(`the results ${expected.join(' ')}`, async () =>
    counts(await job.written()).join() === [...expected].sort().join() ? true : null,
  );

async function checkpointFolder(job: StreamJob): Promise<string> {
  const [jobId = ''] = await readdir(join(job.folder, 'chk'));
  return join(job.folder, 'chk', jobId);
}

const checkpointIds = async (folder: string) =>
  (await readdir(folder))
    .flatMap((name) => /^chk-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);

describe('a streaming job', () => {
  it('falls back from a damaged checkpoint to the one before, says so, and takes its parts back', async () => {
    const job = await newJob();
    await job.append('words/0.jsonl', rows('a', 'b'));
    const first = job.start('--json');
    await whenWritten(job, 'a1', 'b1');
    await job.append('words/0.jsonl', rows('a'));
    await whenWritten(job, 'a1', 'b1', 'a2');
    await job.killAll(first);
    const folder = await checkpointFolder(job);
    const newest = (await checkpointIds(folder)).at(-1);
    await truncate(join(folder, `chk-${newest}`, '_metadata'), 30);

    const second = job.start('--json');
    const [restored] = await eventually('a restore', async () => {
      const events = await job.events('checkpoint-restored');
      return events.length > 0 ? events : null;
    });
    expect(restored).toMatchObject({ skipped: [{ checkpointId: newest, reason: expect.stringContaining('bytes') }] });
    expect(restored?.checkpointId).toBeLessThan(newest ?? 0);
    await job.append('words/0.jsonl', rows('b'));
    await whenWritten(job, 'a1', 'b1', 'a2', 'b2');
    await job.cli('cancel', 'counts');
    const { stderr } = await second.result;
    expect(stderr).toContain(`checkpoint ${newest} is damaged`);
  });

  it('is suspended, and says why, when no recorded checkpoint can be used', async () => {
    const job = await newJob();
    await job.append('words/0.jsonl', rows('a'));
    const first = job.start('--json');
    await whenWritten(job, 'a1');
    await job.killAll(first);
    const folder = await checkpointFolder(job);
    for (const id of await checkpointIds(folder)) await rm(join(folder, `chk-${id}`), { recursive: true });
    const { code, stdout } = await job.run('--json');
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'SUSPENDED',
      failure: { code: 'JOB_SUSPENDED', message: expect.stringContaining('no checkpoint can be restored') },
    });
    expect(counts(await job.written())).toEqual(['a1']);
  });

  it('is suspended by Ctrl-C with its state, listed with its last checkpoint, and canceled without a trace', async () => {
    const job = await newJob();
    await job.append('words/0.jsonl', rows('a'));
    const first = job.start('--json');
    await whenWritten(job, 'a1');
    process.kill(first.pid, 'SIGINT');
    const { code, stdout } = await first.result;
    expect(code).toBe(130);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ state: 'SUSPENDED', sinks: [{ name: 'out', rows: 1 }] });
    expect(report.lastCheckpoint).toMatchObject({ kind: 'checkpoint', checkpointId: expect.any(Number) });
    await stat(join(report.lastCheckpoint.location, '_metadata'));

    const listed = JSON.parse((await job.cli('jobs', '--json')).stdout);
    expect(listed.jobs).toMatchObject([{ state: 'SUSPENDED', lastCheckpoint: report.lastCheckpoint }]);
    const canceled = await job.cli('cancel', 'counts', '--json');
    expect(JSON.parse(canceled.stdout)).toMatchObject({ state: 'CANCELED' });
    expect(await readdir(join(job.folder, 'chk'))).toEqual([]);
    expect(counts(await job.written())).toEqual(['a1']);
  });
});
