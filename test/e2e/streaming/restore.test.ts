// A new job that begins from a savepoint, by the built program: with another parallelism, a renamed stage, a stage that is
// gone, other keys; killed before its first checkpoint. Over both jobs the file sink holds every result once.
import { cp, readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { checkoutFolder } from '../../support/checkout.ts';
import { eventually, parseJson } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox'];
const files = 4;
const rowsAFile = 30;

interface Shape {
  readonly parallelism?: number;
  readonly stage?: string;
  readonly keyBy?: string;
  readonly config?: string;
}

function jobFile({ parallelism = 1, stage = 'counts', keyBy = 'word', config = '' }: Shape): string {
  return `
name: words
mode: streaming
config: { execution.checkpointing.interval: 200 ms, parallelism.default: ${parallelism}${config} }
sources:
  log: { log: data }
stages:
  ${stage}: { inputs: { l: log }, sum: count, keyBy: ${keyBy}, uid: Sum }
sinks:
  out: { input: ${stage}, path: out }
`;
}

const withoutCounts = `
name: words
mode: streaming
config: { execution.checkpointing.interval: 200 ms }
sources:
  log: { log: data }
sinks:
  out: { input: log, path: out }
`;

const batchJob = `
name: batch
sources:
  log: { path: "data/*.jsonl", format: json }
stages:
  all: { inputs: { l: log }, sql: "SELECT * FROM l" }
sinks:
  out: { input: all, path: batch-out, format: json }
`;

const flinkCheckpoint = join(checkoutFolder(), 'fixtures/checkpoints/2.3-unaligned');

interface Ended {
  readonly store: string;
  readonly recoveries: readonly { readonly durationMs: number }[];
  readonly vertices: readonly { readonly parallelism: number; readonly finished: number }[];
}

interface Replayed {
  readonly vertices: readonly { readonly state: string }[];
}

/** The same rows into every file; `round` tells them from those before. */
async function feed(job: StreamJob): Promise<void> {
  for (let file = 0; file < files; file += 1) {
    const rows = Array.from({ length: rowsAFile }, (_, row) => ({ word: words[row % words.length], count: 1 }));
    await job.append(`data/${file}.jsonl`, rows);
  }
}

/** Every running count of every word, once, for `rounds` feeds. */
function allCounts(rounds: number): string[] {
  const each = (rounds * files * rowsAFile) / words.length;
  return words.flatMap((word) => Array.from({ length: each }, (_, count) => `${word} ${count + 1}`)).sort();
}

async function counts(job: StreamJob): Promise<string[]> {
  return (await job.written()).map(({ word, count }) => `${word} ${count}`).sort();
}

async function reached(job: StreamJob, rounds: number): Promise<void> {
  const total = allCounts(rounds).length;
  await eventually(`${total} results`, async () => ((await counts(job)).length >= total ? true : null), 60_000);
}

/** A job that was canceled behind its savepoint, with rows in between. */
async function savedJob(): Promise<{ readonly job: StreamJob; readonly path: string; readonly jobId: string }> {
  const job = await StreamJob.create({ 'job.yaml': jobFile({}) });
  await feed(job);
  const { result } = job.start('--json');
  await reached(job, 1);
  const taken = parseJson<{ path: string; jobId: string }>(await job.cli('savepoint', 'words', 'saved', '--json'));
  await feed(job);
  await reached(job, 2);
  expect((await job.cli('cancel', 'words')).code).toBe(0);
  await result;
  // Its later checkpoints are gone with it: the savepoint is its last state.
  const { jobs } = parseJson<{ readonly jobs: readonly object[] }>(await job.cli('jobs', '--json'));
  expect(jobs).toMatchObject([{ state: 'CANCELED', lastCheckpoint: { kind: 'savepoint', location: taken.path } }]);
  return { job, ...taken };
}

describe('a job from a savepoint', () => {
  it('goes on with double parallelism and a renamed stage; each result is there once over both jobs', async () => {
    const { job, path, jobId } = await savedJob();
    onTestFinished(() => job.remove());
    await job.write('job.yaml', jobFile({ parallelism: 2, stage: 'totals' }));
    const second = job.start('--json', '--from-savepoint', path);
    // What was written behind the savepoint is taken back and comes again; then new rows.
    await eventually('the second job', async () => ((await partsOfOthers(job, jobId)) > 0 ? true : null), 60_000);
    await reached(job, 2);
    await feed(job);
    await reached(job, 3);
    expect(await counts(job)).toEqual(allCounts(3));
    const stopped = await job.cli('stop', 'words', '--savepoint-path', 'saved', '--json');
    expect([stopped.code, (await second.result).code]).toEqual([0, 0]);
    expect(await counts(job)).toEqual(allCounts(3));
    expect(await readdir(join(job.folder, 'saved'))).toHaveLength(2);
  });

  it('begins from the savepoint again where it is killed, and refuses another one until it has ended', async () => {
    const { job, path } = await savedJob();
    onTestFinished(() => job.remove());
    // No checkpoint of its own: what it goes on from can only be the savepoint.
    await job.write('job.yaml', jobFile({}).replace('interval: 200 ms', 'interval: 1 h'));
    const killed = job.start('--json', '--from-savepoint', path);
    const jobs = () =>
      job.cli('jobs', '--json').then((result) => parseJson<{ jobs: { state: string }[] }>(result).jobs);
    await eventually('RUNNING', async () => ((await jobs()).at(-1)?.state === 'RUNNING' ? true : null), 60_000);
    await job.killAll(killed);
    const other = await job.run('--from-savepoint', '/nowhere', '--json');
    expect([other.code, parseJson(other)]).toMatchObject([2, { error: { code: 'JOB_CHANGED' } }]);
    const resumed = job.start('--json');
    await eventually('RUNNING', async () => ((await jobs()).at(-1)?.state === 'RUNNING' ? true : null), 60_000);
    const stopped = await eventually('its end', async () => {
      const result = await job.cli('stop', 'words', '--savepoint-path', 'saved', '--json');
      return result.code === 0 ? result : null;
    });
    const { path: next, state } = parseJson<{ path: string; state: string }>(stopped);
    expect(state).toBe('FINISHED');
    const { store, recoveries, vertices } = parseJson<Ended>(await resumed.result);
    const [savepoint] = await job.events('checkpoint-restored');
    const checkpointId = savepoint?.checkpointId;
    expect(recoveries).toMatchObject([{ cause: 'all-processes-lost', kept: 0, rerun: 0, checkpointId }]);
    expect(recoveries[0]?.durationMs).toBeGreaterThan(0);
    // Read from the store it is the same: all tasks at their end, and the savepoint that they leave behind.
    const replayed = parseJson<Replayed>(await job.cli('replay', store, '--json'));
    expect(replayed).toMatchObject({ recoveries, lastCheckpoint: { kind: 'savepoint', location: next } });
    expect(replayed.vertices.map(({ state }) => state)).toEqual(vertices.map(() => 'FINISHED'));
    expect(vertices.every(({ parallelism, finished }) => finished === parallelism)).toBe(true);
    // Wherever it was stopped: what is missing comes from there, and nothing twice.
    await job.write('job.yaml', jobFile({}));
    await feed(job);
    const third = job.start('--json', '--from-savepoint', next);
    await reached(job, 3);
    expect(await counts(job)).toEqual(allCounts(3));
    expect((await job.cli('cancel', 'words')).code).toBe(0);
    await third.result;
  });

  describe('whose state does not fit', () => {
    let saved: Awaited<ReturnType<typeof savedJob>>;
    beforeAll(async () => {
      saved = await savedJob();
      return () => saved.job.remove();
    }, 90_000);

    it.each([
      [
        'other keys',
        jobFile({ keyBy: 'count' }),
        /counts \(uid Sum, operator [0-9a-f]{32}\).*keyBy \[word\].*keyBy \[count\]/,
      ],
      ['fewer key groups', jobFile({ config: ', pipeline.max-parallelism: 64' }), /uid Sum.* 128 key groups.* 64/],
      ['a stage that is gone', withoutCounts, /uid Sum, operator [0-9a-f]{32}\), which the job does not have/],
    ])('%s: names operator and uid', async (_, file, message) => {
      await saved.job.write('job.yaml', file);
      const refused = await saved.job.run('--from-savepoint', saved.path, '--json');
      expect([refused.code, parseJson(refused)]).toMatchObject([
        2,
        { error: { code: 'STATE_MISFIT', message: expect.stringMatching(message) } },
      ]);
    });

    it('a stage that is gone: begins with --allow-non-restored-state', async () => {
      const { job, path } = saved;
      await job.write('job.yaml', withoutCounts);
      const { result } = job.start('--json', '--from-savepoint', path, '--allow-non-restored-state');
      await eventually('the end', async () => {
        const stopped = await job.cli('stop', 'words', '--savepoint-path', 'saved', '--json');
        return stopped.code === 0 ? true : null;
      });
      expect((await result).code).toBe(0);
    });

    it.each([
      ['a missing folder', 'nowhere', 4, 'CHECKPOINT_NOT_FOUND'],
      ['a folder that is no checkpoint', 'data', 4, 'NOT_A_CHECKPOINT'],
      ['a checkpoint of Flink', flinkCheckpoint, 2, 'INVALID_ARGUMENT'],
    ])('%s is refused', async (_, path, exitCode, code) => {
      const { job } = saved;
      await job.write('job.yaml', jobFile({}));
      const refused = await job.run('--from-savepoint', path, '--json');
      expect([refused.code, parseJson(refused)]).toMatchObject([exitCode, { error: { code } }]);
    });

    it('a damaged one is refused, and what to do is said', async () => {
      const { job, path } = saved;
      const copy = join(job.folder, 'damaged');
      await cp(path, copy, { recursive: true });
      await truncate(join(copy, '_metadata'), 40);
      const refused = await job.run('--from-savepoint', copy, '--json');
      expect([refused.code, parseJson(refused)]).toMatchObject([
        4,
        { error: { code: 'CHECKPOINT_DAMAGED', hint: expect.stringContaining('earlier checkpoint') } },
      ]);
    });

    it('a batch job, and the flag to leave state behind alone, are refused', async () => {
      const { job, path } = saved;
      await job.write('batch.yaml', batchJob);
      const batch = await job.cli('run', 'batch.yaml', '--from-savepoint', path);
      expect([batch.code, batch.stderr]).toEqual([2, expect.stringContaining('is a batch job')]);
      const alone = await job.run('--allow-non-restored-state');
      expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('--from-savepoint')]);
    });

    it('--fresh is refused where it would delete the checkpoint that the new run begins from', async () => {
      const { job } = saved;
      await job.write('job.yaml', jobFile({ config: ', execution.checkpointing.dir: chk' }));
      const { result, pid } = job.start('--json', '--from-savepoint', saved.path);
      const chk = join(job.folder, 'chk');
      await eventually('a checkpoint', async () => {
        const names = await readdir(chk, { recursive: true }).catch(() => []);
        return names.some((name) => name.endsWith('_metadata')) ? true : null;
      });
      process.kill(pid, 'SIGINT');
      const { lastCheckpoint } = parseJson<{ lastCheckpoint: { location: string } }>(await result);
      const refused = await job.run('--fresh', '--from-savepoint', lastCheckpoint.location, '--json');
      expect([refused.code, parseJson(refused)]).toMatchObject([
        2,
        { error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('--fresh') } },
      ]);
      expect((await readdir(lastCheckpoint.location)).includes('_metadata')).toBe(true);
      expect((await job.cli('cancel', 'words')).code).toBe(0);
    });
  });
});

async function partsOfOthers(job: StreamJob, jobId: string): Promise<number> {
  const names = await readdir(join(job.folder, 'out'));
  return names.filter((name) => name.startsWith('part-') && !name.includes(jobId.slice(0, 8))).length;
}
