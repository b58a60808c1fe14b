// Replays a Flink store as Flink does: folds the events, joins them with the topology, and drops the finishes behind the
// last snapshot. What a restarted JobMaster would hold, plus what was recorded and given up, plus what breaks the replay.
// Doc: docs/flink.md "Replay".

import type { FlinkJob, FlinkSubtaskMetrics } from '../model/flink-job.ts';
import type { VertexInputInfo } from '../model/job-events.ts';
import type { Finding, LogRecord } from '../model/job-log.ts';
import { applyEvent } from './apply-event.ts';
import type { Bound } from './bound.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex, ShuffleMasterState } from './execution-graph.ts';
import { createExecutionGraph, createExecutionVertex } from './execution-graph.ts';
import { judgeCoordinators } from './flink-coordinators.ts';
import {
  type FinishedTask,
  type UnreadEvent,
  withFinished,
  withImplied,
  withUnread,
  withUnreadVertices,
} from './flink-evidence.ts';
import { FinishOrder, type KeptAndDropped } from './flink-finishes.ts';
import { type FinishedStep, type FlinkStep, stepOf } from './flink-history.ts';
import { connectedRanges } from './flink-inputs.ts';
import { releasedPartitions } from './flink-releases.ts';
import { findReplayFailure, type ReplayFailure } from './flink-replay-failure.ts';
import { type FlinkTopology, resolveFlinkTopology } from './flink-topology.ts';
import type { DroppedEvent } from './replay.ts';

export interface FlinkReplayOptions {
  readonly until?: Bound | undefined;
  /** What lies beside the store, or was given; null: nothing. */
  readonly job: FlinkJob | null;
  /** Ids of sources that the user says cannot snapshot. */
  readonly sourcesWithoutSnapshot?: ReadonlySet<string> | undefined;
  /** Events in bytes that Flink does not read, in order; iterated when all records were. */
  readonly unread?: AsyncIterable<UnreadEvent> | undefined;
  /** Tasks that the running cluster calls finished now. */
  readonly finishedNow?: readonly FinishedTask[] | undefined;
}

/** A finish that the store holds and recovery gives up. */
export interface DroppedFinish extends DroppedEvent {
  /** The task as it had finished. */
  readonly task: ExecutionVertex;
}

export interface FlinkReplay {
  /** As a restarted JobMaster holds it: dropped tasks are CREATED, coordinators are judged, releases are marked. */
  readonly graph: ExecutionGraph;
  /** As the events say it, with the finishes that recovery drops. Shares the tasks of `graph` where they are the same. */
  readonly recorded: ExecutionGraph;
  readonly topology: FlinkTopology;
  readonly history: readonly FlinkStep[];
  readonly findings: readonly Finding[];
  readonly droppedEvents: readonly DroppedFinish[];
  readonly last: LogRecord | null;
  /** What makes Flink's replay fail (it then deletes the store); null: nothing. */
  readonly failure: ReplayFailure | null;
}

/** Folds `records` up to `options.until`. Errors are only those of the iterable itself. */
export async function replayFlink(
  records: AsyncIterable<LogRecord>,
  options: FlinkReplayOptions,
): Promise<FlinkReplay> {
  const { graph: recorded, history, findings, last } = await foldRecords(records, options);
  const unread: UnreadEvent[] = [];
  for await (const event of options.unread ?? []) unread.push(event);
  const happened = withFinished(withUnread(history, unread), options.finishedNow ?? []);
  const topology = resolveFlinkTopology(options.job, happened);
  attachTopology(recorded, topology);
  const { kept, dropped } = orderOf(history).split();
  const failure = findReplayFailure(history, kept, topology);
  const graph = asRestarted(recorded);
  const droppedEvents = dropTail(graph, dropped);
  const isWhole = happened === history;
  for (const key of isWhole ? releasedPartitions(recorded, history) : releasedOf(recorded, happened, unread, topology))
    graph.released.add(key);
  const { sourcesWithoutSnapshot = new Set() } = options;
  judgeCoordinators(graph, topology, { happened, kept, withoutSnapshot: sourcesWithoutSnapshot });
  graph.shuffleMaster = shuffleMasterOf(kept);
  return { graph, recorded, topology, history, findings, droppedEvents, last, failure };
}

function releasedOf(
  recorded: ExecutionGraph,
  happened: readonly FlinkStep[],
  unread: readonly UnreadEvent[],
  topology: FlinkTopology,
): ReadonlySet<string> {
  const graph = withUnreadVertices(recorded, unread, topology);
  attachTopology(graph, topology);
  return releasedPartitions(graph, withImplied(happened, graph, adaptiveVertices(topology)));
}

/**
 * Vertices that Flink initializes when their inputs are whole: left to the scheduler, and not bound to the parallelism of
 * an input.
 */
function adaptiveVertices({ basis, vertices, edges }: FlinkTopology): Set<string> {
  if (basis !== 'job-graph') return new Set();
  const bound = new Set(edges.filter((edge) => edge.distribution === 'POINTWISE').map((edge) => edge.consumerVertexId));
  const free = vertices.filter(({ id, parallelism }) => parallelism === null && !bound.has(id));
  return new Set(free.map(({ id }) => id));
}

/** As Flink restores it: a full snapshot replaces what came before in the replay order, an incremental one adds to it. */
function shuffleMasterOf(kept: readonly FinishedStep[]): ShuffleMasterState | null {
  const snapshots = kept.flatMap(({ snapshot }) => (snapshot === null ? [] : [snapshot.shuffleMaster]));
  const lastFull = snapshots.findLastIndex(({ incremental }) => !incremental);
  const restored = snapshots.slice(Math.max(0, lastFull));
  const bytes = restored.reduce((sum, snapshot) => sum + snapshot.bytes, 0);
  const incremental = restored.some((snapshot) => snapshot.incremental);
  return restored.length === 0 ? null : { bytes, incremental, placements: new Map() };
}

