// Savepoints of a running job, by the built program: taken while it goes on, with its end, and drained; they outlive it.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, parseJson, runCli } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

interface SavepointJson {
  readonly jobId: string;
  readonly state: string;
  readonly path: string;
  readonly checkpointId: number;
  readonly bytes: number;
}

const windowed = `
name: visits
mode: streaming
config: { execution.checkpointing.interval: 200 ms, pipeline.auto-watermark-interval: 20 ms }
sources:
  log: { log: data }
stages:
  perUser: { inputs: { v: log }, sum: visits, keyBy: user, window: { tumbling: 1 min, time: at } }
sinks:
  out: { input: perUser, path: out }
`;

/** Rows of one minute and one behind it, which closes the window of the first: the second stays open. */
const visits = [
  { user: 'ann', visits: 1, at: 1_000 },
  { user: 'ann', visits: 1, at: 2_000 },
  { user: 'ann', visits: 1, at: 61_000 },
];

async function running(): Promise<{
  readonly job: StreamJob;
  readonly result: Promise<{ readonly code: number | null }>;
}> {
  const job = await StreamJob.create({ 'job.yaml': windowed });
  onTestFinished(() => job.remove());
  await job.append('data/0.jsonl', visits);
  const { result } = job.start('--json');
  await eventually('the first window', async () => ((await job.written()).length > 0 ? true : null), 60_000);
  return { job, result };
}

const first = { user: 'ann', visits: 2, at: 1_000, windowStart: 0, windowEnd: 60_000 };
const second = { user: 'ann', visits: 1, at: 61_000, windowStart: 60_000, windowEnd: 120_000 };

describe('savepoints', () => {
  it('is taken of a running job, outlives its cancellation, and is its last state', async () => {
    const { job, result } = await running();
    const taken = parseJson<SavepointJson>(await job.cli('savepoint', 'visits', 'mine', '--json'));
    expect(taken.path).toMatch(new RegExp(`/mine/savepoint-${taken.jobId.slice(0, 6)}-[0-9a-f]{12}$`));
    expect(taken.state).toBe('RUNNING');
    const canceled = await job.cli('cancel', 'visits', '--with-savepoint', 'mine', '--json');
    const report = parseJson<{ readonly state: string; readonly savepoint: SavepointJson }>(canceled);
    expect([canceled.code, report.state]).toEqual([0, 'CANCELED']);
    expect((await result).code).toBe(7);
    for (const { path, checkpointId } of [taken, report.savepoint]) {
      expect((await stat(join(path, '_metadata'))).size).toBeGreaterThan(0);
      const inspected = await runCli(['checkpoint', 'inspect', path, '--json']);
      expect(parseJson(inspected)).toMatchObject({ type: 'savepoint', checkpointId });
    }
    const { jobs } = parseJson<{ readonly jobs: readonly object[] }>(await job.cli('jobs', '--json'));
    expect(jobs).toMatchObject([
      { state: 'CANCELED', lastCheckpoint: { kind: 'savepoint', location: report.savepoint.path } },
    ]);
    expect((await job.cli('jobs')).stdout).toContain(`savepoint ${report.savepoint.checkpointId}`);
    // A second time there is nothing to be saved.
    const late = await job.cli('savepoint', 'visits', 'mine', '--json');
    expect([late.code, parseJson(late)]).toMatchObject([2, { error: { code: 'JOB_NOT_RUNNING' } }]);
    const again = await job.cli('cancel', 'visits', '--with-savepoint', 'mine', '--json');
    expect([again.code, parseJson(again)]).toMatchObject([2, { error: { code: 'JOB_NOT_RUNNING' } }]);
    expect((await job.cli('cancel', 'visits')).code).toBe(0);
  });

  it.each([
    ['stop', [], [first]],
    ['stop --drain', ['--drain'], [first, second]],
  ])('%s: finishes the job; only a drained one gives the results of open windows', async (_, flags, expected) => {
    const { job, result } = await running();
    const stopped = await job.cli('stop', 'visits', '--savepoint-path', 'mine', ...flags, '--json');
    expect([stopped.code, parseJson(stopped)]).toMatchObject([0, { state: 'FINISHED' }]);
    expect((await result).code).toBe(0);
    expect(await job.written()).toEqual(expected);
    expect(await readdir(join(job.folder, 'mine'))).toHaveLength(1);
  });

  it('says what is missing where no folder is named, and goes on where the savepoint cannot be written', async () => {
    const { job, result } = await running();
    const nowhere = await job.cli('savepoint', 'visits');
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('savepoint-dir')]);
    const onFile = await job.cli('stop', 'visits', '--savepoint-path', 'job.yaml', '--json');
    expect([onFile.code, parseJson(onFile)]).toMatchObject([
      7,
      { state: 'RUNNING', path: null, failure: { code: 'SAVEPOINT_FAILED' } },
    ]);
    // A file system in which nobody can make a folder.
    const inProc = await job.cli('savepoint', 'visits', '/proc/nope', '--json');
    expect([inProc.code, parseJson(inProc)]).toMatchObject([
      7,
      { state: 'RUNNING', failure: { message: expect.stringContaining('/proc') } },
    ]);
    const canceled = await job.cli('cancel', 'visits', '--with-savepoint', 'job.yaml', '--json');
    expect([canceled.code, parseJson(canceled)]).toMatchObject([
      7,
      {
        state: 'RUNNING',
        savepoint: null,
        failure: { code: 'SAVEPOINT_FAILED', message: expect.stringMatching(/; the job is not canceled$/) },
      },
    ]);
    expect((await job.events('execution-failed')).length).toBe(0);
    expect((await job.cli('cancel', 'visits')).code).toBe(0);
    await result;
  });
});
