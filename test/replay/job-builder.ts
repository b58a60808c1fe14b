// Builds jobs for the replay tests: a JobGraph of bare vertices and edges, and records of its events in log order.
import { derivedId } from '../../src/model/ids.ts';
import type { ExecutionVertexFinished, InputRange, JobEvent, JobSubmitted } from '../../src/model/job-events.ts';
import type { DataSet, ExchangeKind, JobEdge, JobGraph, JobVertex } from '../../src/model/job-graph.ts';
import type { LogRecord } from '../../src/model/job-log.ts';

export interface VertexShape {
  readonly name: string;
  /** Names of the vertices that it reads, with the exchange. */
  readonly reads?: Readonly<Record<string, ExchangeKind>>;
}

export const vertexId = (name: string): string => derivedId('vertex', name);
/** Data set that `producer` writes for its consumers over one exchange. */
export const datasetId = (producer: string, exchange: ExchangeKind): string => derivedId('dataset', producer, exchange);

export function jobGraphOf(shapes: readonly VertexShape[]): JobGraph {
  const edges: JobEdge[] = [];
  for (const { name, reads } of shapes) {
    for (const [producer, exchange] of Object.entries(reads ?? {})) {
      const id = datasetId(producer, exchange);
      edges.push({ producerVertexId: vertexId(producer), consumerVertexId: vertexId(name), datasetId: id, exchange });
    }
  }
  const vertices = shapes.map(({ name }) => jobVertexOf(name, edges));
  return { name: 'job', vertices, edges, sources: [], sinks: [], duckdbVersion: 'v1' };
}

function jobVertexOf(name: string, edges: readonly JobEdge[]): JobVertex {
  const id = vertexId(name);
  const outputs = new Map<string, DataSet>();
  for (const { producerVertexId, datasetId: dataset, exchange } of edges) {
    if (producerVertexId !== id) continue;
    outputs.set(dataset, {
      id: dataset,
      from: { kind: 'step', step: 0 },
      exchange,
      by: [],
      subpartitions: 1,
      columns: null,
    });
  }
  return {
    id,
    name,
    stages: [name],
    inputs: edges
      .filter((edge) => edge.consumerVertexId === id)
      .map((edge) => ({ kind: 'dataset', datasetId: edge.datasetId })),
    steps: [],
    outputs: [...outputs.values()],
    sinks: [],
    parallelism: null,
    maxParallelism: 128,
  };
}

export function submitted(graph: JobGraph, jobId = 'a'.repeat(32)): JobSubmitted {
  const fingerprint = { plan: 'p', functions: 'f', inputs: 'i' };
  return { type: 'job-submitted', jobId, name: graph.name, graph, config: {}, fingerprint };
}

/** `inputs`: producer's data set → ranges of partitions, one a task. */
export function initialized(
  name: string,
  parallelism: number,
  inputs: Readonly<Record<string, readonly (readonly [number, number])[]>> = {},
): JobEvent {
  const infos = Object.entries(inputs).map(([id, ranges]) => ({
    datasetId: id,
    ranges: ranges.map((partitions): InputRange => ({ partitions, subpartitions: [0, 0] })),
  }));
  return { type: 'job-vertex-initialized', vertexId: vertexId(name), parallelism, maxParallelism: 128, inputs: infos };
}

export interface FinishOptions {
  readonly attempt?: number;
  readonly epoch?: number;
  readonly workerId?: string;
  readonly outputs?: readonly string[];
  readonly parts?: readonly string[];
}

export function finished(name: string, subtask: number, options: FinishOptions = {}): ExecutionVertexFinished {
  const { attempt = 0, epoch = 1, workerId = 'worker-1', outputs = [], parts = [] } = options;
  return {
    type: 'execution-vertex-finished',
    vertexId: vertexId(name),
    subtask,
    attempt,
    epoch,
    workerId,
    partitions: outputs.map((id) => ({
      datasetId: id,
      partitionIndex: subtask,
      bytes: 100,
      rows: 10,
      subpartitionRows: null,
    })),
    parts: parts.map((file) => ({ sink: 'out', file, rows: 1, bytes: 1 })),
    metrics: { recordsIn: 10, recordsOut: 5, bytesIn: 100, bytesOut: 50, durationMs: 7 },
  };
}

export function reset(name: string, ...subtasks: number[]): JobEvent {
  return { type: 'execution-vertex-reset', vertexId: vertexId(name), subtasks };
}

/** One record an event, a second apart from 2026-01-31T12:00:00Z. */
export function recordsOf(events: readonly JobEvent[], options: { epoch?: number; timed?: boolean } = {}): LogRecord[] {
  return events.map((event, sequence) => ({
    sequence,
    timeMicros: options.timed === false ? null : Date.parse('2026-01-31T12:00:00Z') * 1000 + sequence * 1e6,
    epoch: options.epoch ?? 1,
    segment: '00000000000000000000-1.log',
    offset: 64 + sequence * 100,
    bytes: 100,
    event,
  }));
}

export async function* iterate<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
