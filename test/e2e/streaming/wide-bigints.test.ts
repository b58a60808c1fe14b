// Integers beyond 64 bits through a streaming job: an exchange, keyed state in a savepoint, the text that sinks write.
import { expect, it, onTestFinished } from 'vitest';
import { eventually, parseJson } from '../cli.ts';
import { StreamJob } from './stream-job.ts';

const jobFile = `
name: wide
mode: streaming
config: { execution.checkpointing.interval: 100 ms }
sources:
  texts: { log: texts }
stages:
  wide: { inputs: { t: texts }, map: "./f.ts#wide", chain: false }
  same: { inputs: { w: { from: wide, exchange: rebalance } }, map: "./f.ts#same", parallelism: 2 }
  total: { inputs: { s: same }, sum: n, keyBy: [key, whose] }
sinks:
  out: { input: total, path: out }
  shown: { input: total, print: true }
`;

const functions = `
export const wide = ({ key, n }: { key: string; n: string }) => ({ key, whose: BigInt(n) < 0n ? -(2n ** 70n) : 2n ** 70n, n: BigInt(n) });
export const same = (row: object) => row;
`;

it('a bigint beyond 64 bits comes whole through a rebalance, a savepoint and the sinks', async () => {
  const job = await StreamJob.create({ 'job.yaml': jobFile, 'f.ts': functions });
  onTestFinished(() => job.remove());
  const results = async () => (await job.written()).map(({ n }) => n);
  await job.append('texts/0.jsonl', [
    { key: 'a', n: String(2n ** 64n + 5n) },
    { key: 'b', n: String(-(2n ** 65n)) },
  ]);
  const first = job.start('--json');
  await eventually('the first sums', async () => ((await results()).length === 2 ? true : null), 60_000);
  const stopped = await job.cli('stop', 'wide', '--savepoint-path', 'saved', '--json');
  expect((await first.result).code).toBe(0);
  await job.append('texts/0.jsonl', [
    { key: 'a', n: '1' },
    { key: 'b', n: '-1' },
  ]);
  const second = job.start('--json', '--from-savepoint', parseJson<{ readonly path: string }>(stopped).path);
  await eventually('the sums that go on', async () => ((await results()).length === 4 ? true : null), 60_000);
  await job.cli('cancel', 'wide');
  await second.result;
  const expected = [2n ** 64n + 5n, 2n ** 64n + 6n, -(2n ** 65n), -(2n ** 65n) - 1n].map(String).sort();
  expect((await results()).sort()).toEqual(expected);
  const whose = (await job.written()).map((row) => row.whose);
  expect(new Set(whose)).toEqual(new Set([String(2n ** 70n), String(-(2n ** 70n))]));
  const shown = (await job.printed('shown')).map(({ n }) => n);
  expect(shown.sort()).toEqual([2n ** 64n + 6n, -(2n ** 65n) - 1n].map(String).sort());
});
