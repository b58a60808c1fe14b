// Every byte of stores with snapshots, compacted or not, cut and flipped: recovered to a state that the job had, or refused
// by name; each repaired. JOBREC_SLOW_ROUNDS stores from JOBREC_SLOW_SEED on; without it, one whole.
import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compactStore } from '../../src/services/compact.ts';
import { damageEveryByte } from './every-byte-snapshot.ts';
import { historyOf } from './graph-history.ts';
import { writeLongStore } from './long-store.ts';

const rounds = process.env.JOBREC_SLOW_ROUNDS;
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 6);

test.each([false, true])('every byte, compacted: %s', { timeout: 7_200_000 }, async (isCompacted) => {
  for (let seed = firstSeed; seed < firstSeed + Number(rounds ?? 1); seed++) {
    const { root, folder } = await writeLongStore({ seed });
    const history = await historyOf(folder);
    if (isCompacted) await compactStore({ location: folder, dryRun: false });
    const stride = rounds === undefined ? 1 : 31;
    const counts = await damageEveryByte({
      history,
      folder,
      stride,
      first: 0,
      repairEvery: rounds === undefined ? 1 : 4,
    });
    expect(counts.recovered + counts.refused, `seed ${seed}`).toBe(counts.tried);
    expect(counts.repaired, `seed ${seed}`).toBeGreaterThan(0);
    await rm(root, { recursive: true, force: true });
  }
});
