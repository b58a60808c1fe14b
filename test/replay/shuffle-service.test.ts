// Recovery of a job with a shuffle service: a partition is where the ShuffleMaster's snapshots place it, whatever became
// of the worker that wrote it. Random failures are held against the oracle; the rest are the rules one by one.
import { describe, expect, it } from 'vitest';
import type { JobEvent, ShuffleMasterSnapshot } from '../../src/model/job-events.ts';
import { encodePlacements, type PartitionPlacement, shuffleServiceId } from '../../src/model/shuffle-placements.ts';
import { applyEvent } from '../../src/replay/apply-event.ts';
import { createExecutionGraph, type ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { holderOf } from '../../src/replay/partition-holder.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import { jobrecRecoveryRules, type Survivors } from '../../src/replay/recovery-plan.ts';
import { survivorsFromHolders, survivorsOnWorkers, survivorsWithoutWorkers } from '../../src/replay/survivors.ts';
import { datasetId, finished, initialized, jobGraphOf, recordsOf, reset, submitted, vertexId } from './job-builder.ts';
import { seeded } from './random.ts';
import { oracle } from './recovery-oracle.ts';
import { eventsOf, partitionRef, randomScenario, type Scenario, survivorsOf } from './recovery-scenario.ts';

const output = datasetId('scan', 'hash');
const placement = (partitionIndex: number, more: Partial<PartitionPlacement> = {}): PartitionPlacement => ({
  holderId: shuffleServiceId,
  datasetId: output,
  partitionIndex,
  attempt: 0,
  epoch: 1,
  ...more,
});
const snapshot = (placements: readonly PartitionPlacement[], incremental = true): ShuffleMasterSnapshot => ({
  type: 'shuffle-master-snapshot',
  incremental,
  state: encodePlacements(placements),
});

const shape = jobGraphOf([{ name: 'scan' }, { name: 'totals', reads: { scan: 'hash' } }]);
const begin: readonly JobEvent[] = [submitted({ ...shape, shuffle: 'service' }), initialized('scan', 2)];
const done = (subtask: number, more: Parameters<typeof finished>[2] = {}) =>
  finished('scan', subtask, { outputs: [output], workerId: `w${subtask}`, ...more });

function fold(events: readonly JobEvent[]): ExecutionGraph {
  const graph = createExecutionGraph();
  for (const record of recordsOf(events)) applyEvent(graph, record, record.event);
  return graph;
}

const rerunOf = (graph: ExecutionGraph, survivors: Survivors) =>
  planRecovery(graph, survivors, jobrecRecoveryRules).rerun.map(({ vertexId: id, subtask }) =>
    id === vertexId('scan') ? `scan#${subtask}` : `totals#${subtask}`,
  );
const placesOf = (graph: ExecutionGraph) =>
  graph.vertices.get(vertexId('scan'))?.tasks.map((task) => holderOf(graph, output, task));

describe('where a partition is', () => {
  const both = [...begin, snapshot([placement(0)]), done(0), snapshot([placement(1)]), done(1)];

  it('is the service that a snapshot names, not the worker that ran the task', () => {
    const graph = fold(both);
    expect(placesOf(graph)).toEqual([shuffleServiceId, shuffleServiceId]);
    expect(graph.vertices.get(vertexId('scan'))?.tasks.map(({ workerId }) => workerId)).toEqual(['w0', 'w1']);
  });

  it('is the worker in a job without a service, whatever a snapshot says', () => {
    const [, ...rest] = both;
    expect(placesOf(fold([submitted(shape), ...rest]))).toEqual(['w0', 'w1']);
  });

  it.each([
    ['a finish that no snapshot names', [done(1)]],
    ['another attempt', [snapshot([placement(1, { attempt: 1 })]), done(1)]],
    ['another epoch', [snapshot([placement(1, { epoch: 2 })]), done(1)]],
    ['bytes of another engine', [{ ...snapshot([]), state: new Uint8Array([1, 2]) }, done(1)]],
    ['a full snapshot that leaves it out', [snapshot([placement(1)]), done(1), snapshot([placement(0)], false)]],
  ])('is unknown, and so it is not there: %s', (_, events) => {
    const graph = fold([...begin, snapshot([placement(0)]), done(0), ...events]);
    expect(placesOf(graph)).toEqual([shuffleServiceId, null]);
    expect(rerunOf(graph, { has: () => true, partHas: () => true })).toEqual(['scan#1']);
  });

  it('is nowhere after a reset, and the new attempt is placed anew', () => {
    const graph = fold([...both, reset('scan', 0)]);
    expect([...(graph.shuffleMaster?.placements.keys() ?? [])]).toEqual([`${output}#1`]);
    const again = fold([...both, reset('scan', 0), snapshot([placement(0, { attempt: 1 })]), done(0, { attempt: 1 })]);
    expect(placesOf(again)).toEqual([shuffleServiceId, shuffleServiceId]);
  });

  it('of a broken state of our own is a finding', () => {
    const graph = fold(begin);
    const record = { sequence: 9, timeMicros: null, epoch: 1 };
    const finding = applyEvent(graph, record, {
      ...snapshot([]),
      state: new TextEncoder().encode('{"shuffleMaster":1'),
    });
    expect(finding).toMatchObject({ code: 'PAYLOAD_INVALID', severity: 'error' });
  });

  it('is not lost with any worker, but with the service', () => {
    const graph = fold(both);
    expect(rerunOf(graph, survivorsWithoutWorkers(['w0', 'w1']))).toEqual([]);
    expect(rerunOf(graph, survivorsOnWorkers([shuffleServiceId]))).toEqual([]);
    expect(rerunOf(graph, survivorsWithoutWorkers([shuffleServiceId]))).toEqual(['scan#0', 'scan#1']);
    const held = (workerId: string) => [{ workerId, partitions: [placement(0), placement(1)] }];
    expect(rerunOf(graph, survivorsFromHolders(held(shuffleServiceId)))).toEqual([]);
    expect(rerunOf(graph, survivorsFromHolders(held('w0')))).toEqual(['scan#0', 'scan#1']);
  });
});

describe('recovery with a shuffle service and the oracle', { timeout: 60_000 }, () => {
  const cases = 1500;

  it(`agree on ${cases} random failures of workers and of the service`, () => {
    const seen = { lostService: 0, unplaced: 0, reruns: 0 };
    for (let seed = 1; seed <= cases; seed += 1) {
      const { scenario, events, survivors, lostService } = shuffleScenario(seed);
      const plan = planRecovery(fold(events), survivors, scenario.rules);
      const answer = oracle(scenario);
      const names = new Map(scenario.names.map((name) => [vertexId(name), name]));
      const rerun = plan.rerun.map((task) => `${names.get(task.vertexId)}#${task.subtask}`).sort();
      expect(rerun, `seed ${seed}`).toEqual(answer.rerun);
      expect(plan.verdict, `seed ${seed}`).toBe(answer.verdict);
      expect(plan.partitions.missing.length, `seed ${seed}`).toBe(answer.missing.length);
      if (rerun.length > 0) seen.reruns += 1;
      if (lostService) seen.lostService += 1;
      if (scenario.lost.size > 0 && !lostService) seen.unplaced += 1;
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(cases / 50);
  });
});

/** A random job whose partitions are at the service; some finishes are unplaced, any worker may be lost. */
function shuffleScenario(seed: number) {
  const base: Scenario = { ...randomScenario(seed), living: new Set<string>() };
  const random = seeded(seed + 1_000_000);
  const workers = ['w0', 'w1', 'w2'];
  const lostWorkers = workers.filter(() => random.chance(0.5));
  const lostService = random.chance(0.2);
  const lost = new Set<string>();
  const events = eventsOf(base).flatMap((event): JobEvent[] => {
    if (event.type === 'job-submitted') return [{ ...event, graph: { ...event.graph, shuffle: 'service' } }];
    if (event.type !== 'execution-vertex-finished') return [event];
    const isPlaced = random.chance(0.9);
    for (const made of event.partitions)
      if (lostService || !isPlaced) lost.add(`${made.datasetId}#${made.partitionIndex}`);
    const { attempt } = event;
    const placed = event.partitions.map((made) =>
      placement(made.partitionIndex, { datasetId: made.datasetId, attempt }),
    );
    return [...(isPlaced ? [snapshot(placed)] : []), { ...event, workerId: random.pick(workers) }];
  });
  const scenario: Scenario = { ...base, lost: new Set(allPartitions(base).filter((name) => lost.has(keyOf(name)))) };
  const gone = [...lostWorkers, ...(lostService ? [shuffleServiceId] : [])];
  return { scenario, events, lostService, survivors: { ...survivorsOf(base), has: survivorsWithoutWorkers(gone).has } };
}

function allPartitions({ edges, tasks }: Scenario): string[] {
  return edges.flatMap((edge) =>
    Array.from({ length: tasks.get(edge.from) ?? 0 }, (_, index) => `${edge.from}>${edge.exchange}#${index}`),
  );
}

function keyOf(name: string): string {
  const ref = partitionRef(name);
  return `${ref.datasetId}#${ref.partitionIndex}`;
}
