// Power failures under a whole job on a real ext4: processes, store, partitions, staged parts and sinks lie on a file
// system in an image; at a point of the log everything is frozen, what the device holds is kept, and the job goes on
// from that. Whatever was not synced is gone. The law: no acknowledged event is lost, the prediction from what is left
// comes true, and the answer is DuckDB's. JOBREC_SLOW_ROUNDS rounds (10) from JOBREC_SLOW_SEED on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { whyNoMounts } from './mounts.ts';
import { drawPowerPlan, powerLossRun } from './power-loss.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 10);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);
const reason = whyNoMounts('ext4');

describe.skipIf(reason !== null)(`power failure${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  it('at any point of a job loses nothing that was acknowledged', async () => {
    const total = { runs: 0, cuts: 0, acknowledged: 0, predictions: 0, kept: 0, rerun: 0 };
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      const root = mkdtempSync(join(tmpdir(), 'jobrec-power-'));
      try {
        const run = await powerLossRun(drawPowerPlan(seed), root);
        for (const [key, value] of Object.entries(run)) total[key as keyof typeof run] += value;
        total.runs += 1;
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    }
    process.stdout.write(
      `power failures: ${JSON.stringify(total)} (seeds ${firstSeed} to ${firstSeed + rounds - 1})\n`,
    );
  });
});
