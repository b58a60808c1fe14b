// Random failures of random small jobs, as plain facts (`task#n` and `producer>exchange#n` strings), and the same facts
// as an event log. The oracle reads the facts, planRecovery the replayed log.

import type { JobEvent } from '../../src/model/job-events.ts';
import type { ExchangeKind } from '../../src/model/job-graph.ts';
import { applyEvent } from '../../src/replay/apply-event.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { createExecutionGraph } from '../../src/replay/execution-graph.ts';
import type { RecoveryRules, Survivors } from '../../src/replay/recovery-plan.ts';
import { datasetId, finished, initialized, jobGraphOf, recordsOf, submitted, vertexId } from './job-builder.ts';
import type { Random } from './random.ts';
import { seeded } from './random.ts';

export interface ScenarioEdge {
  readonly from: string;
  readonly to: string;
  readonly exchange: ExchangeKind;
  /** Per consumer task, inclusive; null: the store does not say. */
  readonly ranges: readonly (readonly [number, number])[] | null;
}

export interface Scenario {
  readonly names: readonly string[];
  /** Tasks of the initialized vertices. */
  readonly tasks: ReadonlyMap<string, number>;
  readonly edges: readonly ScenarioEdge[];
  /** `false`: a coordinator without batch snapshots. */
  readonly coordinators: ReadonlyMap<string, boolean>;
  /** Vertices whose coordinators live: the JobMaster did not change. */
  readonly living: ReadonlySet<string>;
  readonly finished: ReadonlySet<string>;
  /** Partitions that are lost, and those that the old JobMaster gave up: `<producer>><exchange>#<n>`. */
  readonly lost: ReadonlySet<string>;
  readonly givenUp: ReadonlySet<string>;
  /** Tasks whose staged part is gone. */
  readonly partsLost: ReadonlySet<string>;
  /** Finished tasks whose coordinators had no snapshot since. */
  readonly awaiting: ReadonlySet<string>;
  readonly end: 'FINISHED' | 'FAILED' | 'commit' | null;
  readonly rules: RecoveryRules;
}

export const partitionName = (edge: Pick<ScenarioEdge, 'from' | 'exchange'>, index: number): string =>
  `${edge.from}>${edge.exchange}#${index}`;

const exchanges: readonly ExchangeKind[] = ['forward', 'rescale', 'hash', 'broadcast', 'gather'];

export function randomScenario(seed: number): Scenario {
  const random = seeded(seed);
  const names = Array.from({ length: 1 + random.below(5) }, (_, index) => `v${index}`);
  const wanted = new Map(names.map((name) => [name, 1 + random.below(4)]));
  const edges = randomEdges(random, names, wanted);
  const causal = random.chance(0.6);
  const { tasks, done } = randomProgress(random, { names, wanted, edges, causal });
  const lossRate = random.pick([0, 0.1, 0.3, 0.7]);
  const all = [...new Set(edges.flatMap((edge) => partitionsOf(edge, tasks)))];
  const some = (items: readonly string[], rate: number) => new Set(items.filter(() => random.chance(rate)));
  return {
    names,
    tasks,
    edges: edges.map((edge) => ({ ...edge, ranges: tasks.has(edge.to) ? edge.ranges : null })),
    coordinators: new Map(names.filter(() => random.chance(0.3)).map((name) => [name, random.chance(0.5)])),
    finished: done,
    lost: some(all, lossRate),
    givenUp: some(all, random.pick([0, 0, 0.2])),
    partsLost: some([...done], random.pick([0, 0, 0.1])),
    end: random.chance(0.05) ? random.pick(['FINISHED', 'FAILED', 'commit'] as const) : null,
    rules: {
      optionalPartitionsAvailable: random.chance(0.7),
      pendingRestartsConsumers: random.chance(0.7),
      passesPending: false,
      initializesAfterRecovery: random.chance(0.7),
    },
    living: some(names, random.pick([0, 0, 0.5, 1])),
    awaiting: some([...done], random.pick([0, 0, 0.2, 0.6])),
  };
}

function randomEdges(random: Random, names: readonly string[], wanted: ReadonlyMap<string, number>): ScenarioEdge[] {
  const edges: ScenarioEdge[] = [];
  for (const [at, to] of names.entries()) {
    for (const from of names.slice(0, at)) {
      if (!random.chance(at === 1 || names[at - 1] === from ? 0.8 : 0.3)) continue;
      const exchange = random.pick(exchanges);
      const ranges = randomRanges(random, exchange, wanted.get(from) ?? 1, wanted.get(to) ?? 1);
      edges.push({ from, to, exchange, ranges });
    }
  }
  return edges;
}

function randomRanges(
  random: Random,
  exchange: ExchangeKind,
  partitions: number,
  consumers: number,
): (readonly [number, number])[] | null {
  if (random.chance(0.1)) return null;
  return Array.from({ length: consumers }, (_, index): readonly [number, number] => {
    if (exchange !== 'forward' && exchange !== 'rescale') return [0, partitions - 1];
    if (random.chance(0.2)) {
      const first = random.below(partitions);
      return [first, first + random.below(partitions - first)];
    }
    return [Math.floor((index * partitions) / consumers), Math.floor(((index + 1) * partitions) / consumers) - 1];
  });
}

