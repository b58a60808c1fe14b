// Edges from the events alone: who reads what is recorded, who produces it is not. Ids of Flink 2.x tell; else the
// producer is the vertex that had wholly finished when the consumer was initialized, that has as many tasks as the
// consumer reads partitions, and whose rows fit best. Bytes written that nobody reads yet mean a consumer to come.
import type { ExecutionEdge } from './execution-graph.ts';
import { isDerivedFrom } from './flink-derived-ids.ts';
import type { FinishedStep, FlinkStep, InitializedStep } from './flink-history.ts';
import { distributionShown, partitionsRead, unnamedDataSet, unseenConsumer, unseenProducer } from './flink-edges.ts';

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
  const byId = linksOf(seen, (datasetId) => [...seen.keys()].find((id) => isDerivedFrom(datasetId, id)) ?? null);
  const guessed = new Set<string>();
  // Where one id is derived, all are: a data set that no seen vertex gives has a producer that no event initialized.
  const areDerived = byId.some((link) => link.producer !== null);
  const complete = (link: Link): Link =>
    areDerived ? { ...link, producer: unseenProducer } : guessProducer(seen, byId, link, guessed);
  const links = byId.map((link) => (link.producer === null ? complete(link) : link));
  const edges = links.flatMap((link) => (link.producer === null ? [] : [edgeOf(link, link.producer)]));
  const unseen = [...seen].filter(([id, vertex]) => writes(vertex) && !edges.some((edge) => edge.producerVertexId === id));
  return {
    edges: [...edges, ...unseen.map(([id]) => unseenEdge(id))],
    isDerived: areDerived,
    assumptions: assumptionsOf(guessed.size, unseen.length, links.filter((link) => link.producer === null).length),
  };
}

function seenVertices(initialized: readonly InitializedStep[], history: readonly FlinkStep[]): Seen {
  const seen = new Map<string, SeenVertex>();
  for (const step of initialized) seen.set(step.event.vertexId, { step, finishes: new Map() });
  for (const step of history) {
    if (step.kind !== 'finished') continue;
    const finishes = seen.get(step.vertexId)?.finishes;
    if (finishes !== undefined && !finishes.has(step.subtask)) finishes.set(step.subtask, step);
  }
  return seen;
}

function linksOf(seen: Seen, producerOf: (datasetId: string) => string | null): Link[] {
  return [...seen.values()].flatMap((consumer) => {
    const datasets = new Set(consumer.step.event.inputs.map((input) => input.datasetId));
    return [...datasets].map((datasetId) => ({ consumer, datasetId, producer: producerOf(datasetId) }));
  });
}

function edgeOf({ consumer, datasetId }: Link, producerVertexId: string): ExecutionEdge {
  const consumerVertexId = consumer.step.event.vertexId;
  return { producerVertexId, consumerVertexId, datasetId, distribution: distributionShown(consumer.step, datasetId) };
}

function unseenEdge(producerVertexId: string): ExecutionEdge {
  const datasetId = unnamedDataSet(producerVertexId, 'next');
  return { producerVertexId, consumerVertexId: unseenConsumer, datasetId, distribution: 'ALL_TO_ALL' };
}

function writes({ finishes }: SeenVertex): boolean {
  return [...finishes.values()].some((finish) => finish.metrics.bytesOut > 0);
}

function guessProducer(seen: Seen, links: readonly Link[], link: Link, guessed: Set<string>): Link {
  const taken = new Set(links.map((other) => other.producer));
  const candidates = [...seen].filter(([, producer]) => couldProduce(producer, link));
  const best = candidates.toSorted(
    ([firstId, first], [secondId, second]) =>
      Number(taken.has(firstId)) - Number(taken.has(secondId)) ||
      rowsMisfit(first, link) - rowsMisfit(second, link) ||
      lastFinish(second) - lastFinish(first),
  )[0];
  if (best === undefined) return link;
  guessed.add(link.datasetId);
  return { ...link, producer: best[0] };
}

function couldProduce(producer: SeenVertex, { consumer, datasetId }: Link): boolean {
  const { step, finishes } = producer;
  if (step.sequence >= consumer.step.sequence || !writes(producer)) return false;
  const { parallelism } = step.event;
  if (partitionsRead(consumer.step.event, datasetId) !== parallelism) return false;
  return finishes.size === parallelism && lastFinish(producer) < consumer.step.sequence;
}

function lastFinish({ finishes }: SeenVertex): number {
  return Math.max(-1, ...[...finishes.values()].map((finish) => finish.sequence));
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
      `the producers of ${guessed} data sets are inferred from the order and sizes of the events: the job graph is not beside the store (--topology gives it)`,
    );
  }
  if (unknown > 0) assumptions.push(`no producer fits ${unknown} data sets: their partitions count as there`);
  if (unseen > 0) {
    assumptions.push('a vertex that wrote bytes which nobody reads yet has a consumer that is not initialized');
  }
  return assumptions;
}
