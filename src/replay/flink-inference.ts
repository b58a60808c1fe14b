// Edges from the events alone: who reads what is recorded, who produces it is not. Ids of Flink 2.x tell; else the
// producer is the vertex that had wholly finished when the consumer was initialized, that has as many tasks as the
// consumer reads partitions, and whose rows fit best. Bytes written that nobody reads yet mean a consumer to come.

import { isDerivedFrom } from '../model/flink-ids.ts';
import type { ExecutionEdge } from './execution-graph.ts';
import { rangesOf, unnamedDataSet, unseenConsumer, unseenProducer } from './flink-edges.ts';
import type { FinishedStep, FlinkStep, InitializedStep } from './flink-history.ts';
import { connectedRanges, distributionShown, partitionsReached, widestOf } from './flink-inputs.ts';

export interface InferredEdges {
  readonly edges: readonly ExecutionEdge[];
  /** Whether every producer followed from the ids. */
  readonly isDerived: boolean;
  readonly assumptions: readonly string[];
}

interface SeenVertex {
  readonly step: InitializedStep;
  /** The first finish of each subtask. */
  readonly finishes: Map<number, FinishedStep>;
  /** The vertex whose last task finished right before this one was initialized: an input of it that became whole. */
  trigger: string | null;
}

type Seen = ReadonlyMap<string, SeenVertex>;

interface Link {
  readonly consumer: SeenVertex;
  readonly datasetId: string;
  readonly producer: string | null;
}

/** Edges of the initialized vertices. */
export function inferEdges(initialized: readonly InitializedStep[], history: readonly FlinkStep[]): InferredEdges {
  const seen = seenVertices(initialized, history);
  const widest = widestOf(initialized.map(({ event }) => event));
  const byId = linksOf(seen, (datasetId) => [...seen.keys()].find((id) => isDerivedFrom(datasetId, id)) ?? null);
  const guesses: Guesses = { taken: new Map(), count: 0 };
  // Where one id is derived, all are: a data set that no seen vertex gives has a producer that no event initialized.
  const areDerived = byId.some((link) => link.producer !== null);
  const complete = (link: Link): Link =>
    areDerived ? { ...link, producer: unseenProducer } : guessProducer(seen, link, guesses, widest);
  const links = byId.map((link) => (link.producer === null ? complete(link) : link));
  const edges = links.flatMap((link) => (link.producer === null ? [] : [edgeOf(link, link.producer, widest)]));
  const unseen = [...seen].filter(
    ([id, vertex]) => writes(vertex) && !edges.some((edge) => edge.producerVertexId === id),
  );
  return {
    edges: [...edges, ...unseen.map(([id]) => unseenEdge(id))],
    isDerived: areDerived,
    assumptions: assumptionsOf(guesses.count, unseen.length, links.filter((link) => link.producer === null).length),
  };
}

function seenVertices(initialized: readonly InitializedStep[], history: readonly FlinkStep[]): Seen {
  const seen = new Map<string, SeenVertex>();
  for (const step of initialized) seen.set(step.event.vertexId, { step, finishes: new Map(), trigger: null });
  let completed: string | null = null;
  for (const step of history) {
    if (step.kind === 'initialized') noteTrigger(seen.get(step.event.vertexId), completed);
    if (step.kind !== 'finished') continue;
    const vertex = seen.get(step.vertexId);
    if (vertex !== undefined && !vertex.finishes.has(step.subtask)) vertex.finishes.set(step.subtask, step);
    completed = vertex?.finishes.size === vertex?.step.event.parallelism ? step.vertexId : null;
  }
  return seen;
}

function noteTrigger(vertex: SeenVertex | undefined, completed: string | null): void {
  if (vertex !== undefined) vertex.trigger = completed;
}

function linksOf(seen: Seen, producerOf: (datasetId: string) => string | null): Link[] {
  return [...seen.values()].flatMap((consumer) => {
    const datasets = new Set(consumer.step.event.inputs.map((input) => input.datasetId));
    return [...datasets].map((datasetId) => ({ consumer, datasetId, producer: producerOf(datasetId) }));
  });
}

