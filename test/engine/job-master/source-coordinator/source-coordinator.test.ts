// The assignment of an enumerator's splits under random failures: whatever fails, each split is read exactly once by the
// attempts that count, nothing that counts is read again, and what is recorded is what is.
import { describe, expect, it } from 'vitest';
import { seeded } from '../../../replay/random.ts';
import { SourceSimulation } from './source-simulation.ts';

const cases = 400;

describe('splits under random failures', { timeout: 60_000 }, () => {
  it.each([true, false])('are each read once (batch snapshots: %s)', async (supportsBatchSnapshot) => {
    const total = { crashes: 0, failures: 0, losses: 0, enumeratorFailures: 0, pauses: 0, reread: 0 };
    for (let seed = 1; seed <= cases; seed += 1) {
      const random = seeded(seed);
      const [splits, tasks] = [random.below(12), 1 + random.below(4)];
      const pauseRate = random.pick([0, 0, 0.5]);
      const simulation = new SourceSimulation({ random, splits, tasks, supportsBatchSnapshot, pauseRate });
      await simulation.run(120).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${error}`);
      });
      const label = `seed ${seed}`;
      expect(simulation.result, label).toEqual(Array.from({ length: splits }, (_, at) => `s${at}`).sort());
      expect(simulation.wrong, label).toEqual([]);
      for (const [name, count] of Object.entries(simulation.counts)) total[name as keyof typeof total] += count;
    }
    // Each fault must have happened, or nothing was shown.
    const missing = Object.entries(total).filter(([, count]) => count < 50);
    expect(missing.map(([name]) => name)).toEqual(supportsBatchSnapshot ? [] : ['pauses']);
  });

  it('are recorded as they are: a replay gives the same coordinator', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const simulation = new SourceSimulation({
        random: seeded(seed),
        splits: 9,
        tasks: 3,
        supportsBatchSnapshot: true,
        pauseRate: 0,
      });
      await simulation.run(80);
      const operators = (graph: typeof simulation.graph) =>
        [...graph.vertices.values()].map((vertex) => vertex.coordinator);
      expect(operators(simulation.replayed()), `seed ${seed}`).toEqual(operators(simulation.graph));
      const [operator] = simulation.graph.vertices.values().next().value?.coordinator?.operators.values() ?? [];
      expect([...(operator?.finished ?? [])].sort(), `seed ${seed}`).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
      expect(operator?.enumeratorState, `seed ${seed}`).toBe('9');
    }
  });
});
