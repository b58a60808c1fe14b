// Decides a vertex's parallelism and inputs when its producers have finished, as the events to record.
import { invariant } from '../../model/errors.ts';
import type { JobEvent, ProducedPartition } from '../../model/job-events.ts';
import type { DataSet, JobGraph, JobVertex } from '../../model/job-graph.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { decideParallelism, type ProducedDataSet } from './adaptive-parallelism.ts';
import { initialSnapshots } from './source-coordinator/static-splits.ts';

export interface AdaptiveOptions {
  readonly minParallelism: number;
  readonly bytesPerTask: number;
}

export function initializationEvents(
  graph: ExecutionGraph,
  jobGraph: JobGraph,
  vertex: JobVertex,
  options: AdaptiveOptions,
): JobEvent[] {
  const inputs = vertex.inputs.flatMap((input) =>
    input.kind === 'dataset' ? [producedDataSet(graph, jobGraph, input.datasetId)] : [],
  );
  const decision = decideParallelism(inputs, {
    fixed: vertex.parallelism,
    min: options.minParallelism,
    max: vertex.maxParallelism,
    bytesPerTask: options.bytesPerTask,
  });
  return [
    {
      type: 'job-vertex-initialized',
      vertexId: vertex.id,
      parallelism: decision.parallelism,
      maxParallelism: vertex.maxParallelism,
      inputs: decision.inputs,
    },
    ...initialSnapshots(jobGraph, vertex),
  ];
}

function producedDataSet(graph: ExecutionGraph, jobGraph: JobGraph, datasetId: string): ProducedDataSet {
  const edge = jobGraph.edges.find((candidate) => candidate.datasetId === datasetId);
  const producer = jobGraph.vertices.find((vertex) => vertex.id === edge?.producerVertexId);
  const dataset = producer?.outputs.find((output) => output.id === datasetId);
  const state = producer && graph.vertices.get(producer.id);
  invariant(dataset && state, `data set ${datasetId} has a producer`);
  return { dataset, partitions: state.tasks.length, ...producedBytes(dataset, state.tasks) };
}

/** Bytes of the data set and of each subpartition; a partition's bytes are spread over its rows. */
function producedBytes(
  dataset: DataSet,
  tasks: readonly { readonly partitions: readonly ProducedPartition[] }[],
): { readonly bytes: number; readonly subpartitionBytes: number[] } {
  const subpartitionBytes = new Array<number>(dataset.subpartitions).fill(0);
  let total = 0;
  for (const partition of tasks.flatMap((task) => task.partitions.filter((made) => made.datasetId === dataset.id))) {
    const bytes = partition.bytes ?? 0;
    total += bytes;
    const rows = partition.subpartitionRows ?? [];
    const perRow = bytes / Math.max(1, partition.rows ?? 0);
    for (const [index, count] of rows.entries())
      subpartitionBytes[index] = (subpartitionBytes[index] ?? 0) + count * perRow;
  }
  return { bytes: total, subpartitionBytes };
}
