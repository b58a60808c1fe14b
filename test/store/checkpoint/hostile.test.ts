// A sample of hostile checkpoints on every run; hostile.slow.ts has them all.
import { expect, test } from 'vitest';
import { flipped, mutated, randomOf } from '../flink/hostile.ts';
import { expectCut, readHostile, realCheckpoints } from './hostile.ts';

const checkpoints = realCheckpoints();
const step = 499;
const seed = 1;
const mutations = 1000;

test('cut and flipped at every 499th byte', async () => {
  for (const [index, { name, bytes }] of checkpoints.entries()) {
    for (let at = index % step; at < bytes.length; at += step) {
      await expectCut(bytes, at).catch((error) => fail(`${name} cut at ${at}`, error));
      await readHostile(flipped(bytes, at, 1 << (at % 8))).catch((error) => fail(`${name} flipped at ${at}`, error));
    }
  }
});

test(`mutations (seed ${seed}, ${mutations} rounds)`, async () => {
  const random = randomOf(seed);
  let refused = 0;
  for (let round = 0; round < mutations; round++) {
    const { name, bytes } = checkpoints[Math.floor(random() * checkpoints.length)] as (typeof checkpoints)[number];
    const [files] = mutated(new Map([['_metadata', bytes]]), random);
    const answer = await readHostile(files.get('_metadata') as Buffer).catch((error) =>
      fail(`seed ${seed}: ${name}, round ${round}`, error),
    );
    if (typeof answer === 'number') refused += 1;
  }
  // Most changes hit something that matters; those inside inline state do not.
  expect(refused).toBeGreaterThan(mutations / 4);
  expect(refused).toBeLessThan(mutations);
});

function fail(where: string, error: unknown): never {
  throw new Error(where, { cause: error });
}
