// What a streaming job does when a task fails, by the built program: the defaults with checkpoints and without, and each
// strategy. Which failures a strategy bears is decided by test/engine/job-master/restart-strategy.test.ts.
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const jobFile = (config: Readonly<Record<string, string>>) => `
name: words
mode: streaming
config: ${JSON.stringify(config)}
sources:
  words: { log: words }
stages:
  checked: { inputs: { w: words }, map: "./f.ts#checked" }
sinks:
  out: { input: checked, print: true }
`;

const functions = `
export function checked(row: { word: string }) {
  if (row.word === 'ERROR') throw new Error('asked to fail');
  return row;
}
`;

async function newJob(config: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<StreamJob> {
  const job = await StreamJob.create({ 'job.yaml': jobFile(config), 'f.ts': functions });
  onTestFinished(() => job.remove());
  await job.append(
    'words/0.jsonl',
    words.map((word) => ({ word })),
  );
  return job;
}

const checkpoints = { 'execution.checkpointing.interval': '100 ms' };
const fixedDelay = {
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': '2',
  'restart-strategy.fixed-delay.delay': '10 ms',
};
const failureRate = {
  'restart-strategy.type': 'failure-rate',
  'restart-strategy.failure-rate.max-failures-per-interval': '1',
  'restart-strategy.failure-rate.failure-rate-interval': '10 min',
  'restart-strategy.failure-rate.delay': '10 ms',
};
const exponentialDelay = {
  'restart-strategy.type': 'exponential-delay',
  'restart-strategy.exponential-delay.initial-backoff': '10 ms',
  'restart-strategy.exponential-delay.max-backoff': '40 ms',
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': '3',
};

describe('a streaming job whose task fails', () => {
  it.each([
    ['no checkpoints, no strategy', {}, 1],
    ['checkpoints and none', { ...checkpoints, 'restart-strategy.type': 'none' }, 1],
    ['fixed-delay, 2 attempts', { ...checkpoints, ...fixedDelay }, 3],
    ['fixed-delay, 2 attempts, without checkpoints', fixedDelay, 3],
    ['failure-rate, 1 an interval', { ...checkpoints, ...failureRate }, 2],
    ['exponential-delay, 3 attempts', { ...checkpoints, ...exponentialDelay }, 4],
  ])('%s: fails after so many failures', async (_, config, failures) => {
    const job = await newJob(config, 'a', 'ERROR');
    const { code, stdout } = await job.run('--json');
    expect([code, JSON.parse(stdout)]).toMatchObject([
      7,
      { state: 'FAILED', failure: { message: expect.stringContaining('asked to fail') } },
    ]);
    expect(await job.events('execution-failed')).toHaveLength(failures);
    // Every attempt reads from the beginning, or from a checkpoint that may be behind the first row.
    const printed = (await job.printed()).length;
    expect(printed).toBeGreaterThanOrEqual(1);
    expect(printed).toBeLessThanOrEqual(failures);
  });

  it('checkpoints, no strategy: restarts after a second, without end', async () => {
    const job = await newJob(checkpoints, 'a', 'ERROR');
    const { result } = job.start('--json');
    // One more than Flink's fixed-delay bears by default.
    await eventually('a fourth failure', async () =>
      (await job.events('execution-failed')).length >= 4 ? true : null,
    );
    expect((await job.cli('cancel', 'words')).code).toBe(0);
    const { code, stderr } = await result;
    expect(code).toBe(7);
    expect(stderr).toMatch(/asked to fail .*; all tasks restart in 1 s/);
    const events = await job.events('execution-failed', 'execution-deployed');
    const attempts = new Set(events.map(({ attempt }) => attempt));
    expect(attempts.size).toBeGreaterThanOrEqual(4);
  });

  it('at the last barrier of a job that ends: the cause is told at once', async () => {
    const endingJob = `
name: ends
mode: streaming
sources:
  words: { log: { path: words, bounded: true } }
stages:
  kept: { inputs: { w: words }, process: "./f.ts#kept", keyBy: [word] }
sinks:
  out: { input: kept, path: out }
`;
    // State that has no bytes: it fails where it is taken.
    const unwritable = `
export function* kept(row: { word: string }, { state }: any) {
  state.value('f').set(() => row);
  yield row;
}
`;
    const job = await StreamJob.create({ 'job.yaml': endingJob, 'f.ts': unwritable });
    onTestFinished(() => job.remove());
    await job.append('words/0.jsonl', [{ word: 'a' }]);
    const { code, stdout } = await job.run('--json');
    const { state, failure, durationMs } = JSON.parse(stdout);
    expect([code, state]).toEqual([7, 'FAILED']);
    expect(failure.message).not.toContain('took longer');
    // Not by the checkpoint's timeout, which is 10 minutes.
    expect(durationMs).toBeLessThan(60_000);
  });
});
