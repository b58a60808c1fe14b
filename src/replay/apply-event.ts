// applyEvent: one step of the fold from the log to the ExecutionGraph. It never throws on events that make no sense
// together: it says so by a finding and goes on with what is documented here. Constant work for each event (but for a
// vertex's initialization and the first event of an epoch, which touch the tasks once).
import { partitionKey } from '../model/ids.ts';
import type {
  CheckpointCompleted,
  CheckpointRestored,
  ExecutionDeployed,
  ExecutionFailed,
  ExecutionVertexFinished,
  ExecutionVertexReset,
  JobEvent,
  JobStatusChanged,
  JobSubmitted,
  JobVertexInitialized,
  PartitionsReleased,
  SavepointCompleted,
  WorkerLost,
  WorkerRegistered,
} from '../model/job-events.ts';
import { distributionOf, type JobGraph } from '../model/job-graph.ts';
import type { LogRecord } from '../model/job-log.ts';
import { applyCoordinatorSnapshot, returnSplits } from './apply-coordinator.ts';
import { applyShuffleMasterSnapshot, forgetPlacements } from './apply-shuffle-master.ts';
import type {
  ExecutionEdge,
  ExecutionGraph,
  ExecutionJobVertex,
  ExecutionVertex,
  KnownWorker,
} from './execution-graph.ts';
import { createExecutionVertex, vertexLabel } from './execution-graph.ts';
import { isLegal } from './execution-transitions.ts';
import type { ApplyFinding } from './semantic-checks.ts';
import { inputRangesFinding, parallelismFinding, partitionsFinding } from './semantic-checks.ts';

export type { ApplyFinding };
export type RecordPosition = Pick<LogRecord, 'sequence' | 'timeMicros' | 'epoch'>;

/**
 * Applies one event to `graph`, which it changes. Returns null, or what does not fit:
 * - FINISH_WITHOUT_INIT: a finish of a task that no initialization announced; the event is not applied.
 * - FINISH_TWICE: a finish of a finished task, with no reset between; the later one replaces the earlier.
 * - RESET_UNKNOWN: a reset of tasks that were never initialized; the known ones among them are reset.
 * - PARTITION_COUNT: the produced partitions, or the input ranges of an initialization, are not the vertex's; applied
 *   as recorded (a task without a usable range reads everything).
 * - PAYLOAD_INVALID: a parallelism that no job can have; not applied.
 * A deployment or failure that comes in late (its task has finished, or is unknown) is counted and changes nothing.
 */
export function applyEvent(graph: ExecutionGraph, record: RecordPosition, event: JobEvent): ApplyFinding | null {
  enterEpoch(graph, record.epoch);
  graph.lastSequence = record.sequence;
  if (record.timeMicros !== null) graph.lastTimeMicros = record.timeMicros;
  graph.eventCount += 1;
  graph.byType.set(event.type, (graph.byType.get(event.type) ?? 0) + 1);
  return dispatch(graph, record, event);
}

function dispatch(graph: ExecutionGraph, record: RecordPosition, event: JobEvent): ApplyFinding | null {
  const { sequence, timeMicros } = record;
  switch (event.type) {
    case 'execution-vertex-finished':
      return applyFinished(graph, sequence, event);
    case 'execution-deployed':
      return applyDeployed(graph, event);
    case 'coordinator-snapshot':
      return applyCoordinatorSnapshot(graph, event);
    case 'execution-failed':
      return applyFailed(graph, event);
    case 'execution-vertex-reset':
      return applyReset(graph, event);
    case 'job-vertex-initialized':
      return applyInitialized(graph, sequence, event);
    case 'job-submitted':
      return applySubmitted(graph, event);
    case 'job-status-changed':
      return applyStatus(graph, sequence, event);
    case 'shuffle-master-snapshot':
      return applyShuffleMasterSnapshot(graph, event);
    case 'partitions-released':
      return applyReleased(graph, event);
    case 'worker-registered':
      return applyWorkerRegistered(graph, event);
    case 'worker-lost':
      return applyWorkerLost(graph, event);
    case 'commit-started':
      graph.commit = event;
      return null;
    case 'recovery-completed':
      graph.recoveries.push(event);
      return null;
    case 'checkpoint-completed':
    case 'savepoint-completed':
      return applyCheckpoint(graph, event, timeMicros);
    case 'checkpoint-aborted':
      graph.lastCheckpointId = Math.max(graph.lastCheckpointId, event.checkpointId);
      return null;
    case 'checkpoint-restored':
      return applyRestored(graph, event);
    default:
      event satisfies never;
      return null;
  }
}

