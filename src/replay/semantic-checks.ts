// Whether the numbers in an event fit the vertex that it speaks of: parallelism, input ranges, produced partitions.
// They are values that decide what a recovery reads, so a misfit is named (PARTITION_COUNT) and never guessed over.
import type { ExecutionVertexFinished, JobVertexInitialized, VertexInputInfo } from '../model/job-events.ts';
import type { FindingCode, Severity } from '../model/job-log.ts';
import type { ExecutionGraph, ExecutionJobVertex } from './execution-graph.ts';
import { vertexLabel } from './execution-graph.ts';

/** An event that does not fit the ones before it; replay adds where it lies. */
export interface ApplyFinding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
}

/** Flink's upper bound of a maximum parallelism; bounds what one event can make replay allocate. */
export const parallelismMax = 32_768;

/** PAYLOAD_INVALID for a parallelism that no vertex can have. */
export function parallelismFinding(event: JobVertexInitialized): ApplyFinding | null {
  const { parallelism } = event;
  if (Number.isInteger(parallelism) && parallelism >= 0 && parallelism <= parallelismMax) return null;
  const message = `${event.vertexId} was initialized with parallelism ${parallelism}; 0 to ${parallelismMax} is possible`;
  return { code: 'PAYLOAD_INVALID', severity: 'error', message };
}

/** PARTITION_COUNT for a finish whose partitions are not exactly one for each output of the vertex. */
export function partitionsFinding(vertex: ExecutionJobVertex, event: ExecutionVertexFinished): ApplyFinding | null {
  const { outputs } = vertex;
  if (outputs === null) return null;
  const label = `${vertexLabel(vertex)}#${event.subtask}`;
  if (event.partitions.length !== outputs.length) {
    return partitionCount(
      `${label} produced ${event.partitions.length} partitions; its vertex has ${outputs.length} outputs`,
    );
  }
  for (const output of outputs) {
    const produced = event.partitions.find((partition) => partition.datasetId === output);
    if (produced === undefined) return partitionCount(`${label} produced no partition of ${output}`);
    if (produced.partitionIndex !== event.subtask) {
      return partitionCount(`${label} produced partition ${produced.partitionIndex} of ${output}, not its own`);
    }
  }
  return null;
}

/** PARTITION_COUNT for input ranges that are not one a task, or that leave the producer's partitions. */
export function inputRangesFinding(
  graph: ExecutionGraph,
  vertex: ExecutionJobVertex,
  event: JobVertexInitialized,
): ApplyFinding | null {
  for (const input of event.inputs) {
    const message = rangeCountProblem(input, event.parallelism) ?? rangeBoundsProblem(graph, input);
    if (message !== null) return partitionCount(`${vertexLabel(vertex)}: ${message}`);
  }
  return null;
}

function rangeCountProblem({ datasetId, ranges }: VertexInputInfo, parallelism: number): string | null {
  if (ranges.length === 0 || ranges.length === parallelism) return null;
  return `${ranges.length} input ranges of ${datasetId} for ${parallelism} tasks`;
}

function rangeBoundsProblem(graph: ExecutionGraph, { datasetId, ranges }: VertexInputInfo): string | null {
  const edge = graph.edges.find((candidate) => candidate.datasetId === datasetId);
  const count = edge === undefined ? null : (graph.vertices.get(edge.producerVertexId)?.parallelism ?? null);
  if (count === null) return null;
  const beyond = ranges.find(({ partitions: [first, last] }) => first < 0 || last >= count);
  if (beyond === undefined) return null;
  return `input range ${beyond.partitions.join('-')} of ${datasetId}, which has ${count} partitions`;
}

function partitionCount(message: string): ApplyFinding {
  return { code: 'PARTITION_COUNT', severity: 'warning', message };
}
