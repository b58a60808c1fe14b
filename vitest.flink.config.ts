// The judge (`npm run test:flink`): failovers of real Flink clusters, one cluster at a time. docs/testing.md has the
// variables that choose versions, rounds and seeds.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.flink.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    reporters: ['verbose', './test/support/plain-reporter.ts'],
    fileParallelism: false,
    // A cluster, a job, up to two failovers, once more where it was void; each wait within has a limit of its own.
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
