// Event-time windows end to end: several log files, two tasks a stage, rows out of order, one result a window and key.
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const jobFile = `
name: windows
mode: streaming
config: { execution.checkpointing.interval: 100 ms, parallelism.default: 2 }
sources:
  clicks: { log: { path: clicks, bounded: true } }
stages:
  perMinute: { inputs: { c: clicks }, sum: n, keyBy: [user], window: { tumbling: 1 min, time: at, outOfOrderness: 5 s } }
  visits: { inputs: { c: clicks }, process: "./f.ts#visits", keyBy: user }
sinks:
  out: { input: perMinute, path: out }
  seen: { input: visits, path: seen }
`;

const functions = `
export function* visits(row: { user: string }, { state }: any) {
  const count = state.value('count');
  count.set((count.get() ?? 0) + 1);
  state.list('all').add(count.get());
  state.map('by').set(row.user, count.get());
  yield { user: row.user, visit: count.get(), all: state.list('all').get().length, by: state.map('by').get(row.user) };
}
`;

it('gives each window its result once, whichever file and task its rows came from', async () => {
  const job = await StreamJob.create({ 'job.yaml': jobFile, 'f.ts': functions });
  onTestFinished(() => job.remove());
  const expected = new Map<string, number>();
  for (let file = 0; file < 3; file += 1) {
    const rows = Array.from({ length: 400 }, (_, index) => {
      // Up to 4 s out of order.
      const at = index * 1_000 + ((index * 7) % 5) * 1_000 - 4_000;
      const row = { user: `u${(index * 13 + file) % 5}`, n: 1 + (index % 3), at: new Date(at).toISOString() };
      const key = `${row.user}@${Math.floor(at / 60_000) * 60_000}`;
      expected.set(key, (expected.get(key) ?? 0) + row.n);
      return row;
    });
    await job.append(`clicks/${file}.jsonl`, rows);
  }
  const { code, stdout } = await job.run('--json');
  expect(code).toBe(0);
  expect(JSON.parse(stdout).sinks).toMatchObject([{ rows: expected.size }, { rows: 1200 }]);
  const results = (await job.written()).map(({ user, windowStart, n }) => [`${user}@${windowStart}`, n] as const);
  expect(results.length).toBe(expected.size);
  expect(new Map(results)).toEqual(expected);
  const visits = await job.written('seen');
  for (const user of ['u0', 'u1', 'u2', 'u3', 'u4']) {
    const own = visits.filter((row) => row.user === user);
    expect(own.map(({ visit }) => Number(visit)).sort((a, b) => a - b)).toEqual(own.map((_, index) => index + 1));
    expect(own.every(({ visit, all, by }) => visit === all && visit === by)).toBe(true);
  }
});

it('says how many rows it gives up: late ones, and those that could not be read', async () => {
  const late = `
name: late
mode: streaming
config: { execution.checkpointing.interval: 50 ms, pipeline.auto-watermark-interval: 10 ms }
sources:
  clicks: { log: clicks, onBadRow: skip }
stages:
  perMinute: { inputs: { c: clicks }, sum: n, keyBy: [user], window: { tumbling: 1 min, time: at } }
sinks:
  out: { input: perMinute, path: out }
`;
  const job = await StreamJob.create({ 'job.yaml': late, 'clicks/0.jsonl': 'no row\n' });
  onTestFinished(() => job.remove());
  await job.append('clicks/0.jsonl', [
    { user: 'u', n: 1, at: 1_000 },
    { user: 'u', n: 1, at: 61_000 },
  ]);
  const { result } = job.start('--json');
  await eventually('the first window', async () => ((await job.written()).length > 0 ? true : null));
  await job.append('clicks/0.jsonl', [{ user: 'u', n: 1, at: 2_000 }]);
  await job.nextCheckpoint();
  expect((await job.cli('stop', 'late', '--savepoint-path', 'saved')).code).toBe(0);
  const { stderr } = await result;
  expect(stderr).toContain('source clicks skipped rows that could not be read: 1 since the tasks began');
  expect(stderr).toContain('stage perMinute dropped rows that came too late for their window: 1 since the tasks began');
});