interface ProgressInput {
  readonly names: readonly string[];
  readonly wanted: ReadonlyMap<string, number>;
  readonly edges: readonly ScenarioEdge[];
  /** Whether a task finishes only behind all that it reads, as a log without torn resets has it. */
  readonly causal: boolean;
}

function randomProgress(random: Random, input: ProgressInput): { tasks: Map<string, number>; done: Set<string> } {
  const tasks = new Map<string, number>();
  const done = new Set<string>();
  const rate = random.pick([0.3, 0.7, 0.9, 1]);
  for (const name of input.names) {
    const inputs = input.edges.filter((edge) => edge.to === name);
    const known = input.causal
      ? inputs.every((edge) => tasks.has(edge.from)) && random.chance(0.9)
      : random.chance(0.85);
    if (!known) continue;
    const count = input.wanted.get(name) ?? 1;
    tasks.set(name, count);
    for (let subtask = 0; subtask < count; subtask += 1) {
      const ready = inputs.every((edge) =>
        readBy(edge, subtask, tasks).every((index) => done.has(`${edge.from}#${index}`)),
      );
      if ((ready || !input.causal) && random.chance(rate)) done.add(`${name}#${subtask}`);
    }
  }
  return { tasks, done };
}

/** Indices of the partitions that a consumer task reads. */
export function readBy(edge: ScenarioEdge, subtask: number, tasks: ReadonlyMap<string, number>): number[] {
  const all = Array.from({ length: tasks.get(edge.from) ?? 0 }, (_, index) => index);
  if (edge.ranges === null) return all;
  const [first, last] = edge.ranges[subtask] ?? [0, all.length - 1];
  return first > last ? all.slice(0, 1) : all.filter((index) => index >= first && index <= last);
}

function partitionsOf(edge: ScenarioEdge, tasks: ReadonlyMap<string, number>): string[] {
  return Array.from({ length: tasks.get(edge.from) ?? 0 }, (_, index) => partitionName(edge, index));
}

/** The log of the scenario, replayed. */
export function graphOf(scenario: Scenario): ExecutionGraph {
  const graph = createExecutionGraph();
  for (const record of recordsOf(eventsOf(scenario))) applyEvent(graph, record, record.event);
  return graph;
}

export function eventsOf(scenario: Scenario): JobEvent[] {
  const reads = (name: string) =>
    Object.fromEntries(scenario.edges.filter((edge) => edge.to === name).map((edge) => [edge.from, edge.exchange]));
  const events: JobEvent[] = [submitted(jobGraphOf(scenario.names.map((name) => ({ name, reads: reads(name) }))))];
  for (const [name, count] of scenario.tasks) events.push(initialized(name, count, inputsOf(scenario, name)));
  for (const [name, supported] of scenario.coordinators) events.push(coordinator(name, supported));
  for (const task of scenario.finished) events.push(finishOf(scenario, task));
  events.push({ type: 'partitions-released', partitions: [...scenario.givenUp].map(partitionRef) });
  if (scenario.end === 'commit') events.push({ type: 'commit-started', sinks: [] });
  else if (scenario.end !== null) events.push({ type: 'job-status-changed', state: scenario.end, reason: null });
  return events;
}

function inputsOf(scenario: Scenario, name: string): Record<string, readonly (readonly [number, number])[]> {
  const inputs = scenario.edges.filter((edge) => edge.to === name);
  return Object.fromEntries(inputs.map((edge) => [datasetId(edge.from, edge.exchange), edge.ranges ?? []]));
}

function coordinator(name: string, supportsBatchSnapshot: boolean): JobEvent {
  return {
    type: 'coordinator-snapshot',
    vertexId: vertexId(name),
    operatorId: 'op',
    incremental: false,
    assigned: [],
    finished: [],
    supportsBatchSnapshot,
  };
}

function finishOf(scenario: Scenario, task: string): JobEvent {
  const [name = '', subtask = '0'] = task.split('#');
  const outputs = new Set(
    scenario.edges.filter((edge) => edge.from === name).map((edge) => datasetId(name, edge.exchange)),
  );
  const event = finished(name, Number(subtask), { outputs: [...outputs], parts: [task] });
  return scenario.awaiting.has(task) ? { ...event, awaitsSnapshotsOf: ['op'] } : event;
}

export function partitionRef(partition: string): { datasetId: string; partitionIndex: number } {
  const [producer = '', rest = ''] = partition.split('>');
  const [exchange = 'hash', index = '0'] = rest.split('#');
  return { datasetId: datasetId(producer, exchange as ExchangeKind), partitionIndex: Number(index) };
}

export function survivorsOf(scenario: Scenario): Survivors {
  const key = (ref: { datasetId: string; partitionIndex: number }) => `${ref.datasetId}#${ref.partitionIndex}`;
  const lost = new Set([...scenario.lost].map((partition) => key(partitionRef(partition))));
  const living = new Set([...scenario.living].map(vertexId));
  return {
    has: (partition) => !lost.has(key(partition)),
    partHas: (part) => !scenario.partsLost.has(part.file),
    coordinatorLives: (id) => living.has(id),
  };
}
