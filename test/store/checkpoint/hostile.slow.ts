// Every checkpoint of real Flink, cut at every 7th byte and with every 7th byte flipped, and random mutations: what
// hostile.ts holds, in bounded time. In full by hand (100,000 mutations, every 7th byte); where JOBREC_SLOW_ROUNDS is set, a
// sample: 500 mutations a round, and places further apart, beginning where JOBREC_SLOW_SEED says.
import { describe, expect, test } from 'vitest';
import { flipped, mutated, randomOf } from '../flink/hostile.ts';
import { expectCut, readHostile, realCheckpoints } from './hostile.ts';

const seed = Number(process.env.JOBREC_SLOW_SEED ?? Date.now() % 1_000_000);
const sampledRounds = process.env.JOBREC_SLOW_ROUNDS;
const rounds = sampledRounds === undefined ? 100_000 : 500 * Number(sampledRounds);
const step = sampledRounds === undefined ? 7 : 7 * 31;
const first = sampledRounds === undefined ? 0 : (seed * 7) % step;
const readMsMax = 2000;
const checkpoints = realCheckpoints();

describe.each(checkpoints.map(({ name, bytes }) => [name, bytes] as const))('%s', (name, bytes) => {
  test('cut at every 7th byte', async () => {
    for (let at = first; at < bytes.length; at += step) {
      await expectCut(bytes, at).catch((error) => fail(`${name} at ${at}`, error));
    }
  });

  test('every 7th byte flipped', async () => {
    for (let at = first; at < bytes.length; at += step) {
      const mask = 1 << (at % 8);
      await readHostile(flipped(bytes, at, mask)).catch((error) => fail(`${name} at ${at} ^ ${mask}`, error));
    }
  });
});

test(`mutations (seed ${seed}, ${rounds} rounds)`, async () => {
  const random = randomOf(seed);
  for (let round = 0; round < rounds; round++) {
    const { name, bytes } = checkpoints[Math.floor(random() * checkpoints.length)] as (typeof checkpoints)[number];
    const [files] = mutated(new Map([['_metadata', bytes]]), random);
    const start = performance.now();
    await readHostile(files.get('_metadata') as Buffer).catch((error) =>
      fail(`seed ${seed}: ${name}, round ${round}`, error),
    );
    expect(performance.now() - start, `seed ${seed}: ${name}, round ${round}`).toBeLessThan(readMsMax);
  }
});

function fail(where: string, error: unknown): never {
  throw new Error(where, { cause: error });
}
