// From a StreamGraph to the vertices and data sets that Flink runs: chains of operators, named and numbered as Flink does.
// Spec: docs/flink.md "The submitted job".

import { derivedDataSetId } from '../../model/flink-ids.ts';
import type { FlinkCoordinator, FlinkJob, FlinkJobEdge, FlinkJobVertex } from '../../model/flink-job.ts';
import type { Distribution } from '../../model/job-graph.ts';
import type { StreamEdgeFacts, StreamGraphFacts, StreamNodeFacts } from './stream-graph.ts';
import { isChainable, isChainedSource, nodeHashes } from './stream-graph-chaining.ts';

interface Chain {
  readonly head: StreamNodeFacts;
  /** The head and all operators chained behind it, depth first. */
  readonly nodes: readonly StreamNodeFacts[];
  readonly chainedSources: readonly StreamNodeFacts[];
}

/** The job that Flink makes of this StreamGraph. */
export function jobOfStreamGraph(graph: StreamGraphFacts): FlinkJob {
  const hashes = nodeHashes(graph);
  const chains = chainsOf(graph);
  const vertices = chains.flatMap((chain) => vertexOf(graph, chain, hashes));
  const edges = chains.flatMap((chain) => edgesOf(graph, chain, hashes));
  const { jobId, name, config } = graph;
  return { source: 'stream-graph', jobId, name, vertices, edges, config, subtasks: [] };
}

function chainsOf(graph: StreamGraphFacts): Chain[] {
  const heads = [...graph.nodes.values()].filter((node) => isHead(graph, node));
  return heads.map((head) => {
    const inputs = head.inEdges.map((edge) => graph.nodes.get(edge.sourceId));
    const chainedSources = inputs.filter((node) => node !== undefined && isChainedSource(graph, node));
    return { head, nodes: chainFrom(graph, head), chainedSources: chainedSources as StreamNodeFacts[] };
  });
}

function isHead(graph: StreamGraphFacts, node: StreamNodeFacts): boolean {
  return !isChainedSource(graph, node) && !node.inEdges.some((edge) => isChainable(graph, edge));
}

function chainFrom(graph: StreamGraphFacts, head: StreamNodeFacts): StreamNodeFacts[] {
  const nodes: StreamNodeFacts[] = [];
  const seen = new Set<number>();
  const stack = [head];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    nodes.push(node);
    stack.push(...chainedTargets(graph, node).toReversed());
  }
  return nodes;
}

function chainedTargets(graph: StreamGraphFacts, node: StreamNodeFacts): StreamNodeFacts[] {
  const targets = node.outEdges
    .filter((edge) => isChainable(graph, edge))
    .map((edge) => graph.nodes.get(edge.targetId));
  return targets.filter((target) => target !== undefined);
}

function vertexOf(graph: StreamGraphFacts, chain: Chain, hashes: ReadonlyMap<number, string>): FlinkJobVertex[] {
  const id = hashes.get(chain.head.id);
  if (id === undefined) return [];
  const { parallelism, parallelismConfigured } = chain.head;
  const coordinators = [...chain.chainedSources, ...chain.nodes].flatMap((node) => coordinatorOf(node, hashes));
  const name = chainName(graph, chain);
  return [{ id, name, parallelism: parallelismConfigured && parallelism > 0 ? parallelism : null, coordinators }];
}

/** Operator factories with a coordinator. */
const coordinated =
  /\.(SourceOperatorFactory|CollectSinkOperatorFactory|DynamicFilteringDataCollectorOperatorFactory|DataCollectingOperatorFactory)$/;

function coordinatorOf(node: StreamNodeFacts, hashes: ReadonlyMap<number, string>): FlinkCoordinator[] {
  const operatorId = hashes.get(node.id);
  if (operatorId === undefined || node.operator === null || !coordinated.test(node.operator.factory)) return [];
  return [{ operatorId, sourceClass: node.operator.sourceClass }];
}

/** `a -> b -> c`, `a -> (b, c)`, and the sources inside a multiple-input operator in brackets. */
function chainName(graph: StreamGraphFacts, { head, nodes, chainedSources }: Chain): string {
  const names = new Map<number, string>();
  for (const node of nodes.toReversed()) {
    const targets = chainedTargets(graph, node).map((target) => names.get(target.id) ?? target.name);
    const own =
      node === head && chainedSources.length > 0
        ? `${node.name} [${chainedSources.map((source) => source.name).join(', ')}]`
        : node.name;
    const rest = targets.length > 1 ? ` -> (${targets.join(', ')})` : targets.map((target) => ` -> ${target}`).join('');
    names.set(node.id, own + rest);
  }
  return names.get(head.id) ?? head.name;
}

function edgesOf(graph: StreamGraphFacts, { head, nodes }: Chain, hashes: ReadonlyMap<number, string>): FlinkJobEdge[] {
  const producerVertexId = hashes.get(head.id);
  if (producerVertexId === undefined) return [];
  return nodes.flatMap((node) => {
    const edges = node.outEdges.filter((edge) => !isChainable(graph, edge));
    return edges.flatMap((edge, index): FlinkJobEdge[] => {
      const consumerVertexId = hashes.get(edge.targetId);
      if (consumerVertexId === undefined) return [];
      const first = edges.slice(0, index).find((earlier) => sharesOutput(graph, earlier, edge)) ?? edge;
      const datasetId = derivedDataSetId(producerVertexId, javaHash(first.edgeId));
      const distribution = distributionOf(edge);
      return [{ producerVertexId, consumerVertexId, datasetId, distribution, mayBecomePointwise: isOfSqlHash(edge) }];
    });
  });
}

const partitionersWithoutKey = /^(Rebalance|Broadcast|Rescale|Shuffle|Global|ForwardForUnspecified)Partitioner$/;

/** Consumers with one partitioner read one data set. Partitioners with a key are equal only where events show it. */
function sharesOutput(graph: StreamGraphFacts, first: StreamEdgeFacts, second: StreamEdgeFacts): boolean {
  const [one, other] = [graph.nodes.get(first.targetId), graph.nodes.get(second.targetId)];
  return (
    !first.hasOutputTag &&
    !second.hasOutputTag &&
    asRun(first) === asRun(second) &&
    partitionersWithoutKey.test(first.partitioner) &&
    one?.parallelism === other?.parallelism &&
    one?.maxParallelism === other?.maxParallelism
  );
}

/** Between two vertices, an unspecified forward edge is run as a rescale. */
function asRun({ partitioner }: StreamEdgeFacts): string {
  return partitioner === 'ForwardForUnspecifiedPartitioner' ? 'RescalePartitioner' : partitioner;
}

function distributionOf(edge: StreamEdgeFacts): Distribution {
  if (asRun(edge) === 'BroadcastPartitioner') return 'BROADCAST';
  return /^(Rescale|Forward)Partitioner$/.test(asRun(edge)) ? 'POINTWISE' : 'ALL_TO_ALL';
}

function isOfSqlHash({ partitioner }: StreamEdgeFacts): boolean {
  return partitioner === 'BinaryHashPartitioner';
}

/** String.hashCode of Java. */
function javaHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) hash = (Math.imul(31, hash) + text.charCodeAt(index)) | 0;
  return hash;
}
