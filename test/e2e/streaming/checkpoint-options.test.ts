// What the checkpoint options do to a running job, by the built program: the pause between checkpoints, the timeout, how
// many failures are borne, where state lies, how many checkpoints are kept, and which of them outlive their job.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, parseJson, runCli } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

/** Counts words of a log; a row with `holdMs` keeps its task that long, and no barrier passes it. */
function jobFile(config: Readonly<Record<string, string>>): string {
  return `
name: counts
mode: streaming
config: ${JSON.stringify({ 'restart-strategy.type': 'none', 'execution.checkpointing.dir': 'chk', ...config })}
sources:
  words: { log: words }
stages:
  held: { inputs: { w: words }, map: "./f.ts#hold" }
  counts: { inputs: { h: held }, sum: n, keyBy: word }
sinks:
  out: { input: counts, path: out }
`;
}

const functions = `
export function hold(row: { word: string; n: number; holdMs?: number; fail?: boolean }) {
  if (row.fail) throw new Error('asked to fail');
  if (row.holdMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, row.holdMs);
  return { word: row.word, n: row.n };
}
`;

async function newJob(config: Readonly<Record<string, string>>): Promise<StreamJob> {
  const job = await StreamJob.create({ 'job.yaml': jobFile(config), 'f.ts': functions });
  onTestFinished(() => job.remove());
  return job;
}

const counted = async (job: StreamJob) => (await job.written()).map(({ word, n }) => `${word}${n}`).sort();

const whenCounted = (job: StreamJob, ...expected: readonly string[]) =>
  eventually(`the results ${expected.join(' ')}`, async () =>
    (await counted(job)).join() === [...expected].sort().join() ? true : null,
  );

/** Names in the folder of the job's checkpoints; none where it has no such folder. */
async function checkpointFiles(job: StreamJob): Promise<string[]> {
  const [jobId] = await readdir(join(job.folder, 'chk'));
  return jobId === undefined ? [] : (await readdir(join(job.folder, 'chk', jobId))).sort();
}

const checkpointsIn = async (job: StreamJob) => (await checkpointFiles(job)).filter((name) => /^chk-\d+$/.test(name));

interface CompletedEvent {
  readonly time: string;
  readonly durationMs: number;
}

