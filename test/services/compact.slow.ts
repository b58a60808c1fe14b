// compact killed (SIGKILL of a real process) before every single disk operation, on stores of several random lives.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { bundleScript } from '../support/bundle-script.ts';
import { killAtOperations } from './compact-kills.ts';
import { writeLongStore } from './long-store.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 10);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);

test('by SIGKILL before any disk operation', { timeout: 3_600_000 }, async () => {
  const child = await bundleScript(path.join(import.meta.dirname, 'compact-child.ts'));
  try {
    for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
      const { root } = await writeLongStore({ seed, ends: seed % 2 === 0 });
      const operations = await killAtOperations(child.file, root, { first: 1, stride: 1 });
      const kinds = ['createFile', 'write', 'datasync', 'rename', 'syncFolder', 'remove'];
      expect(operations, `seed ${seed}`).toEqual(expect.arrayContaining(kinds));
      await rm(root, { recursive: true, force: true });
    }
  } finally {
    child.remove();
  }
});
