// Random scenarios are replayable and can be played: the same seed is the same scenario, something waits at every
// kill, and a worker is left or comes.
import { describe, expect, it } from 'vitest';
import { damageKinds } from './damage.ts';
import { largestParallelism } from './job-shape.ts';
import { randomScenario, type Scenario } from './scenario.ts';

const seeds = Array.from({ length: 300 }, (_, index) => index);

describe('random failover scenarios', () => {
  it('are the same for the same seed, and differ between seeds', () => {
    for (const seed of seeds) expect(randomScenario(seed)).toEqual(randomScenario(seed));
    expect(new Set(seeds.map((seed) => JSON.stringify({ ...randomScenario(seed), seed: 0 }))).size).toBe(seeds.length);
  });

  it('end in a kill of the JobManager, while a task waits that is certain to exist', () => {
    for (const seed of seeds) {
      const scenario = randomScenario(seed);
      expect(scenario.steps.at(-1)?.killsJobManager, `seed ${seed}`).toBe(true);
      expect(
        certainGates(scenario).filter((gate) => !opened(scenario).has(gate)).length,
        `seed ${seed}`,
      ).toBeGreaterThan(0);
    }
  });

  it('kill workers that live, and leave or bring at least one', () => {
    for (const seed of seeds) {
      const { cluster, steps } = randomScenario(seed);
      let living = cluster.workers;
      for (const step of steps) {
        expect(Math.max(-1, ...step.killsWorkers), `seed ${seed}`).toBeLessThan(living);
        living += step.newWorkers - step.killsWorkers.length;
        expect(living, `seed ${seed}`).toBeGreaterThan(0);
      }
    }
  });

  it('join equals only by forward, and read only what exists', () => {
    for (const seed of seeds) {
      const { stages } = randomScenario(seed);
      const parallelism = new Map<string, number>();
      for (const stage of stages) {
        for (const { stage: read, exchange } of stage.inputs) {
          expect(parallelism.has(read), `seed ${seed}`).toBe(true);
          if (exchange === 'forward') expect(parallelism.get(read), `seed ${seed}`).toBe(stage.parallelism);
        }
        parallelism.set(stage.name, stage.parallelism);
      }
    }
  });

  it('have every kind of thing in them', () => {
    const scenarios = seeds.map(randomScenario);
    const steps = scenarios.flatMap((scenario) => scenario.steps);
    const stages = scenarios.flatMap((scenario) => scenario.stages);
    expect(new Set(stages.flatMap(({ inputs }) => inputs.map(({ exchange }) => exchange))).size).toBe(5);
    expect(new Set(stages.map(({ kind }) => kind)).size).toBe(4);
    expect(new Set(stages.map(({ source }) => source?.batchSnapshot)).size).toBe(3);
    expect(Math.max(...stages.map(({ parallelism }) => parallelism))).toBe(largestParallelism);
    expect(new Set(steps.map(({ killsWorkers }) => killsWorkers.length))).toEqual(new Set([0, 1, 2, 3]));
    expect(new Set(steps.flatMap(({ damage }) => damage?.kind ?? [])).size).toBe(damageKinds.length);
    expect(new Set(scenarios.map((scenario) => scenario.steps.length))).toEqual(new Set([1, 2]));
  });
});

function opened({ steps }: Scenario): Set<string> {
  return new Set(steps.flatMap(({ opens }) => opens));
}

function certainGates({ stages }: Scenario): string[] {
  return stages.flatMap(({ name, parallelism }) =>
    Array.from({ length: parallelism || 1 }, (_, subtask) => `${name}.${subtask}`),
  );
}
