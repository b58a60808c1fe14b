// planRecovery against the oracle: thousands of random failures, and every failure of a few jobs of two vertices. The
// seed (or the scenario) is printed on failure.
import { describe, expect, it } from 'vitest';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import type { Reason, RecoveryPlan, RerunTask } from '../../src/replay/recovery-plan.ts';
import { jobrecRecoveryRules } from '../../src/replay/recovery-plan.ts';
import { datasetId, vertexId } from './job-builder.ts';
import type { OracleAnswer } from './recovery-oracle.ts';
import { isGone, isNeeded, oracle } from './recovery-oracle.ts';
import type { Scenario, ScenarioEdge } from './recovery-scenario.ts';
import { graphOf, partitionName, randomScenario, readBy, survivorsOf } from './recovery-scenario.ts';

const cases = 4000;
/** On two busy cores; alone it takes a few seconds. */
const timeoutMs = 60_000;

function answerOf(scenario: Scenario, plan: RecoveryPlan): OracleAnswer {
  const nameById = new Map(scenario.names.map((name) => [vertexId(name), name]));
  const task = (ref: { vertexId: string; subtask: number }) => `${nameById.get(ref.vertexId)}#${ref.subtask}`;
  const datasets = new Map(scenario.edges.map((edge) => [datasetId(edge.from, edge.exchange), edge]));
  const partition = (ref: { datasetId: string; partitionIndex: number }) =>
    partitionName(datasets.get(ref.datasetId) as ScenarioEdge, ref.partitionIndex);
  return {
    rerun: plan.rerun.map(task).sort(),
    kept: plan.kept.map(task).sort(),
    pending: plan.pending.map(task).sort(),
    reserved: plan.partitions.reserved.map(partition).sort(),
    optional: plan.partitions.optional.map(partition).sort(),
    released: plan.partitions.released.map(partition).sort(),
    missing: plan.partitions.missing.map(partition).sort(),
    verdict: plan.verdict,
  };
}

function planOf(scenario: Scenario, graph: ExecutionGraph = graphOf(scenario)): RecoveryPlan {
  return planRecovery(graph, survivorsOf(scenario), scenario.rules);
}

describe('planRecovery and the oracle', { timeout: timeoutMs }, () => {
  it(`agree on ${cases} random failures`, () => {
    const verdicts = new Map<string, number>();
    for (let seed = 1; seed <= cases; seed += 1) {
      const scenario = randomScenario(seed);
      const plan = planOf(scenario);
      expect(answerOf(scenario, plan), `seed ${seed}`).toEqual(oracle(scenario));
      verdicts.set(plan.verdict, (verdicts.get(plan.verdict) ?? 0) + 1);
    }
    // A generator that never reaches a verdict would prove nothing about it.
    for (const verdict of ['recoverable', 'recoverable-with-loss', 'restart-from-scratch', 'would-hang']) {
      expect(verdicts.get(verdict) ?? 0, verdict).toBeGreaterThan(cases / 100);
    }
  });

  it('agree on every failure of two vertices of two tasks', () => {
    for (const ranges of [
      [
        [0, 0],
        [1, 1],
      ],
      [
        [0, 1],
        [0, 1],
      ],
      [
        [0, 1],
        [0, -1],
      ],
    ] as const) {
      for (let bits = 0; bits < 2 ** 12; bits += 1) {
        const scenario = twoByTwo(ranges, bits);
        expect(answerOf(scenario, planOf(scenario)), JSON.stringify({ ranges, bits })).toEqual(oracle(scenario));
      }
    }
  });
});

function twoByTwo(ranges: readonly (readonly [number, number])[], bits: number): Scenario {
  const chosen = (names: readonly string[], from: number) =>
    new Set(names.filter((_, at) => (bits >> (from + at)) & 1));
  const finished = chosen(['a#0', 'a#1', 'b#0', 'b#1'], 0);
  const support = [null, true, false, false][(bits >> 8) & 3];
  return {
    names: ['a', 'b'],
    tasks: new Map([
      ['a', 2],
      ['b', 2],
    ]),
    edges: [{ from: 'a', to: 'b', exchange: 'rescale', ranges }],
    coordinators: new Map(support === null || support === undefined ? [] : [['a', support]]),
    living: new Set(),
    awaiting: new Set([...chosen(['a#0', 'a#1'], 10)].filter((task) => finished.has(task))),
    finished,
    lost: chosen(['a>rescale#0', 'a>rescale#1'], 4),
    givenUp: chosen(['a>rescale#0', 'a>rescale#1'], 6),
    partsLost: new Set((bits >> 8) & 3 ? [] : ['b#1'].filter((task) => finished.has(task))),
    end: null,
    rules: jobrecRecoveryRules,
  };
}