/**
 * Only the newest are kept, for a job may run for years: what lies further back was retired long ago, also where
 * `execution.checkpointing.num-retained` is at its most and savepoints lie between.
 */
const checkpointsMax = 300;

function applyCheckpoint(
  graph: ExecutionGraph,
  event: CheckpointCompleted | SavepointCompleted,
  timeMicros: number | null,
): null {
  const { type, ...completed } = event;
  const kind = type === 'checkpoint-completed' ? 'checkpoint' : 'savepoint';
  graph.checkpoints.push({ kind, ...completed, completedAtMicros: timeMicros });
  graph.lastCheckpointId = Math.max(graph.lastCheckpointId, event.checkpointId);
  if (graph.checkpoints.length > checkpointsMax) graph.checkpoints.shift();
  return null;
}

/**
 * What is newer than the restored checkpoint could not be used, and its output has been taken back: it must not be restored
 * later, readable again, beside the output of those that came after.
 */
function applyRestored(graph: ExecutionGraph, { checkpointId }: CheckpointRestored): null {
  graph.checkpoints = graph.checkpoints.filter((completed) => completed.checkpointId <= checkpointId);
  return null;
}

function enterEpoch(graph: ExecutionGraph, epoch: number | null): void {
  if (epoch === null || (graph.epoch !== null && epoch <= graph.epoch)) return;
  if (graph.epoch !== null) dropUnfinished(graph);
  graph.epoch = epoch;
}

function dropUnfinished(graph: ExecutionGraph): void {
  for (const vertex of graph.vertices.values()) {
    for (const task of vertex.tasks) {
      if (!isLegal('new-epoch', task.state)) continue;
      task.state = 'CREATED';
      task.workerId = null;
    }
  }
}

function applySubmitted(graph: ExecutionGraph, event: JobSubmitted): null {
  graph.jobId = event.jobId;
  graph.name = event.name;
  graph.graph = event.graph;
  graph.config = event.config;
  graph.fingerprint = event.fingerprint;
  graph.edges = edgesOf(event.graph);
  for (const { id, name, maxParallelism, outputs } of event.graph.vertices) {
    const datasetIds = outputs.map((dataSet) => dataSet.id);
    graph.vertices.set(id, createJobVertex(id, graph.vertices.size, { name, maxParallelism, outputs: datasetIds }));
  }
  return null;
}

/** The edges of a submitted job. */
export function edgesOf(graph: JobGraph): ExecutionEdge[] {
  return graph.edges.map(({ producerVertexId, consumerVertexId, datasetId, exchange }) => ({
    producerVertexId,
    consumerVertexId,
    datasetId,
    distribution: distributionOf(exchange),
  }));
}

function createJobVertex(
  id: string,
  index: number,
  known: Partial<Pick<ExecutionJobVertex, 'name' | 'maxParallelism' | 'outputs'>>,
): ExecutionJobVertex {
  return {
    id,
    index,
    name: known.name ?? null,
    parallelism: null,
    maxParallelism: known.maxParallelism ?? null,
    initializedSequence: null,
    inputs: [],
    outputs: known.outputs ?? null,
    tasks: [],
    coordinator: null,
    awaitingSnapshots: new Map(),
  };
}