/** A copy in which attempts that had not finished count from 0 again, as in a new execution graph. */
function asRestarted(recorded: ExecutionGraph): ExecutionGraph {
  const vertices = new Map<string, ExecutionJobVertex>();
  for (const vertex of recorded.vertices.values()) {
    const fresh = (task: ExecutionVertex) => (task.state === 'FINISHED' ? task : createExecutionVertex(task.subtask));
    vertices.set(vertex.id, { ...vertex, tasks: vertex.tasks.map(fresh) });
  }
  return { ...recorded, vertices, released: new Set() };
}

type Fold = Pick<FlinkReplay, 'graph' | 'last'> & { readonly history: FlinkStep[]; readonly findings: Finding[] };

async function foldRecords(records: AsyncIterable<LogRecord>, options: FlinkReplayOptions): Promise<Fold> {
  const until = options.until?.sequence ?? Number.POSITIVE_INFINITY;
  const graph = seededGraph(options.job);
  const history: FlinkStep[] = [];
  const findings: Finding[] = [];
  let last: LogRecord | null = null;
  for await (const record of records) {
    if (record.sequence > until) break;
    const found = applyEvent(graph, record, record.event);
    const { segment, offset, sequence } = record;
    if (found !== null) findings.push({ ...found, segment, offset, sequence, bytesLost: 0 });
    const step = stepOf(record);
    if (step !== null) history.push(step);
    last = record;
  }
  for (const times of options.job?.subtasks ?? []) applyTimes(graph, times);
  return { graph, history, findings, last };
}

/** A cluster's own times tell more than the events, whose metrics miss the time in which nothing was measured. */
function applyTimes(graph: ExecutionGraph, { vertexId, subtask, durationMs }: FlinkSubtaskMetrics): void {
  const task = graph.vertices.get(vertexId)?.tasks[subtask];
  if (task?.metrics) task.metrics = { ...task.metrics, durationMs };
}

/** With the job's vertices in their order, so that findings already speak of names. */
function seededGraph(job: FlinkJob | null): ExecutionGraph {
  const graph = createExecutionGraph();
  graph.jobId = job?.jobId ?? null;
  graph.name = job?.name ?? null;
  for (const { id, name } of job?.vertices ?? []) graph.vertices.set(id, emptyVertex(id, name, graph.vertices.size));
  return graph;
}

function emptyVertex(id: string, name: string | null, index: number): ExecutionJobVertex {
  return {
    id,
    index,
    name,
    parallelism: null,
    maxParallelism: null,
    initializedSequence: null,
    inputs: [],
    outputs: null,
    tasks: [],
    coordinator: null,
    awaitingSnapshots: new Map(),
  };
}

/** Edges, outputs, what inputs are connected to, and what each finished task must have produced (no event lists it). */
function attachTopology(graph: ExecutionGraph, { edges }: FlinkTopology): void {
  graph.edges = edges;
  const inputsOf = connectedInputs(graph);
  for (const vertex of [...graph.vertices.values()]) {
    const outputs = [
      ...new Set(edges.filter((edge) => edge.producerVertexId === vertex.id).map((edge) => edge.datasetId)),
    ];
    graph.vertices.set(vertex.id, { ...vertex, inputs: inputsOf(vertex), outputs });
    for (const task of vertex.tasks) if (task.state === 'FINISHED') task.partitions = outputs.map(producedBy(task));
  }
}

function connectedInputs({ vertices, edges }: ExecutionGraph): (consumer: ExecutionJobVertex) => VertexInputInfo[] {
  const edgeOf = new Map(edges.map((edge) => [`${edge.datasetId} ${edge.consumerVertexId}`, edge]));
  return (consumer) =>
    consumer.inputs.map((input) => {
      const edge = edgeOf.get(`${input.datasetId} ${consumer.id}`);
      const producer = edge && vertices.get(edge.producerVertexId);
      if (edge === undefined || producer === undefined) return input;
      return { ...input, ranges: connectedRanges(input.ranges, edge.distribution, producer.tasks.length) };
    });
}

function producedBy({ subtask }: ExecutionVertex): (datasetId: string) => ExecutionVertex['partitions'][number] {
  return (datasetId) => ({ datasetId, partitionIndex: subtask, bytes: null, rows: null, subpartitionRows: null });
}

function orderOf(history: readonly FlinkStep[]): FinishOrder<FinishedStep> {
  const order = new FinishOrder<FinishedStep>();
  for (const step of history) {
    if (step.kind === 'finished') order.finish(step);
    if (step.kind === 'reset') for (const { vertexId, subtasks } of step.tasks) order.reset(vertexId, subtasks);
  }
  return order;
}

function dropTail(graph: ExecutionGraph, dropped: KeptAndDropped['dropped']): DroppedFinish[] {
  return dropped.flatMap(({ sequence, vertexId, subtask }): DroppedFinish[] => {
    const vertex = graph.vertices.get(vertexId);
    const task = vertex?.tasks[subtask];
    if (vertex === undefined || task?.state !== 'FINISHED') return [];
    vertex.tasks[subtask] = createExecutionVertex(subtask);
    return [{ sequence, vertexId, subtask, reason: 'finished, but no snapshot followed it', task }];
  });
}
