// The record of a recovery: counts by reason, tasks up to a bound, and every task whose fate was not the predicted one.
import { describe, expect, it } from 'vitest';
import { applyEvent } from '../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../src/replay/execution-graph.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import { namedTasksMax, recoveryDetail } from '../../src/replay/recovery-detail.ts';
import { jobrecRecoveryRules, type Survivors } from '../../src/replay/recovery-plan.ts';
import { allSurvive } from '../../src/replay/survivors.ts';
import { datasetId, finished, initialized, jobGraphOf, recordsOf, submitted, vertexId } from './job-builder.ts';
import { graphOf, randomScenario } from './recovery-scenario.ts';

/** `a` (as many tasks as said) is read by `b`, which has not begun. */
function graphWith(tasks: number) {
  const graph = createExecutionGraph();
  const output = datasetId('a', 'hash');
  const finishes = Array.from({ length: tasks }, (_, subtask) =>
    finished('a', subtask, { outputs: [output], parts: [`part-${subtask}`] }),
  );
  const events = [
    submitted(jobGraphOf([{ name: 'a' }, { name: 'b', reads: { a: 'hash' } }])),
    initialized('a', tasks),
    ...finishes,
  ];
  for (const record of recordsOf(events)) applyEvent(graph, record, record.event);
  return graph;
}

const without = (lost: readonly number[], lostParts: readonly number[] = []): Survivors => ({
  has: ({ partitionIndex }) => !lost.includes(partitionIndex),
  partHas: ({ file }) => !lostParts.some((index) => file === `part-${index}`),
});

describe('recoveryDetail', () => {
  it('counts by the first reason of each task, and names the tasks', () => {
    const plan = planRecovery(graphWith(5), without([1, 3], [3, 4]), jobrecRecoveryRules);
    const detail = recoveryDetail(plan, plan);
    expect(detail.reasons).toEqual([
      { code: 'partition-missing', tasks: 2 },
      { code: 'staged-part-missing', tasks: 1 },
    ]);
    expect(detail.reruns).toEqual(
      [1, 3, 4].map((subtask, at) => ({
        vertexId: vertexId('a'),
        subtask,
        code: detail.reasons[at < 2 ? 0 : 1]?.code,
      })),
    );
    expect(detail).toMatchObject({ predicted: { kept: 2, rerun: 3 }, differences: [] });
  });

  it('tells a recovery that is not the predicted one, also where the numbers are the same', () => {
    const graph = graphWith(3);
    const plan = planRecovery(graph, without([0]), jobrecRecoveryRules);
    const predicted = planRecovery(graph, without([2]), jobrecRecoveryRules);
    expect(recoveryDetail(plan, predicted)).toMatchObject({
      predicted: { kept: 2, rerun: 1 },
      differences: [
        { vertexId: vertexId('a'), subtask: 0, predictedRerun: false },
        { vertexId: vertexId('a'), subtask: 2, predictedRerun: true },
      ],
    });
    expect(recoveryDetail(plan, null)).toMatchObject({ predicted: null, differences: [] });
  });

  it('names a bounded number of tasks, and counts all', () => {
    const graph = graphWith(2 * namedTasksMax);
    const plan = planRecovery(graph, { ...allSurvive(), has: () => false }, jobrecRecoveryRules);
    const detail = recoveryDetail(plan, planRecovery(graph, allSurvive(), jobrecRecoveryRules));
    expect(detail.reasons).toEqual([{ code: 'partition-missing', tasks: 2 * namedTasksMax }]);
    expect(detail.reruns).toHaveLength(namedTasksMax);
    expect(detail.differences).toHaveLength(namedTasksMax);
  });

  it('finds no difference between a plan and itself, and adds up, on random failures', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const scenario = randomScenario(seed);
      const plan = planRecovery(graphOf(scenario), { ...allSurvive(), has: () => seed % 2 === 0 }, scenario.rules);
      const detail = recoveryDetail(plan, plan);
      expect(detail.differences, `seed ${seed}`).toEqual([]);
      expect(
        detail.reasons.reduce((sum, { tasks }) => sum + tasks, 0),
        `seed ${seed}`,
      ).toBe(plan.rerun.length);
    }
  });
});
