// Laws of recovery on random failures, stated without an oracle: a second crash in the middle of a recovery ends with
// the same tasks kept, and losing more never keeps more. Seeds are printed on failure.
import { describe, expect, it } from 'vitest';
import { applyEvent } from '../../src/replay/apply-event.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import type { RecoveryPlan, Survivors } from '../../src/replay/recovery-plan.ts';
import { jobrecRecoveryRules } from '../../src/replay/recovery-plan.ts';
import { seeded } from './random.ts';
import { graphOf, randomScenario, survivorsOf } from './recovery-scenario.ts';

const seeds = Array.from({ length: 2000 }, (_, index) => index + 1);
const timeoutMs = 60_000;

const plan = (graph: ExecutionGraph, survivors: Survivors): RecoveryPlan =>
  planRecovery(graph, survivors, jobrecRecoveryRules);

/** Records the resets of the plan as the JobMaster does, but only of the vertices that `recorded` lets through. */
function recordResets(graph: ExecutionGraph, { reset }: RecoveryPlan, recorded: () => boolean): void {
  for (const [vertexId, subtasks] of reset) {
    if (!recorded()) continue;
    const record = { sequence: (graph.lastSequence ?? 0) + 1, timeMicros: null, epoch: 2 };
    applyEvent(graph, record, { type: 'execution-vertex-reset', vertexId, subtasks });
  }
}

describe('a recovery', { timeout: timeoutMs }, () => {
  it('has nothing left to do once its resets are recorded', () => {
    for (const seed of seeds) {
      const scenario = randomScenario(seed);
      const graph = graphOf(scenario);
      const before = plan(graph, survivorsOf(scenario));
      recordResets(graph, before, () => true);
      const after = plan(graph, survivorsOf(scenario));
      expect(after.rerun, `seed ${seed}`).toEqual([]);
      expect(after.kept, `seed ${seed}`).toEqual(before.kept);
    }
  });

  it('keeps the same tasks when it was killed with only some of its resets recorded', () => {
    let torn = 0;
    for (const seed of seeds) {
      const scenario = randomScenario(seed);
      const graph = graphOf(scenario);
      const before = plan(graph, survivorsOf(scenario));
      const random = seeded(seed + 104_729);
      recordResets(graph, before, () => random.chance(0.5));
      const after = plan(graph, survivorsOf(scenario));
      expect(after.kept, `seed ${seed}`).toEqual(before.kept);
      if (after.rerun.length > 0 && after.rerun.length < before.rerun.length) torn += 1;
    }
    expect(torn).toBeGreaterThan(seeds.length / 20);
  });

  it('keeps no more when more is lost', () => {
    for (const seed of seeds) {
      const scenario = randomScenario(seed);
      const graph = graphOf(scenario);
      const random = seeded(seed + 15_485_863);
      const alsoLost = new Set(graph.edges.map(({ datasetId }) => `${datasetId}#${random.below(4)}`));
      const some = survivorsOf(scenario);
      const fewer: Survivors = {
        has: (partition) => !alsoLost.has(`${partition.datasetId}#${partition.partitionIndex}`) && some.has(partition),
        partHas: some.partHas,
      };
      const kept = new Set(plan(graph, some).kept.map((task) => `${task.vertexId}#${task.subtask}`));
      const keptOfFewer = plan(graph, fewer).kept.map((task) => `${task.vertexId}#${task.subtask}`);
      expect(
        keptOfFewer.filter((task) => !kept.has(task)),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });
});