describe('reasons', { timeout: timeoutMs }, () => {
  it('are true of the failure, and each chain of tasks ends at one that lost something itself', () => {
    for (let seed = 1; seed <= cases; seed += 1) {
      const scenario = randomScenario(seed);
      const plan = planOf(scenario);
      for (const task of plan.rerun) {
        expect(task.reasons.length, `seed ${seed}`).toBeGreaterThan(0);
        for (const reason of task.reasons) {
          expect(isTrue(scenario, plan, task, reason), `seed ${seed}: ${JSON.stringify({ task, reason })}`).toBe(true);
        }
        expect(chainEnds(plan, task), `seed ${seed}: the reasons of ${task.subtask} go round`).toBe(true);
      }
    }
  });
});

const nameOf = (scenario: Scenario, id: string) => scenario.names.find((name) => vertexId(name) === id) ?? '?';

function isTrue(scenario: Scenario, plan: RecoveryPlan, task: RerunTask, reason: Reason): boolean {
  const name = nameOf(scenario, task.vertexId);
  const label = `${name}#${task.subtask}`;
  const cause = `${nameOf(scenario, reason.because.id)}#${reason.because.subtask}`;
  const rerun = new Set(plan.rerun.map((other) => `${nameOf(scenario, other.vertexId)}#${other.subtask}`));
  const outputs = scenario.edges.filter((edge) => edge.from === name);
  const lost = outputs.find((edge) => reason.because.id === `${datasetId(name, edge.exchange)}#${task.subtask}@0`);
  const partition = lost === undefined ? '' : partitionName(lost, task.subtask);
  const readAgain = outputs.some((edge) =>
    [...rerun].some((other) => other.startsWith(`${edge.to}#`) && reads(scenario, edge, other, task.subtask)),
  );
  switch (reason.code) {
    case 'partition-missing':
      return isNeeded(scenario, partition) && scenario.lost.has(partition) && !scenario.givenUp.has(partition);
    case 'partition-released':
      return scenario.givenUp.has(partition) && (isNeeded(scenario, partition) || readAgain);
    case 'upstream-input-missing':
      return readAgain && (isGone(scenario, partition) || !scenario.rules.optionalPartitionsAvailable);
    case 'downstream-of-rerun':
      return (
        (rerun.has(cause) || !scenario.finished.has(cause)) &&
        scenario.edges.some(
          (edge) =>
            edge.to === name &&
            cause.startsWith(`${edge.from}#`) &&
            reads(scenario, edge, label, reason.because.subtask ?? -1),
        )
      );
    case 'source-without-batch-snapshot':
      return isCoordinatorLost(scenario, name) && reason.because.id === task.vertexId;
    case 'source-restarts-whole':
      return isCoordinatorLost(scenario, name) && rerun.has(cause) && cause !== label;
    case 'staged-part-missing':
      return scenario.partsLost.has(label);
    case 'finish-not-durable':
      return scenario.awaiting.has(label) && !scenario.living.has(name);
    case 'store-unusable':
      return false;
  }
}

function reads(scenario: Scenario, edge: ScenarioEdge, task: string, partitionIndex: number): boolean {
  return readBy(edge, Number(task.split('#')[1]), scenario.tasks).includes(partitionIndex);
}

/** Follows `because` from task to task; a chain longer than the plan goes round. */
function chainEnds(plan: RecoveryPlan, start: RerunTask): boolean {
  let task: RerunTask | undefined = start;
  for (let steps = 0; steps <= plan.rerun.length; steps += 1) {
    const because: Reason['because'] | undefined = task?.reasons[0]?.because;
    if (because?.subtask === undefined) return true;
    task = plan.rerun.find((other) => other.vertexId === because.id && other.subtask === because.subtask);
    if (task === undefined) return true;
  }
  return false;
}

function isCoordinatorLost(scenario: Scenario, name: string): boolean {
  return scenario.coordinators.get(name) === false && !scenario.living.has(name);
}
