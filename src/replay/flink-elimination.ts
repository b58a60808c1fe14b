// Which data set belongs to which edge of a plan that names none: the events of an initialized consumer name the data sets
// that it reads, its edges in the plan name the producers. Most pairs follow by elimination; what is left is chosen by
// the number of partitions, and said.

import { isDerivedFrom } from '../model/flink-ids.ts';
import type { FlinkJob, FlinkJobEdge } from '../model/flink-job.ts';
import type { InputRange } from '../model/job-events.ts';
import type { Distribution } from '../model/job-graph.ts';
import type { ExecutionEdge } from './execution-graph.ts';
import { rangesOf, unnamedDataSet } from './flink-edges.ts';
import type { InitializedStep } from './flink-history.ts';
import { distributionShown, isSplitByPartition, partitionsReached, widestOf } from './flink-inputs.ts';

export interface AssignedEdges {
  readonly edges: readonly ExecutionEdge[];
  readonly assumptions: readonly string[];
}

interface Pairing {
  readonly job: FlinkJob;
  readonly parallelismOf: ReadonlyMap<string, number>;
  /** Data set → its producer, once known: a data set has one. */
  readonly producerOf: Map<string, string>;
  readonly pairs: Map<FlinkJobEdge, string>;
  readonly guessed: string[];
  readonly widest: number;
}

/** Every edge of the job with a data set id; placeholders where no event names one yet. */
export function assignDataSets(job: FlinkJob, initialized: readonly InitializedStep[]): AssignedEdges {
  const parallelismOf = new Map(initialized.map(({ event }) => [event.vertexId, event.parallelism]));
  const widest = widestOf(initialized.map(({ event }) => event));
  const pairing: Pairing = { job, parallelismOf, producerOf: new Map(), pairs: new Map(), guessed: [], widest };
  const byVertex = new Map(initialized.map((step) => [step.event.vertexId, step]));
  for (const edge of job.edges) {
    const { datasetId } = edge;
    if (datasetId !== null && mayRead(byVertex.get(edge.consumerVertexId), datasetId)) pair(pairing, edge, datasetId);
  }
  // Consumers with one input first: what they settle rules pairs out for the others.
  for (const step of initialized.toSorted((a, b) => a.event.inputs.length - b.event.inputs.length)) {
    pairConsumer(pairing, step);
  }
  const edges = job.edges.map((edge) => completed(pairing, edge, byVertex.get(edge.consumerVertexId)));
  return { edges, assumptions: guessAssumption(pairing.guessed, job) };
}

function completed(pairing: Pairing, edge: FlinkJobEdge, consumer: InitializedStep | undefined): ExecutionEdge {
  const { producerVertexId, consumerVertexId } = edge;
  const named = pairing.pairs.get(edge);
  const datasetId = named ?? unnamedDataSet(producerVertexId, consumerVertexId);
  const ranges = consumer === undefined || named === undefined ? [] : rangesOf(consumer.event, named);
  return { producerVertexId, consumerVertexId, datasetId, distribution: distributionOf(edge, ranges, pairing.widest) };
}

function distributionOf(edge: FlinkJobEdge, ranges: readonly InputRange[], widest: number): Distribution {
  const { distribution } = edge;
  if (distribution === null) return distributionShown(ranges, widest);
  return edge.mayBecomePointwise === true && isSplitByPartition(ranges) ? 'POINTWISE' : distribution;
}

/** An initialized consumer's event has the last word: consumers may share a data set of which the plan makes two. */
function mayRead(consumer: InitializedStep | undefined, datasetId: string): boolean {
  return consumer === undefined || consumer.event.inputs.some((input) => input.datasetId === datasetId);
}

function pair(pairing: Pairing, edge: FlinkJobEdge, datasetId: string): void {
  pairing.pairs.set(edge, datasetId);
  pairing.producerOf.set(datasetId, edge.producerVertexId);
}

function pairConsumer(pairing: Pairing, { event }: InitializedStep): void {
  const edges = pairing.job.edges.filter(
    (edge) => edge.consumerVertexId === event.vertexId && !pairing.pairs.has(edge),
  );
  const taken = new Set(edgesTaken(pairing, event.vertexId));
  const datasets = [...new Set(event.inputs.map((input) => input.datasetId))].filter((id) => !taken.has(id));
  while (edges.length > 0 && datasets.length > 0) {
    const { datasetId, edge, isCertain } = nextPair(pairing, event, edges, datasets);
    if (!isCertain) pairing.guessed.push(event.vertexId);
    pair(pairing, edge, datasetId);
    edges.splice(edges.indexOf(edge), 1);
    datasets.splice(datasets.indexOf(datasetId), 1);
  }
}

function edgesTaken({ pairs }: Pairing, consumerVertexId: string): string[] {
  return [...pairs].filter(([edge]) => edge.consumerVertexId === consumerVertexId).map(([, datasetId]) => datasetId);
}

interface NextPair {
  readonly datasetId: string;
  readonly edge: FlinkJobEdge;
  readonly isCertain: boolean;
}

/** A data set with one possible edge, or an edge with one possible data set; else the first that may fit. */
function nextPair(
  pairing: Pairing,
  event: InitializedStep['event'],
  edges: readonly FlinkJobEdge[],
  datasets: readonly string[],
): NextPair {
  const fits = (datasetId: string, edge: FlinkJobEdge) => mayFit(pairing, event, datasetId, edge);
  for (const datasetId of datasets) {
    const possible = edges.filter((edge) => fits(datasetId, edge));
    const [edge] = possible;
    if (edge !== undefined && isOneProducer(possible)) return { datasetId, edge, isCertain: true };
  }
  for (const edge of edges) {
    const possible = datasets.filter((datasetId) => fits(datasetId, edge));
    const [datasetId] = possible;
    if (datasetId !== undefined && possible.length === 1) return { datasetId, edge, isCertain: true };
  }
  const datasetId = datasets[0] as string;
  const edge = edges.find((candidate) => fits(datasetId, candidate)) ?? (edges[0] as FlinkJobEdge);
  return { datasetId, edge, isCertain: false };
}

function isOneProducer(edges: readonly FlinkJobEdge[]): boolean {
  return new Set(edges.map((edge) => edge.producerVertexId)).size === 1;
}

function mayFit(
  pairing: Pairing,
  event: InitializedStep['event'],
  datasetId: string,
  { producerVertexId }: FlinkJobEdge,
): boolean {
  const known = pairing.producerOf.get(datasetId);
  if (known !== undefined) return known === producerVertexId;
  const derived = pairing.job.vertices.filter((vertex) => isDerivedFrom(datasetId, vertex.id));
  if (derived.length > 0) return derived.some((vertex) => vertex.id === producerVertexId);
  const parallelism = pairing.parallelismOf.get(producerVertexId);
  return parallelism === undefined || partitionsReached(rangesOf(event, datasetId)) === parallelism;
}

function guessAssumption(guessed: readonly string[], job: FlinkJob): string[] {
  if (guessed.length === 0) return [];
  const nameOf = (id: string) => job.vertices.find((vertex) => vertex.id === id)?.name ?? id;
  const names = [...new Set(guessed)].map(nameOf).join(', ');
  return [
    `which input of ${names} reads which data set is not certain: the plan names none and the events fit several ways`,
  ];
}
