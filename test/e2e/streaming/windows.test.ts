// Event-time windows end to end: several log files, two tasks a stage, rows out of order, one result a window and key.
import { expect, it, onTestFinished } from 'vitest';
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