describe('checkpoint options', () => {
  it('min-pause: the next checkpoint begins no earlier than that behind the end of the last', async () => {
    const job = await newJob({
      'execution.checkpointing.interval': '10 ms',
      'execution.checkpointing.min-pause': '400 ms',
      'execution.checkpointing.max-concurrent-checkpoints': '3',
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    const { result } = job.start('--json');
    await eventually('four checkpoints', async () => ((await job.checkpoints()) >= 4 ? true : null));
    await job.cli('cancel', 'counts');
    await result;
    const events = (await job.events('checkpoint-completed')) as unknown as CompletedEvent[];
    const ends = events.map(({ time }) => Date.parse(time));
    const pauses = events.slice(1).map(({ durationMs }, index) => {
      const began = (ends[index + 1] ?? 0) - durationMs;
      return began - (ends[index] ?? 0);
    });
    // Times are rounded to milliseconds, twice.
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(398);
  });

  it('timeout: what takes longer is given up and leaves no folder; tolerated, the job goes on without a failure', async () => {
    const job = await newJob({
      'execution.checkpointing.interval': '100 ms',
      'execution.checkpointing.timeout': '200 ms',
      'execution.checkpointing.tolerable-failed-checkpoints': '1000',
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    const { result } = job.start('--json');
    await whenCounted(job, 'a1');
    await job.append('words/0.jsonl', [{ word: 'a', n: 1, holdMs: 1500 }]);
    const aborted = await eventually('a checkpoint that is given up', async () => {
      const [first] = await job.events('checkpoint-aborted');
      return first ?? null;
    });
    expect(aborted).toMatchObject({ reason: expect.stringMatching(/^it took longer than 0.2 s; \d of \d tasks/) });
    await whenCounted(job, 'a1', 'a2');
    expect(await checkpointsIn(job)).not.toContain(`chk-${String(aborted.checkpointId)}`);
    expect(await job.events('execution-failed')).toEqual([]);
    await job.cli('cancel', 'counts');
    const { stderr, stdout } = await result;
    expect(JSON.parse(stdout).sinks).toMatchObject([{ name: 'out', rows: 2 }]);
    expect(stderr).toContain(`checkpoint ${String(aborted.checkpointId)} was given up: it took longer than 0.2 s`);
  });

  it('tolerable-failed-checkpoints: one more fails the job, which restarts as its strategy says', async () => {
    const job = await newJob({
      'execution.checkpointing.interval': '100 ms',
      'execution.checkpointing.timeout': '100 ms',
      'execution.checkpointing.tolerable-failed-checkpoints': '1',
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1, holdMs: 3_000 }]);
    const { code, stdout } = await job.run('--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      7,
      { state: 'FAILED', failure: { message: expect.stringContaining('tolerable-failed-checkpoints is 1') } },
    ]);
    expect(await job.events('checkpoint-aborted')).toHaveLength(2);
  });

  it('num-retained: so many lie there, the newest; storage jobmanager: all state is in _metadata', async () => {
    const job = await newJob({
      'execution.checkpointing.interval': '50 ms',
      'execution.checkpointing.num-retained': '3',
      'execution.checkpointing.storage': 'jobmanager',
      'execution.checkpointing.data-inline-threshold': '0',
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    const client = job.start('--json');
    await whenCounted(job, 'a1');
    await eventually('six checkpoints', async () => ((await job.checkpoints()) >= 6 ? true : null));
    // Killed, nothing is removed: what lies there is what a recovery has to begin from.
    await job.killAll(client);
    const completed = (await job.events('checkpoint-completed')).map(({ checkpointId }) => `chk-${checkpointId}`);
    const whole = await wholeCheckpoints(job);
    // The one that was under way, or whose predecessor was not removed yet.
    expect(whole.length).toBeGreaterThanOrEqual(3);
    expect(whole.length).toBeLessThanOrEqual(5);
    expect(whole).toEqual(expect.arrayContaining(completed.slice(-3)));
    const [jobId = ''] = await readdir(join(job.folder, 'chk'));
    const newest = join(job.folder, 'chk', jobId, completed.at(-1) ?? '');
    expect(await readdir(newest)).toEqual(['_metadata']);
  });

  it.each([
    ['DELETE_ON_CANCELLATION', 'canceled', false],
    ['RETAIN_ON_CANCELLATION', 'canceled', true],
    ['NO_EXTERNALIZED_CHECKPOINTS', 'canceled', false],
    ['DELETE_ON_CANCELLATION', 'failed', true],
    ['NO_EXTERNALIZED_CHECKPOINTS', 'failed', false],
  ] as const)('%s, a job that is %s: checkpoints kept: %s', async (retention, end, kept) => {
    const job = await newJob({
      'execution.checkpointing.interval': '100 ms',
      'execution.checkpointing.externalized-checkpoint-retention': retention,
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    const { result } = job.start('--json');
    await whenCounted(job, 'a1');
    if (end === 'canceled') await job.cli('cancel', 'counts');
    else await job.append('words/0.jsonl', [{ word: 'a', n: 1, fail: true }]);
    const { state, failure } = parseJson<{ readonly state: string; readonly failure: { readonly hint?: string } }>(
      await result,
    );
    expect(state).toBe(end.toUpperCase());
    expect(failure.hint?.includes(' --from-savepoint ') ?? false).toBe(kept);
    expect((await checkpointsIn(job)).length > 0).toBe(kept);
    expect(await counted(job)).toEqual(['a1']);
  });

  it('a checkpoint that was retained is what another job can begin from', async () => {
    const job = await newJob({
      'execution.checkpointing.interval': '100 ms',
      'execution.checkpointing.externalized-checkpoint-retention': 'RETAIN_ON_CANCELLATION',
    });
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    const first = job.start('--json');
    await whenCounted(job, 'a1');
    await job.cli('cancel', 'counts');
    await first.result;
    const { jobs } = parseJson<{
      readonly jobs: readonly { readonly lastCheckpoint: { readonly location: string } }[];
    }>(await job.cli('jobs', '--json'));
    const path = jobs[0]?.lastCheckpoint.location ?? '';
    expect((await runCli(['checkpoint', 'validate', path])).code).toBe(0);
    // Named by its file as well.
    const second = job.start('--json', '--from-savepoint', join(path, '_metadata'));
    await job.append('words/0.jsonl', [{ word: 'a', n: 1 }]);
    await whenCounted(job, 'a1', 'a2');
    await job.cli('cancel', 'counts');
    const { recoveries } = parseJson<{ readonly recoveries: readonly object[] }>(await second.result);
    expect(recoveries).toEqual([]);
    // It is its owner's still: the second job neither deleted it nor wrote into it.
    expect((await stat(path)).isDirectory()).toBe(true);
  });
});

async function wholeCheckpoints(job: StreamJob): Promise<string[]> {
  const [jobId = ''] = await readdir(join(job.folder, 'chk'));
  const root = join(job.folder, 'chk', jobId);
  const names = await checkpointsIn(job);
  const files = await Promise.all(names.map((name) => readdir(join(root, name))));
  return names.filter((_, index) => files[index]?.includes('_metadata'));
}
