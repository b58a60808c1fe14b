// Every captured store, cut at every 7th byte and with every 7th byte flipped, and random mutations: what `expectSane`
// holds, in bounded time. In full by hand (100,000 mutations, every 7th byte); where JOBREC_SLOW_ROUNDS is set, a sample:
// 500 mutations a round, and places further apart, beginning where JOBREC_SLOW_SEED says.
import { describe, expect, test } from 'vitest';
import { captures, storeFiles } from './captures.ts';
import { expectCut, expectSane, flipped, mutated, randomOf, readStore, withFile } from './hostile.ts';

const seed = Number(process.env.JOBREC_SLOW_SEED ?? Date.now() % 1_000_000);
const sampledRounds = process.env.JOBREC_SLOW_ROUNDS;
const rounds = sampledRounds === undefined ? 100_000 : 500 * Number(sampledRounds);
const step = sampledRounds === undefined ? 7 : 7 * 151;
const first = sampledRounds === undefined ? 0 : (seed * 7) % step;
const readMsMax = 2000;

describe.each(captures())('%s', (_name, folder) => {
  const files = storeFiles(folder);

  test('cut at every 7th byte', async () => {
    const { records } = await readStore(files);
    for (const [file, bytes] of files) {
      const whole = records.filter(({ segment }) => segment === file).reduce((sum, record) => sum + record.bytes, 0);
      // What is torn already stays torn.
      for (let at = first; at <= whole; at += step)
        await expectCut(files, records, file, at).catch((error) => fail(`${file} at ${at}`, error));
      expect(whole).toBeLessThanOrEqual(bytes.length);
    }
  });

  test('every 7th byte flipped', async () => {
    for (const [file, bytes] of files) {
      for (let at = first; at < bytes.length; at += step) {
        const mask = 1 << (at % 8);
        await expectSane(withFile(files, file, flipped(bytes, at, mask)), file).catch((error) =>
          fail(`${file} at ${at} ^ ${mask}`, error),
        );
      }
    }
  });
});

test(`mutations (seed ${seed}, ${rounds} rounds)`, async () => {
  const random = randomOf(seed);
  const stores = captures().map(([name, folder]) => ({ name, files: storeFiles(folder) }));
  for (let round = 0; round < rounds; round++) {
    const { name, files } = stores[Math.floor(random() * stores.length)] as (typeof stores)[number];
    const start = performance.now();
    await expectSane(...mutated(files, random)).catch((error) => fail(`seed ${seed}: ${name}, round ${round}`, error));
    expect(performance.now() - start, `seed ${seed}: ${name}, round ${round}`).toBeLessThan(readMsMax);
  }
});

function fail(where: string, error: unknown): never {
  throw new Error(where, { cause: error });
}
