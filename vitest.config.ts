// The tests of every contributor's minute: all of test/ but the slow loops (vitest.slow.config.ts).
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/build-dist.ts'],
    reporters: ['default', './test/support/plain-reporter.ts'],
    // One a core: on two cores the default is one alone, and takes twice the time.
    maxWorkers: '100%',
    // Real processes and folders on few cores: slower than pure functions, but bounded.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