function applyStatus(graph: ExecutionGraph, sequence: number, event: JobStatusChanged): null {
  graph.state = event.state;
  graph.stateReason = event.reason;
  if (event.state === 'FINISHED') finishAll(graph, sequence);
  return null;
}

/**
 * A job is FINISHED when all its tasks are. Those of a streaming job, which end together, and those of a batch job
 * without recovery have no event of their own.
 */
function finishAll(graph: ExecutionGraph, sequence: number): void {
  for (const { tasks } of graph.vertices.values()) {
    for (const task of tasks) {
      if (!isLegal('finish', task.state)) continue;
      task.state = 'FINISHED';
      task.epoch = graph.epoch;
      task.finishedSequence = sequence;
    }
  }
}

/** A second initialization with the same parallelism replaces the inputs only; with another one, the tasks too. */
function applyInitialized(graph: ExecutionGraph, sequence: number, event: JobVertexInitialized): ApplyFinding | null {
  const invalid = parallelismFinding(event);
  if (invalid !== null) return invalid;
  const vertex = graph.vertices.get(event.vertexId) ?? createJobVertex(event.vertexId, graph.vertices.size, {});
  graph.vertices.set(event.vertexId, vertex);
  if (vertex.parallelism !== event.parallelism) {
    vertex.tasks = Array.from({ length: event.parallelism }, (_, subtask) => createExecutionVertex(subtask));
    vertex.awaitingSnapshots.clear();
  }
  vertex.parallelism = event.parallelism;
  vertex.maxParallelism = event.maxParallelism;
  vertex.inputs = event.inputs;
  vertex.initializedSequence = sequence;
  return inputRangesFinding(graph, vertex, event);
}

function applyFinished(graph: ExecutionGraph, sequence: number, event: ExecutionVertexFinished): ApplyFinding | null {
  const vertex = graph.vertices.get(event.vertexId);
  const task = vertex?.tasks[event.subtask];
  if (vertex === undefined || task === undefined) return finishWithoutInit(vertex, event);
  const twice = isLegal('finish', task.state) ? null : finishTwice(vertex, task);
  finishTask(task, sequence, event);
  if (event.awaitsSnapshotsOf !== undefined) vertex.awaitingSnapshots.set(event.subtask, event.awaitsSnapshotsOf);
  for (const { datasetId, partitionIndex } of event.partitions) {
    if (graph.released.size > 0) graph.released.delete(partitionKey(datasetId, partitionIndex));
  }
  knownWorker(graph, event.workerId);
  return twice ?? partitionsFinding(vertex, event);
}

function finishTask(task: ExecutionVertex, sequence: number, event: ExecutionVertexFinished): void {
  task.state = 'FINISHED';
  task.attempt = event.attempt;
  task.epoch = event.epoch;
  task.workerId = event.workerId;
  task.partitions = event.partitions;
  task.parts = event.parts;
  task.metrics = event.metrics;
  task.finishedSequence = sequence;
  task.firstFailure = null;
}

function finishWithoutInit(vertex: ExecutionJobVertex | undefined, event: ExecutionVertexFinished): ApplyFinding {
  const label = vertex === undefined ? event.vertexId : vertexLabel(vertex);
  const why =
    vertex === undefined || vertex.parallelism === null
      ? 'no event initialized this vertex'
      : `the vertex was initialized with parallelism ${vertex.parallelism}`;
  return { code: 'FINISH_WITHOUT_INIT', severity: 'error', message: `${label}#${event.subtask} finished, but ${why}` };
}

function finishTwice(vertex: ExecutionJobVertex, task: ExecutionVertex): ApplyFinding {
  const message = `${vertexLabel(vertex)}#${task.subtask} finished again; it had finished at sequence ${task.finishedSequence}`;
  return { code: 'FINISH_TWICE', severity: 'warning', message };
}