function edgeOf({ consumer, datasetId }: Link, producerVertexId: string, widest: number): ExecutionEdge {
  const consumerVertexId = consumer.step.event.vertexId;
  const distribution = distributionShown(rangesOf(consumer.step.event, datasetId), widest);
  return { producerVertexId, consumerVertexId, datasetId, distribution };
}

function unseenEdge(producerVertexId: string): ExecutionEdge {
  const datasetId = unnamedDataSet(producerVertexId, 'next');
  return { producerVertexId, consumerVertexId: unseenConsumer, datasetId, distribution: 'ALL_TO_ALL' };
}

function writes({ finishes }: SeenVertex): boolean {
  return [...finishes.values()].some((finish) => finish.metrics.bytesOut > 0);
}

interface Guesses {
  /** Producer → the consumers that it has already. */
  readonly taken: Map<string, Set<SeenVertex>>;
  count: number;
}

function guessProducer(seen: Seen, link: Link, guesses: Guesses, widest: number): Link {
  const { taken } = guesses;
  const candidates = [...seen].filter(([, producer]) => couldProduce(producer, link, widest));
  const { consumer } = link;
  const no = (condition: boolean) => (condition ? 0 : 1);
  const order = ([id, producer]: [string, SeenVertex]) => [
    no(taken.get(id)?.has(consumer) !== true),
    no(id === consumer.trigger),
    no(!taken.has(id)),
    rowsMisfit(producer, link),
    -producer.step.sequence,
  ];
  const [best] = candidates.map((each) => ({ id: each[0], order: order(each) })).toSorted(byOrder);
  if (best === undefined) return link;
  taken.set(best.id, (taken.get(best.id) ?? new Set()).add(consumer));
  guesses.count += 1;
  return { ...link, producer: best.id };
}

interface Ordered {
  readonly order: readonly number[];
}

/** The first number that differs decides. */
function byOrder(left: Ordered, right: Ordered): number {
  const at = left.order.findIndex((value, index) => value !== right.order[index]);
  return at < 0 ? 0 : (left.order[at] ?? 0) - (right.order[at] ?? 0);
}

/** Initialized before, as many tasks as partitions are read, and each finished before a task that read from it. */
function couldProduce(producer: SeenVertex, { consumer, datasetId }: Link, widest: number): boolean {
  const { step, finishes } = producer;
  const recorded = rangesOf(consumer.step.event, datasetId);
  if (step.sequence >= consumer.step.sequence || partitionsReached(recorded) !== step.event.parallelism) return false;
  if (finishes.size > 0 && !writes(producer)) return false;
  const ranges = connectedRanges(recorded, distributionShown(recorded, widest), step.event.parallelism);
  return [...consumer.finishes].every(([subtask, { sequence }]) => {
    const [first, last] = ranges[subtask]?.partitions ?? [0, -1];
    for (let index = first; index <= last; index += 1) {
      const read = finishes.get(index);
      if (read === undefined || read.sequence > sequence) return false;
    }
    return true;
  });
}

/** How far the rows written are from the rows read; only told where all tasks of a one-input consumer have finished. */
function rowsMisfit(producer: SeenVertex, { consumer }: Link): number {
  const { step, finishes } = consumer;
  const isWhole = finishes.size === step.event.parallelism && step.event.inputs.length === 1;
  return isWhole ? Math.abs(rows(producer, 'recordsOut') - rows(consumer, 'recordsIn')) : 0;
}

function rows({ finishes }: SeenVertex, count: 'recordsIn' | 'recordsOut'): number {
  return [...finishes.values()].reduce((sum, finish) => sum + finish.metrics[count], 0);
}

function assumptionsOf(guessed: number, unseen: number, unknown: number): string[] {
  const assumptions: string[] = [];
  if (guessed > 0) {
    assumptions.push(
      `the producers of data sets (${guessed}) are inferred from the order and sizes of the events: the job graph is not beside the store (--topology gives it)`,
    );
  }
  if (unknown > 0) assumptions.push(`no producer fits some data sets (${unknown}): their partitions count as there`);
  if (unseen > 0) {
    assumptions.push('a vertex that wrote bytes which nobody reads yet has a consumer that is not initialized');
  }
  return assumptions;
}
