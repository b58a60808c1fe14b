// The long loops (seeded kills, cuts at every byte of large stores, property tests with many rounds): `npm run
// test:slow`. Each reads JOBREC_SLOW_SEED and JOBREC_SLOW_ROUNDS, so that CI runs a sample of them.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.slow.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    reporters: ['default', './test/support/plain-reporter.ts'],
    fileParallelism: false,
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
    passWithNoTests: true,
  },
});