function applyReset(graph: ExecutionGraph, event: ExecutionVertexReset): ApplyFinding | null {
  const findings = [event, ...(event.further ?? [])].map((tasks) => resetTasks(graph, tasks));
  return findings.find((finding) => finding !== null) ?? null;
}

type ResetTasks = Pick<ExecutionVertexReset, 'vertexId' | 'subtasks'>;

function resetTasks(graph: ExecutionGraph, event: ResetTasks): ApplyFinding | null {
  const vertex = graph.vertices.get(event.vertexId);
  const unknown: number[] = [];
  for (const subtask of event.subtasks) {
    const task = vertex?.tasks[subtask];
    if (task === undefined) unknown.push(subtask);
    else resetTask(graph, task);
    vertex?.awaitingSnapshots.delete(subtask);
  }
  if (vertex?.coordinator) returnSplits(vertex.coordinator, new Set(event.subtasks));
  if (unknown.length === 0 && vertex !== undefined) return null;
  const label = vertex === undefined ? event.vertexId : vertexLabel(vertex);
  const which = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', …' : '');
  const message = `a reset of ${label} names tasks that no event initialized: ${which || 'none'}`;
  return { code: 'RESET_UNKNOWN', severity: 'warning', message };
}

function resetTask(graph: ExecutionGraph, task: ExecutionVertex): void {
  forgetPlacements(graph, task.partitions);
  if (graph.released.size > 0) {
    for (const { datasetId, partitionIndex } of task.partitions) {
      graph.released.delete(partitionKey(datasetId, partitionIndex));
    }
  }
  task.state = 'CREATED';
  task.attempt += 1;
  task.epoch = null;
  task.workerId = null;
  task.partitions = [];
  task.parts = [];
  task.metrics = null;
  task.finishedSequence = null;
}

function applyDeployed(graph: ExecutionGraph, event: ExecutionDeployed): null {
  const task = graph.vertices.get(event.vertexId)?.tasks[event.subtask];
  if (task === undefined || !isLegal('deploy', task.state) || event.attempt < task.attempt) return null;
  task.state = 'DEPLOYING';
  task.attempt = event.attempt;
  task.workerId = event.workerId;
  return null;
}

function applyFailed(graph: ExecutionGraph, event: ExecutionFailed): null {
  if (event.counted && graph.lastTimeMicros !== null) graph.failureTimesMicros.push(graph.lastTimeMicros);
  const task = graph.vertices.get(event.vertexId)?.tasks[event.subtask];
  if (task === undefined) return null;
  if (event.counted) {
    task.failures += 1;
    task.firstFailure ??= event.cause;
  }
  if (isLegal('fail', task.state) && event.attempt >= task.attempt) task.state = 'FAILED';
  return null;
}

function applyReleased(graph: ExecutionGraph, event: PartitionsReleased): null {
  forgetPlacements(graph, event.partitions);
  for (const { datasetId, partitionIndex } of event.partitions) {
    graph.released.add(partitionKey(datasetId, partitionIndex));
  }
  return null;
}

function applyWorkerRegistered(graph: ExecutionGraph, event: WorkerRegistered): null {
  const worker = knownWorker(graph, event.workerId);
  worker.pid = event.pid;
  worker.slots = event.slots;
  worker.alive = true;
  worker.lostReason = null;
  return null;
}

function applyWorkerLost(graph: ExecutionGraph, event: WorkerLost): null {
  const worker = knownWorker(graph, event.workerId);
  worker.alive = false;
  worker.lostReason = event.reason;
  return null;
}

function knownWorker(graph: ExecutionGraph, workerId: string): KnownWorker {
  const known = graph.workers.get(workerId);
  if (known !== undefined) return known;
  const worker: KnownWorker = { workerId, pid: null, slots: null, alive: true, lostReason: null };
  graph.workers.set(workerId, worker);
  return worker;
}
