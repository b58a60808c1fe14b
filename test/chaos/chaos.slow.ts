// A sample of `npm run chaos` for CI: JOBREC_SLOW_ROUNDS runs of each kind (3 where unset), from JOBREC_SLOW_SEED on, and
// no run begins after the time box. A failing seed is played again by the command that its message gives.
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chaosKinds, drawPlan } from './chaos-plan.ts';
import { chaosRun } from './chaos-run.ts';
import { summaryLines } from './summary.ts';

const rounds = Number(process.env.JOBREC_SLOW_ROUNDS ?? 3);
const firstSeed = Number(process.env.JOBREC_SLOW_SEED ?? 1);
const timeBoxMs = 120_000;
const evidence = join(tmpdir(), 'jobrec-chaos-failed');

describe('chaos', () => {
  it('whatever is killed, stopped or damaged: the answer is right, nothing is lost, predictions come true', async () => {
    const startMs = performance.now();
    const outcomes = [];
    let left = 0;
    // One run of each kind before the second of any, so that a time box cuts rounds and not kinds.
    for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
      for (const kind of chaosKinds) {
        if (performance.now() - startMs > timeBoxMs) left += 1;
        else outcomes.push(await chaosRun(drawPlan(seed, kind), evidence));
      }
    }
    process.stdout.write(
      `chaos, seeds from ${firstSeed}; ${left} of ${left + outcomes.length} left out by the time box\n`,
    );
    process.stdout.write(`${summaryLines(outcomes).join('\n')}\n`);
    expect(outcomes.flatMap(({ blows }) => blows).length).toBeGreaterThan(0);
    expect(outcomes.reduce((sum, { predictions }) => sum + predictions.compared, 0)).toBeGreaterThan(0);
  });
});
