// Which operators of a StreamGraph Flink chains, and the ids that it gives them: a hash of the uid, else of the place in
// the graph. Follows Flink's job graph generator; a test holds it against the graphs that real Flink made.
// Spec: docs/flink.md "The submitted job".
import { murmur3 } from './murmur3.ts';
import { isSource, type StreamEdgeFacts, type StreamGraphFacts, type StreamNodeFacts } from './stream-graph.ts';

/** Whether both ends of an edge run in one task. */
export function isChainable(graph: StreamGraphFacts, edge: StreamEdgeFacts): boolean {
  return graph.nodes.get(edge.targetId)?.inEdges.length === 1 && isChainableInput(graph, edge);
}

/** Whether a source runs inside the operator that reads it (a multiple-input operator with chained sources). */
export function isChainedSource(graph: StreamGraphFacts, node: StreamNodeFacts): boolean {
  const [edge] = node.outEdges;
  if (!isSource(node) || edge === undefined || node.outEdges.length !== 1) return false;
  const target = graph.nodes.get(edge.targetId);
  return target?.operator?.chaining === 'HEAD_WITH_SOURCES' && isChainableInput(graph, edge);
}

function isChainableInput(graph: StreamGraphFacts, edge: StreamEdgeFacts): boolean {
  const up = graph.nodes.get(edge.sourceId);
  const down = graph.nodes.get(edge.targetId);
  if (up === undefined || down === undefined || !isOn(graph, 'pipeline.operator-chaining.enabled')) return false;
  const isUnion = down.inEdges.some((other) => other.edgeId !== edge.edgeId && other.typeNumber === edge.typeNumber);
  return !isUnion && up.slotSharingGroup === down.slotSharingGroup && canChain(graph, up, down) && isForward(edge);
}

/** Options of the job that are on unless it says otherwise; `pipeline.operator-chaining` is the older name. */
function isOn(graph: StreamGraphFacts, option: string): boolean {
  const older =
    option === 'pipeline.operator-chaining.enabled' ? graph.config['pipeline.operator-chaining'] : undefined;
  return (graph.config[option] ?? older) !== 'false';
}

function isForward({ partitioner, exchangeMode }: StreamEdgeFacts): boolean {
  if (partitioner === 'ForwardForConsecutiveHashPartitioner') return true;
  return /^Forward(ForUnspecified)?Partitioner$/.test(partitioner) && exchangeMode !== 'BATCH';
}

const anyMaxParallelism = 'pipeline.operator-chaining.chain-operators-with-different-max-parallelism';

function canChain(graph: StreamGraphFacts, up: StreamNodeFacts, down: StreamNodeFacts): boolean {
  if (up.operator === null || down.operator === null || up.operator.chaining === 'NEVER') return false;
  if (up.parallelism !== down.parallelism) return false;
  if (up.maxParallelism !== down.maxParallelism && !isOn(graph, anyMaxParallelism)) return false;
  if (down.operator.chaining === 'HEAD_WITH_SOURCES') return isSource(up);
  return down.operator.chaining === 'ALWAYS';
}

/** Node id → 32 hexadecimal digits; nodes that no source leads to have none. */
export function nodeHashes(graph: StreamGraphFacts): Map<number, string> {
  const hashes = new Map<number, Buffer>();
  const queue = [...graph.sourceIds].sort((a, b) => a - b);
  const visited = new Set(queue);
  // A node whose inputs are not hashed yet comes back through the last of them.
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const node = graph.nodes.get(next);
    const hash = node === undefined ? null : hashOf(graph, node, hashes);
    if (node === undefined || hash === null) {
      visited.delete(next);
      continue;
    }
    hashes.set(next, hash);
    for (const { targetId } of node.outEdges) {
      if (visited.has(targetId) || hashes.has(targetId)) continue;
      visited.add(targetId);
      queue.push(targetId);
    }
  }
  return new Map([...hashes].map(([id, hash]) => [id, hash.toString('hex')]));
}

function hashOf(graph: StreamGraphFacts, node: StreamNodeFacts, hashes: ReadonlyMap<number, Buffer>): Buffer | null {
  if (node.uid !== null) return murmur3(Buffer.from(node.uid, 'utf8'));
  const inputs = node.inEdges.map((edge) => hashes.get(edge.sourceId));
  if (inputs.includes(undefined)) return null;
  const chained = node.outEdges.filter((edge) => isChainable(graph, edge)).length;
  const hash = murmur3(repeatedInt(hashes.size, 1 + chained));
  for (const input of inputs) {
    for (let at = 0; at < hash.length; at += 1) hash[at] = (((hash[at] ?? 0) * 37) & 0xff) ^ (input?.[at] ?? 0);
  }
  return hash;
}

function repeatedInt(value: number, times: number): Buffer {
  const bytes = Buffer.alloc(4 * times);
  for (let index = 0; index < times; index += 1) bytes.writeInt32LE(value, 4 * index);
  return bytes;
}
