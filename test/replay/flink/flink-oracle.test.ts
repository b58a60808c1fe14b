// planFlinkRecovery against the oracle on thousands of random jobs, logs and losses; the seed is printed on failure. And
// the reasons: each names something, and following them ends at a task that lost something itself.
import { describe, expect, it } from 'vitest';
import type { FlinkJob } from '../../../src/model/flink-job.ts';
import { derivedId } from '../../../src/model/ids.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import type { LogRecord } from '../../../src/model/job-log.ts';
import { planFlinkRecovery } from '../../../src/replay/flink-recovery.ts';
import { replayFlink } from '../../../src/replay/flink-replay.ts';
import { survivorsOnWorkers } from '../../../src/replay/survivors.ts';
import { type Random, seeded } from '../random.ts';
import { type OracleEdge, type OracleScenario, type OracleStep, oracleReruns } from './flink-oracle.ts';

const cases = 3000;
const workers = ['w0', 'w1', 'w2'];

type Scenario = Omit<OracleScenario, 'released'> & { readonly names: readonly string[] };

function randomScenario(random: Random): Scenario {
  const names = Array.from({ length: 2 + random.below(4) }, (_, index) => derivedId(`v${index}`));
  const initialized = names.slice(0, 1 + random.below(names.length));
  const tasks = new Map(initialized.map((name) => [name, 1 + random.below(4)]));
  const edges = names.flatMap((to, at) =>
    names.slice(0, at).flatMap((from) => (random.chance(0.5) ? [randomEdge(random, from, to, tasks)] : [])),
  );
  const coordinators = new Map<string, boolean>();
  for (const name of names) {
    const isSource = !edges.some((edge) => edge.to === name);
    if (isSource || random.chance(0.2)) coordinators.set(name, random.chance(0.7));
  }
  const aliveWorkers = new Set(workers.filter(() => random.chance(0.7)));
  return { names, tasks, edges, coordinators, aliveWorkers, log: randomLog(random, tasks) };
}

function randomEdge(random: Random, from: string, to: string, tasks: ReadonlyMap<string, number>): OracleEdge {
  const [producers, readers] = [tasks.get(from) ?? 0, tasks.get(to) ?? 0];
  const isPointwise = random.chance(0.5);
  const ranges = Array.from({ length: readers }, (_, index): [number, number] => {
    if (!isPointwise) return [0, producers - 1];
    const first = Math.floor((index * producers) / readers);
    return [first, Math.max(first, Math.ceil(((index + 1) * producers) / readers) - 1)];
  });
  return { from, to, datasetId: derivedId('data', from, to), ranges };
}

function randomLog(random: Random, tasks: ReadonlyMap<string, number>): OracleStep[] {
  const all = [...tasks].flatMap(([name, count]) => Array.from({ length: count }, (_, index) => `${name}#${index}`));
  const log: OracleStep[] = [];
  const snapshotRate = random.pick([0.2, 0.6, 1]);
  for (const task of all) {
    if (random.chance(0.85)) log.push(finishOf(random, task, snapshotRate));
    if (random.chance(0.1)) log.push(finishOf(random, random.pick(all), snapshotRate));
    if (random.chance(0.05)) log.push({ kind: 'reset', tasks: [random.pick(all)] });
  }
  return log;
}

function finishOf(random: Random, task: string, snapshotRate: number): OracleStep {
  return { kind: 'finish', task, snapshot: random.chance(snapshotRate), worker: random.pick(workers) };
}

function jobOf({ names, edges, coordinators }: Scenario): FlinkJob {
  return {
    source: 'job-graph',
    jobId: null,
    name: null,
    vertices: names.map((id) => ({
      id,
      name: null,
      parallelism: null,
      coordinators: coordinators.has(id) ? [{ operatorId: id, sourceClass: null }] : [],
    })),
    edges: edges.map(({ from, to, datasetId }) => ({
      producerVertexId: from,
      consumerVertexId: to,
      datasetId,
      distribution: null,
    })),
    config: {},
    subtasks: [],
  };
}

async function* recordsOf(scenario: Scenario): AsyncGenerator<LogRecord> {
  const events = [...initializations(scenario), ...scenario.log.map((step) => eventOf(scenario, step))];
  for (const [sequence, event] of events.entries()) {
    yield { sequence, timeMicros: null, epoch: null, segment: 'events.0', offset: sequence, bytes: 1, event };
  }
}

function initializations({ tasks, edges }: Scenario): JobEvent[] {
  return [...tasks].map(([vertexId, parallelism]) => ({
    type: 'job-vertex-initialized',
    vertexId,
    parallelism,
    maxParallelism: null,
    inputs: edges
      .filter((edge) => edge.to === vertexId)
      .map(({ datasetId, ranges }) => ({
        datasetId,
        ranges: ranges.map((partitions) => ({ partitions, subpartitions: [0, 0] as const })),
      })),
  }));
}

/** A vertex whose coordinator supports snapshots always gives one: of which vertices it was asked is not the point here. */
function eventOf({ coordinators, tasks }: Scenario, step: OracleStep): JobEvent {
  if (step.kind === 'reset') {
    const [task = ''] = step.tasks;
    return { type: 'execution-vertex-reset', vertexId: task.slice(0, 32), subtasks: [Number(task.slice(33))] };
  }
  const given = [...coordinators].filter(([vertex, supports]) => supports && tasks.has(vertex));
  return {
    type: 'execution-vertex-finished',
    vertexId: step.task.slice(0, 32),
    subtask: Number(step.task.slice(33)),
    attempt: 0,
    epoch: 0,
    workerId: step.worker,
    partitions: [],
    parts: [],
    metrics: { recordsIn: 1, recordsOut: 1, bytesIn: 1, bytesOut: 1, durationMs: 1 },
    flink: {
      executionGraphId: 'g',
      snapshot: step.snapshot
        ? {
            coordinators: given.map(([operatorId]) => ({ operatorId, bytes: 1 })),
            shuffleMaster: { bytes: 1, incremental: false },
          }
        : null,
    },
  };
}

describe('planFlinkRecovery and the oracle', { timeout: 60_000 }, () => {
  it(`agree on ${cases} random failures`, async () => {
    const start = Number(process.env.SEED ?? Date.now() % 1e9);
    for (let seed = start; seed < start + cases; seed += 1) {
      const scenario = randomScenario(seeded(seed));
      const replayed = await replayFlink(recordsOf(scenario), { job: jobOf(scenario) });
      if (replayed.failure !== null) continue;
      const survivors = survivorsOnWorkers(scenario.aliveWorkers);
      const plan = planFlinkRecovery(replayed, survivors, { failure: null, snapshotMinPause: null });
      const reruns = plan.rerun.map(({ vertexId, subtask }) => `${vertexId}#${subtask}`).sort();
      expect(reruns, `seed ${seed}`).toEqual(oracleReruns({ ...scenario, released: replayed.graph.released }));
      expect(
        plan.rerun.every(({ reasons }) => reasons.length > 0 && reasons[0]?.message !== ''),
        `seed ${seed}`,
      ).toBe(true);
    }
  });
});
