// The chaos loop of streaming jobs: many seeded runs of each kind of kill. JOBREC_SLOW_ROUNDS runs a kind (20 by hand:
// over a hundred in all), from JOBREC_SLOW_SEED on; a failing seed is replayed with JOBREC_SLOW_SEED=<seed>
// JOBREC_SLOW_ROUNDS=1.
import { describe, expect, it } from 'vitest';
import { chaosRun, streamKillKinds } from './chaos-run.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 20);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);

describe('chaos loop of streaming jobs', () => {
  it.each(streamKillKinds)('SIGKILL of %s: the file sink holds each result exactly once', async (kind) => {
    const total = { runs: 0, kills: 0, restores: 0, fallbacks: 0, givenUp: 0, savepoints: 0 };
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const run = await chaosRun(kind, seed).catch((error: unknown) => {
        throw new Error(`kind ${kind}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
      });
      total.runs += 1;
      total.kills += run.kills;
      total.restores += run.restores;
      total.fallbacks += run.fallbacks;
      total.givenUp += run.givenUp;
      total.savepoints += run.savepoints;
    }
    const seeds = `seeds ${firstSeed} to ${firstSeed + rounds - 1}`;
    process.stdout.write(`streaming chaos, ${kind}: ${JSON.stringify(total)} (${seeds})\n`);
    expect(total.kills).toBeGreaterThan(0);
    if (kind === 'all-with-slow-checkpoints') expect(total.givenUp).toBeGreaterThan(0);
  });
});
