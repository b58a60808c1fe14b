// Chains operators into vertices and connects the rest by exchanges. An operator joins the vertex before it where it
// reads that one alone, row by row, with the same parallelism. The JobGraph's own vertices and edges say the same in
// the words of batch jobs, so that everything that replays a store knows them.
import { derivedId } from '../../model/ids.ts';
import type { DataSet, JobEdge, JobGraph, JobVertex } from '../../model/job-graph.ts';
import type { StreamingPlan, StreamOperator, StreamOutput, StreamVertex } from '../../model/streaming-plan.ts';
import type { StreamNode } from './stream-nodes.ts';

interface BuiltVertex {
  readonly head: StreamNode;
  readonly nodes: StreamNode[];
}

export function buildStreamGraph(
  name: string,
  nodes: readonly StreamNode[],
  maxParallelism: number,
  duckdbVersion: string,
): JobGraph {
  const vertices = chained(nodes);
  const vertexOf = new Map(vertices.flatMap((vertex) => vertex.nodes.map((node) => [node, vertex] as const)));
  const streamVertices = vertices.map((vertex) => streamVertex(name, vertex, vertexOf));
  const streaming: StreamingPlan = { maxParallelism, vertices: streamVertices };
  const edges = streamVertices.flatMap(edgesFrom);
  const jobVertices = streamVertices.map((vertex, index) => jobVertex(vertex, vertices[index], maxParallelism));
  return { name, vertices: jobVertices, edges, sources: [], sinks: [], duckdbVersion, streaming };
}

function chained(nodes: readonly StreamNode[]): BuiltVertex[] {
  const vertices: BuiltVertex[] = [];
  const vertexOf = new Map<StreamNode, BuiltVertex>();
  for (const node of nodes) {
    const before = chainsTo(node);
    const vertex = (before && vertexOf.get(before)) ?? { head: node, nodes: [] };
    if (vertex.nodes.length === 0) vertices.push(vertex);
    vertex.nodes.push(node);
    vertexOf.set(node, vertex);
  }
  return vertices;
}

function chainsTo(node: StreamNode): StreamNode | null {
  const [input, ...more] = node.inputs;
  if (!input || more.length > 0 || !node.mayChain || !input.from.mayChain) return null;
  return input.exchange === 'forward' && input.from.parallelism === node.parallelism ? input.from : null;
}

function nameOf({ nodes }: BuiltVertex): string {
  return nodes.map(labelOf).join(' -> ');
}

/** As Flink names them. */
function labelOf({ name, spec }: StreamNode): string {
  if (spec.kind === 'source') return `Source: ${name}`;
  return spec.kind === 'sink' ? `Sink: ${name}` : name;
}

function idOf(job: string, vertex: BuiltVertex): string {
  // By the uid of its head, so that a renamed stage with its old uid stays the same vertex.
  return derivedId('stream-vertex', job, vertex.head.uid);
}

function streamVertex(job: string, vertex: BuiltVertex, vertexOf: ReadonlyMap<StreamNode, BuiltVertex>): StreamVertex {
  const outputs = vertex.nodes.flatMap((node, operator) => outputsOf(job, node, operator, vertexOf));
  const inputs = vertex.head.inputs.flatMap(({ from }, index) => {
    const producer = vertexOf.get(from);
    if (!producer) return [];
    const datasetId = datasetIdOf(job, from, vertex.head, index);
    return [{ datasetId, producerVertexId: idOf(job, producer) }];
  });
  const { parallelism } = vertex.head;
  const operators = vertex.nodes.map((node) => operatorOf(node, vertex));
  return { vertexId: idOf(job, vertex), name: nameOf(vertex), parallelism, operators, inputs, outputs };
}

function operatorOf(node: StreamNode, vertex: BuiltVertex): StreamOperator {
  const { name, uid, operatorId, spec } = node;
  const feeding = node === vertex.head ? -1 : vertex.nodes.indexOf(node.inputs[0]?.from as StreamNode);
  return { name, uid, operatorId, input: feeding < 0 ? null : feeding, spec };
}

/** One data set a reading input: nothing is shared, since nothing is kept. */
function outputsOf(
  job: string,
  node: StreamNode,
  operator: number,
  vertexOf: ReadonlyMap<StreamNode, BuiltVertex>,
): StreamOutput[] {
  const own = vertexOf.get(node);
  const others = new Set(vertexOf.values());
  return [...others].flatMap((consumer) => {
    if (consumer === own && consumer.head === node) return [];
    return consumer.head.inputs.flatMap(({ from, exchange, by }, index) => {
      if (from !== node) return [];
      const datasetId = datasetIdOf(job, from, consumer.head, index);
      return [{ datasetId, consumerVertexId: idOf(job, consumer), operator, exchange, by }];
    });
  });
}

function datasetIdOf(job: string, from: StreamNode, head: StreamNode, input: number): string {
  return derivedId('stream-dataset', job, from.uid, head.uid, String(input));
}

function edgesFrom({ vertexId, outputs }: StreamVertex): JobEdge[] {
  return outputs.map(({ datasetId, consumerVertexId, exchange }) => ({
    producerVertexId: vertexId,
    consumerVertexId,
    datasetId,
    exchange,
  }));
}

function jobVertex(vertex: StreamVertex, built: BuiltVertex | undefined, maxParallelism: number): JobVertex {
  const { vertexId: id, name, parallelism } = vertex;
  const stages = (built?.nodes ?? []).filter((node) => node.isStage).map((node) => node.name);
  const inputs = vertex.inputs.map(({ datasetId }) => ({ kind: 'dataset', datasetId }) as const);
  const outputs = vertex.outputs.map(({ datasetId, operator, exchange, by }): DataSet => {
    const keys = by.map((column) => ({ column, castType: null }));
    return {
      id: datasetId,
      from: { kind: 'step', step: operator },
      exchange,
      by: keys,
      subpartitions: 1,
      columns: null,
    };
  });
  return { id, name, stages, inputs, steps: [], outputs, sinks: [], parallelism, maxParallelism };
}
