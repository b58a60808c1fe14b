// The kill loop: many seeded runs of each kind. JOBREC_SLOW_ROUNDS runs a kind (50 by hand), from JOBREC_SLOW_SEED on;
// a failing seed is replayed with JOBREC_SLOW_SEED=<seed> JOBREC_SLOW_ROUNDS=1.
import { describe, expect, it } from 'vitest';
import { killKinds, killRun } from './kill-run.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 50);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);

describe('kill loop', () => {
  it.each(killKinds)('SIGKILL of %s at random moments: the answer is right in every run', async (kind) => {
    const total = { runs: 0, kills: 0, recoveries: 0, predictions: 0 };
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const run = await killRun(kind, seed).catch((error: unknown) => {
        throw new Error(`kind ${kind}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
      });
      total.runs += 1;
      total.kills += run.kills;
      total.recoveries += run.recoveries;
      total.predictions += run.predictions;
    }
    process.stdout.write(
      `kill loop, ${kind}: ${JSON.stringify(total)} (seeds ${firstSeed} to ${firstSeed + rounds - 1})\n`,
    );
    expect(total.kills).toBeGreaterThan(0);
  });
});
