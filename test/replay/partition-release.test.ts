// What may be given up: exactly what a recovery calls OPTIONAL, found from the last finish; and giving it up costs
// nothing as long as nothing is lost.
import { describe, expect, it } from 'vitest';
import { partitionKey } from '../../src/model/ids.ts';
import { applyEvent } from '../../src/replay/apply-event.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { releasableAfter } from '../../src/replay/partition-release.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import { jobrecRecoveryRules } from '../../src/replay/recovery-plan.ts';
import { allSurvive } from '../../src/replay/survivors.ts';
import { recordedTopology } from '../../src/replay/topology.ts';
import { graphOf, randomScenario, type Scenario } from './recovery-scenario.ts';

const seeds = Array.from({ length: 500 }, (_, index) => index + 1);

/** A job that still runs, with nothing given up yet. */
function runningScenario(seed: number): Scenario {
  return { ...randomScenario(seed), givenUp: new Set<string>(), end: null, rules: jobrecRecoveryRules };
}

function releasableFromAll(graph: ExecutionGraph): string[] {
  const topology = recordedTopology(graph);
  const found = new Set<string>();
  for (const vertex of graph.vertices.values()) {
    for (const task of vertex.tasks.filter(({ state }) => state === 'FINISHED')) {
      for (const { datasetId, partitionIndex } of releasableAfter(graph, topology, vertex.id, task.subtask)) {
        found.add(partitionKey(datasetId, partitionIndex));
      }
    }
  }
  return [...found].sort();
}

function optionalIn(graph: ExecutionGraph): string[] {
  const { optional } = planRecovery(graph, allSurvive(), jobrecRecoveryRules).partitions;
  return optional.map(({ datasetId, partitionIndex }) => partitionKey(datasetId, partitionIndex)).sort();
}

describe('releasableAfter', () => {
  it(`finds what a recovery calls optional, and no more (${seeds.length} random jobs)`, () => {
    let released = 0;
    for (const seed of seeds) {
      const graph = graphOf(runningScenario(seed));
      const found = releasableFromAll(graph);
      // A data set that nobody reads is optional from the first moment, and no reader's finish finds it.
      const read = new Set(graph.edges.map((edge) => edge.datasetId));
      const readByTask = optionalIn(graph).filter(
        (key) => read.has(key.split('#')[0] ?? '') && isReadByAny(graph, key),
      );
      expect(found, `seed ${seed}`).toEqual(readByTask);
      released += found.length;
    }
    expect(released).toBeGreaterThan(seeds.length);
  });

  it('what is given up is missed by nobody while nothing is lost', () => {
    for (const seed of seeds) {
      const graph = graphOf(runningScenario(seed));
      const before = planRecovery(graph, allSurvive(), jobrecRecoveryRules);
      const partitions = releasableFromAll(graph).map((key) => {
        const [datasetId = '', index = '0'] = key.split('#');
        return { datasetId, partitionIndex: Number(index) };
      });
      applyEvent(graph, { sequence: 1_000, timeMicros: null, epoch: 1 }, { type: 'partitions-released', partitions });
      expect(releasableFromAll(graph), `seed ${seed}`).toEqual([]);
      if (before.rerun.length > 0) continue;
      expect(planRecovery(graph, allSurvive(), jobrecRecoveryRules).rerun, `seed ${seed}`).toEqual([]);
    }
  });
});

/** Whether some finished task's range covers the partition. */
function isReadByAny(graph: ExecutionGraph, key: string): boolean {
  const [datasetId, index] = key.split('#');
  return graph.edges
    .filter((edge) => edge.datasetId === datasetId)
    .some((edge) => {
      const consumer = graph.vertices.get(edge.consumerVertexId);
      const ranges = consumer?.inputs.find((input) => input.datasetId === datasetId)?.ranges ?? [];
      return consumer?.tasks.some(({ subtask }) => {
        const [first, last] = ranges[subtask]?.partitions ?? [0, Number.POSITIVE_INFINITY];
        return last < first ? Number(index) === 0 : first <= Number(index) && Number(index) <= last;
      });
    });
}
