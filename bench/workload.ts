// The events of a large job, as a store gets them: 100 vertices, each initialized, then every task deployed and
// finished. Deterministic, so that both sides of a pair write the same.
import { derivedId } from '../src/model/ids.ts';
import type { JobEvent } from '../src/model/job-events.ts';
import type { JobGraph, JobVertex } from '../src/model/job-graph.ts';

const vertexCount = 100;
const subpartitions = 8;

const vertexIds = Array.from({ length: vertexCount }, (_, index) => derivedId('vertex', `stage-${index}`));
const datasetIds = vertexIds.map((id) => derivedId('dataset', id));

/** Exactly `count` events, the submission included. */
export function eventsOfLargeJob(count: number): JobEvent[] {
  const events: JobEvent[] = [submitted()];
  const tasks = Math.ceil((count - 1 - vertexCount) / 2 / vertexCount);
  for (let vertex = 0; vertex < vertexCount; vertex++) {
    events.push(initialized(vertex, tasks));
    for (let subtask = 0; subtask < tasks; subtask++) events.push(deployed(vertex, subtask), finished(vertex, subtask));
  }
  return events.slice(0, count);
}

function submitted(): JobEvent {
  const fingerprint = { plan: derivedId('plan'), functions: derivedId('functions'), inputs: derivedId('inputs') };
  const graph = jobGraph();
  return { type: 'job-submitted', jobId: 'b'.repeat(32), name: graph.name, graph, config: {}, fingerprint };
}

function jobGraph(): JobGraph {
  const edges = vertexIds.slice(1).map((consumerVertexId, index) => ({
    producerVertexId: vertexIds[index] ?? '',
    consumerVertexId,
    datasetId: datasetIds[index] ?? '',
    exchange: 'hash' as const,
  }));
  const vertices = vertexIds.map((_, index) => jobVertex(index));
  return { name: 'large-job', vertices, edges, sources: [], sinks: [], duckdbVersion: 'v1' };
}

function jobVertex(index: number): JobVertex {
  const from = { kind: 'step', step: 0 } as const;
  const id = datasetIds[index] ?? '';
  return {
    id: vertexIds[index] ?? '',
    name: `stage-${index}`,
    stages: [`stage-${index}`],
    inputs: index === 0 ? [] : [{ kind: 'dataset', datasetId: datasetIds[index - 1] ?? '' }],
    steps: [],
    outputs: [{ id, from, exchange: 'hash', by: [], subpartitions, columns: null }],
    sinks: [],
    parallelism: null,
    maxParallelism: 1024,
  };
}

function initialized(vertex: number, parallelism: number): JobEvent {
  const vertexId = vertexIds[vertex] ?? '';
  return { type: 'job-vertex-initialized', vertexId, parallelism, maxParallelism: 1024, inputs: [] };
}

function deployed(vertex: number, subtask: number): JobEvent {
  const vertexId = vertexIds[vertex] ?? '';
  return { type: 'execution-deployed', vertexId, subtask, attempt: 0, workerId: workerOf(subtask) };
}

function finished(vertex: number, subtask: number): JobEvent {
  const rows = Array.from({ length: subpartitions }, (_, index) => 1000 + ((subtask * 31 + index * 7) % 500));
  const total = rows.reduce((sum, each) => sum + each, 0);
  return {
    type: 'execution-vertex-finished',
    vertexId: vertexIds[vertex] ?? '',
    subtask,
    attempt: 0,
    epoch: 1,
    workerId: workerOf(subtask),
    partitions: [
      {
        datasetId: datasetIds[vertex] ?? '',
        partitionIndex: subtask,
        bytes: total * 24,
        rows: total,
        subpartitionRows: rows,
      },
    ],
    parts: [],
    metrics: { recordsIn: total * 3, recordsOut: total, bytesIn: total * 70, bytesOut: total * 24, durationMs: 840 },
  };
}

function workerOf(subtask: number): string {
  return `worker-${subtask % 16}`;
}
