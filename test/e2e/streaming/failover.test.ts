// A streaming job through what happens to it: everything killed, the newest checkpoint damaged, suspended, canceled.
import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, parseJson } from '../cli.ts';
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

interface Prediction {
  readonly verdict: string;
  readonly why: string;
  readonly restore: { readonly checkpointId: number } | null;
}

/** What `diff` says of the job's store; `validate` must say the same. */
async function predicted(job: StreamJob): Promise<Prediction> {
  const store = join((await job.jobFolder()) ?? '', 'job-events');
  const prediction = parseJson<Prediction>(await job.cli('diff', store, '--json'));
  const { verdict, why } = parseJson<Prediction>(await job.cli('validate', store, '--json'));
  expect([verdict, why]).toEqual([prediction.verdict, prediction.why]);
  return prediction;
}

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
    expect(await predicted(job)).toMatchObject({
      verdict: 'recoverable',
      restore: { checkpointId: newest, skipped: [] },
    });
    await truncate(join(folder, `chk-${newest}`, '_metadata'), 30);
    const prediction = await predicted(job);
    expect(prediction).toMatchObject({
      verdict: 'recoverable-with-loss',
      restore: { skipped: [{ checkpointId: newest }] },
      partitions: { reserved: [], released: [], missing: [] },
    });

    const second = job.start('--json');
    const [restored] = await eventually('a restore', async () => {
      const events = await job.events('checkpoint-restored');
      return events.length > 0 ? events : null;
    });
    expect(restored).toMatchObject({ skipped: [{ checkpointId: newest, reason: expect.stringContaining('bytes') }] });
    expect(restored?.checkpointId).toBeLessThan(newest ?? 0);
    expect(restored?.checkpointId).toBe(prediction.restore?.checkpointId);
    await job.append('words/0.jsonl', rows('b'));
    await whenWritten(job, 'a1', 'b1', 'a2', 'b2');
    await job.cli('cancel', 'counts');
    const { stderr } = await second.result;
    expect(stderr).toContain(`checkpoint ${newest} cannot be used`);
  });

  it('is suspended, and says why, when no recorded checkpoint can be used', async () => {
    const job = await newJob();
    await job.append('words/0.jsonl', rows('a'));
    const first = job.start('--json');
    await whenWritten(job, 'a1');
    await job.killAll(first);
    const folder = await checkpointFolder(job);
    for (const id of await checkpointIds(folder)) await rm(join(folder, `chk-${id}`), { recursive: true });
    expect(await predicted(job)).toMatchObject({
      verdict: 'restart-from-scratch',
      why: expect.stringContaining('SUSPENDED until --fresh'),
      restore: null,
    });
    const { code, stdout, stderr } = await job.run('--json');
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'SUSPENDED',
      failure: {
        code: 'JOB_SUSPENDED',
        message: expect.stringContaining('no checkpoint can be restored'),
        // The same run again would end as this one has.
        hint: expect.stringMatching(/^start over with: jobrec run .* --fresh$/),
      },
    });
    expect(stderr).not.toContain('the checkpoint before it is used');
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

    const store = join((await job.jobFolder()) ?? '', 'job-events');
    const inspected = parseJson<object>(await job.cli('inspect', store, '--json'));
    expect(inspected).toMatchObject({ lastCheckpoint: report.lastCheckpoint });
    expect((await job.cli('inspect', store)).stdout).toContain(report.lastCheckpoint.location);
    expect((await job.cli('diff', store)).stdout).toMatch(/^restore {2}checkpoint \d+ /m);
    const listed = JSON.parse((await job.cli('jobs', '--json')).stdout);
    expect(listed.jobs).toMatchObject([{ state: 'SUSPENDED', lastCheckpoint: report.lastCheckpoint }]);
    const canceled = await job.cli('cancel', 'counts', '--json');
    expect(JSON.parse(canceled.stdout)).toMatchObject({ state: 'CANCELED' });
    expect(await readdir(join(job.folder, 'chk'))).toEqual([]);
    expect(counts(await job.written())).toEqual(['a1']);
  });

  it('that is refused leaves nothing behind, and with --fresh the last run as it is', async () => {
    const job = await newJob();
    await job.append('words/0.jsonl', rows('a'));
    const jobs = async () => parseJson<{ jobs: { state: string }[] }>(await job.cli('jobs', '--json')).jobs;
    await job.write('job.yaml', jobFile.replace('keyBy: word', 'keyBy: word, parallelism: 2'));
    const tooFew = await job.run('--workers', '1', '--slots', '1');
    expect([tooFew.code, tooFew.stderr]).toEqual([2, expect.stringContaining('it needs 2 slots')]);
    expect(await jobs()).toEqual([]);

    await job.write('job.yaml', jobFile);
    const first = job.start('--json');
    await whenWritten(job, 'a1');
    process.kill(first.pid, 'SIGINT');
    await first.result;
    await job.write('other/not-ours.txt', '');
    await job.write('job.yaml', jobFile.replace('path: out', 'path: other'));
    expect((await job.run('--fresh')).code).toBe(2);
    // A dry run says what the run would: one that resumes does not ask what lies there.
    expect((await job.run('--fresh', '--dry-run')).stderr).toMatch(/sink out: .*other holds not-ours\.txt/);
    expect((await job.run('--dry-run')).code).toBe(0);
    expect(await jobs()).toMatchObject([{ state: 'SUSPENDED' }]);
    await job.cli('cancel', 'counts');
  });
});
