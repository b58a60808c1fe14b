// Captures of real failovers as test inputs: their events as Flink's own classes printed them, the job graph, and what
// Flink then did.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlinkJob, FlinkJobEdge } from '../../src/model/flink-job.ts';
import type { JobEvent } from '../../src/model/job-events.ts';
import type { LogRecord } from '../../src/model/job-log.ts';

export const capturesFolder = join(import.meta.dirname, '../../fixtures/flink');

/** One failover: `<version>/<scenario>`, and `-1` for the first of two. */
export interface Failover {
  readonly name: string;
  readonly folder: string;
  /** '' or '-1'. */
  readonly suffix: string;
}

export function allFailovers(): Failover[] {
  const versions = readdirSync(capturesFolder).filter((version) => /^\d/.test(version));
  return versions.flatMap((version) =>
    readdirSync(join(capturesFolder, version)).flatMap((scenario) => {
      const folder = join(capturesFolder, version, scenario);
      const suffixes = readdirSync(folder).includes('truth-1.json') ? ['-1', ''] : [''];
      return suffixes.map((suffix) => ({ name: `${version}/${scenario}${suffix}`, folder, suffix }));
    }),
  );
}

export interface Truth {
  readonly jobId: string;
  readonly killedTaskManagers: readonly string[];
  readonly survivingTaskManagers: readonly string[];
  readonly jobResult: string | null;
  readonly reruns: readonly TruthTask[];
  readonly kept: readonly TruthTask[];
}

interface TruthTask {
  readonly vertexId: string;
  readonly subtask: number;
  readonly finishedInStore: boolean;
}

export function truthOf({ folder, suffix }: Failover): Truth {
  return JSON.parse(readFileSync(join(folder, `truth${suffix}.json`), 'utf8')) as Truth;
}

/** Tasks of which the store says that they had finished, sorted. */
export function inStore(tasks: readonly TruthTask[]): string[] {
  return tasks
    .filter((task) => task.finishedInStore)
    .map(({ vertexId, subtask }) => `${vertexId}#${subtask}`)
    .sort();
}

interface PrintedEvent {
  readonly type: number;
  readonly vertexId: string;
  readonly parallelism: number;
  readonly inputs: Readonly<
    Record<string, readonly { groups?: string[][]; partitions?: string; partitionRange?: string }[]>
  >;
  readonly subtask: number;
  readonly attempt: number;
  readonly attemptId: string;
  readonly taskManager: { readonly resourceId: string };
  readonly hasSnapshots: boolean;
  readonly coordinatorSnapshotBytes: Readonly<Record<string, number>>;
  readonly ioMetrics: Readonly<Record<'numRecordsIn' | 'numRecordsOut' | 'numBytesIn' | 'numBytesOut', number>>;
  readonly vertices: readonly string[];
}

/** The printed events as records. */
export async function* printedRecords({ folder, suffix }: Failover): AsyncGenerator<LogRecord> {
  const file = join(folder, suffix === '' ? 'store-events.json' : `store${suffix}-events.json`);
  const { events } = JSON.parse(readFileSync(file, 'utf8')) as { events: PrintedEvent[] };
  for (const [sequence, printed] of events.entries()) {
    const event = eventOf(printed);
    yield { sequence, timeMicros: null, epoch: null, segment: 'events', offset: sequence, bytes: 1, event };
  }
}

function eventOf(printed: PrintedEvent): JobEvent {
  if (printed.type === 3) return initialized(printed);
  if (printed.type === 2) return reset(printed);
  return finished(printed);
}

function initialized({ vertexId, parallelism, inputs }: PrintedEvent): JobEvent {
  const infos = Object.entries(inputs).map(([datasetId, tasks]) => ({
    datasetId,
    ranges: tasks.map((task) => {
      const text =
        task.groups?.map((group) => group[0]).join(' ') ??
        task.partitions ??
        task.partitionRange ??
        JSON.stringify(task);
      const numbers = [...text.matchAll(/\d+/g)].map(Number);
      return { partitions: [Math.min(...numbers), Math.max(...numbers)] as const, subpartitions: [0, 0] as const };
    }),
  }));
  return { type: 'job-vertex-initialized', vertexId, parallelism, maxParallelism: -1, inputs: infos };
}

function reset({ vertices }: PrintedEvent): JobEvent {
  const [first, ...further] = vertices.map((text) => ({
    vertexId: text.slice(0, 32),
    subtasks: [Number(text.slice(33))],
  }));
  return { type: 'execution-vertex-reset', ...(first ?? { vertexId: '', subtasks: [] }), further };
}

function finished(printed: PrintedEvent): JobEvent {
  const { vertexId, subtask, attempt, ioMetrics } = printed;
  const coordinators = Object.entries(printed.coordinatorSnapshotBytes ?? {}).map(([operatorId, bytes]) => ({
    operatorId,
    bytes,
  }));
  return {
    type: 'execution-vertex-finished',
    vertexId,
    subtask,
    attempt,
    epoch: 0,
    workerId: printed.taskManager.resourceId,
    partitions: [],
    parts: [],
    metrics: {
      recordsIn: ioMetrics.numRecordsIn,
      recordsOut: ioMetrics.numRecordsOut,
      bytesIn: ioMetrics.numBytesIn,
      bytesOut: ioMetrics.numBytesOut,
      durationMs: 0,
    },
    flink: {
      executionGraphId: printed.attemptId.slice(0, 32),
      snapshot: printed.hasSnapshots ? { coordinators, shuffleMaster: { bytes: 1, incremental: false } } : null,
    },
  };
}

interface PrintedTopology {
  readonly jobId: string;
  readonly vertices: readonly {
    readonly vertexId: string;
    readonly name: string;
    readonly coordinators: readonly { readonly operatorId: string }[];
    readonly outputs: readonly {
      readonly dataSetId: string;
      readonly consumers: readonly { readonly vertexId: string; readonly pattern: 'ALL_TO_ALL' | 'POINTWISE' }[];
    }[];
  }[];
}

/** The job graph as Flink's own classes printed it. */
export function printedJob({ folder }: Failover): FlinkJob {
  const topology = JSON.parse(readFileSync(join(folder, 'topology.json'), 'utf8')) as PrintedTopology;
  const edges = topology.vertices.flatMap((vertex) =>
    vertex.outputs.flatMap((output) =>
      output.consumers.map(
        (consumer): FlinkJobEdge => ({
          producerVertexId: vertex.vertexId,
          consumerVertexId: consumer.vertexId,
          datasetId: output.dataSetId,
          distribution: consumer.pattern,
        }),
      ),
    ),
  );
  const vertices = topology.vertices.map(({ vertexId, name, coordinators }) => ({
    id: vertexId,
    name,
    parallelism: null,
    coordinators: coordinators.map(({ operatorId }) => ({ operatorId, sourceClass: null })),
  }));
  return { source: 'job-graph', jobId: topology.jobId, name: null, vertices, edges, config: {}, subtasks: [] };
}

/** The same job as a plan says it: edges without data sets, vertices without coordinators. */
export function asPlan(job: FlinkJob): FlinkJob {
  return {
    ...job,
    source: 'plan',
    vertices: job.vertices.map((vertex) => ({ ...vertex, coordinators: null })),
    edges: job.edges.map((edge) => ({ ...edge, datasetId: null, distribution: null })),
  };
}
