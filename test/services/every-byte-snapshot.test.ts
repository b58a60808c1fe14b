// A sample of the bytes of stores with snapshots, compacted or not, cut and flipped; the full loop is every-byte-snapshot.slow.ts.
import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compactStore } from '../../src/services/compact.ts';
import { damageEveryByte } from './every-byte-snapshot.ts';
import { historyOf } from './graph-history.ts';
import { writeLongStore } from './long-store.ts';

test.each([false, true])('bytes cut and flipped, compacted: %s', { timeout: 60_000 }, async (isCompacted) => {
  const { root, folder } = await writeLongStore({ seed: 6 });
  const history = await historyOf(folder);
  if (isCompacted) await compactStore({ location: folder, dryRun: false });
  const counts = await damageEveryByte({ history, folder, stride: isCompacted ? 89 : 251, first: 7, repairEvery: 4 });
  expect(counts.tried).toBeGreaterThan(30);
  expect(counts.refused).toBeGreaterThan(5);
  expect(counts.repaired).toBeGreaterThan(7);
  if (!isCompacted) expect(counts.recovered).toBeGreaterThan(5);
  await rm(root, { recursive: true, force: true });
});
