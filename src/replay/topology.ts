// Topology: which vertex produces and which vertices read each data set. A jobrec store records it; for stores that do
// not, a caller supplies one from elsewhere, so that planning does not know where it comes from.
import type { IntermediateDataSetId, JobVertexId } from '../model/ids.ts';
import type { ExecutionGraph } from './execution-graph.ts';

export interface Topology {
  /** Data sets that a vertex produces, in a stable order. */
  outputsOf(vertexId: JobVertexId): readonly IntermediateDataSetId[];
  /** Vertices that read a data set, initialized or not; each once. */
  consumersOf(datasetId: IntermediateDataSetId): readonly JobVertexId[];
}

/** The topology that the store itself recorded. */
export function recordedTopology(graph: ExecutionGraph): Topology {
  const outputs = new Map<JobVertexId, Set<IntermediateDataSetId>>();
  const consumers = new Map<IntermediateDataSetId, Set<JobVertexId>>();
  for (const vertex of graph.vertices.values()) {
    if (vertex.outputs !== null) outputs.set(vertex.id, new Set(vertex.outputs));
  }
  for (const { producerVertexId, consumerVertexId, datasetId } of graph.edges) {
    add(outputs, producerVertexId, datasetId);
    add(consumers, datasetId, consumerVertexId);
  }
  return {
    outputsOf: (vertexId) => [...(outputs.get(vertexId) ?? [])],
    consumersOf: (datasetId) => [...(consumers.get(datasetId) ?? [])],
  };
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}
