// ExecutionGraph: what a JobMaster knows of its job at one point of the log. Plain data (objects, Maps, Sets), so that
// two graphs can be compared and one can be written as a snapshot. Only apply-event.ts changes it: same events, same
// graph (design: "Invariants", 5).
import type { IntermediateDataSetId, JobId, JobVertexId, WorkerId } from '../model/ids.ts';
import type {
  CommitStarted,
  Fingerprint,
  JobEventType,
  ProducedPartition,
  RecoveryCompleted,
  SinkRows,
  StagedPart,
  TaskMetrics,
  VertexInputInfo,
} from '../model/job-events.ts';
import type { Distribution, FoundSplit, JobGraph } from '../model/job-graph.ts';
import type { PartitionPlacement } from '../model/shuffle-placements.ts';
import type { ExecutionState, JobState } from '../model/states.ts';

/** One subtask of an initialized vertex. */
export interface ExecutionVertex {
  readonly subtask: number;
  state: ExecutionState;
  /** The current attempt number: of the finished or running attempt, else of the next one. */
  attempt: number;
  /** Epoch of the JobMaster that deployed the finished attempt; null unless FINISHED. */
  epoch: number | null;
  workerId: WorkerId | null;
  partitions: readonly ProducedPartition[];
  parts: readonly StagedPart[];
  metrics: TaskMetrics | null;
  finishedSequence: number | null;
  /** Failed attempts that the restart strategy counts. */
  failures: number;
  /** Why the first of them failed since the task last finished; null: none did. */
  firstFailure: string | null;
}

/** What one source's SplitEnumerator had handed out, as of its last snapshot. */
export interface OperatorCoordinatorState {
  readonly operatorId: string;
  supportsBatchSnapshot: boolean | null;
  /** Split index → subtask that it was handed to. A reset returns its subtasks' splits (they are removed here). */
  assigned: Map<number, number>;
  /** Splits that have been read to the end. */
  finished: Set<number>;
  /** What a user-written enumerator has found, by split index; a split that nobody reads any more is handed out again. */
  splits: Map<number, FoundSplit>;
  /** The enumerator's own state, JSON text; null: none was recorded. */
  enumeratorState: string | null;
  /** Size of the state: 4 bytes a number, and the texts. */
  bytes: number;
}

/** The coordinators of one vertex: one a source that its tasks read. */
export interface CoordinatorState {
  operators: Map<string, OperatorCoordinatorState>;
  /** false as soon as one of them cannot be recovered; null where the store does not say. */
  supportsBatchSnapshot: boolean | null;
}

export interface ExecutionJobVertex {
  readonly id: JobVertexId;
  /** Place in the job's topological order; without a job graph, in the order of initialization. */
  readonly index: number;
  readonly name: string | null;
  /** null: not initialized. */
  parallelism: number | null;
  maxParallelism: number | null;
  initializedSequence: number | null;
  inputs: readonly VertexInputInfo[];
  /** Data sets that it produces; null where the store does not say (Flink). */
  readonly outputs: readonly IntermediateDataSetId[] | null;
  tasks: ExecutionVertex[];
  coordinator: CoordinatorState | null;
  /** Finished subtask → its coordinators (operator ids) that no snapshot covers yet: a recovery drops the finish. */
  awaitingSnapshots: Map<number, readonly string[]>;
}

export interface ExecutionEdge {
  readonly producerVertexId: JobVertexId;
  readonly consumerVertexId: JobVertexId;
  readonly datasetId: IntermediateDataSetId;
  readonly distribution: Distribution;
}

/** A checkpoint that the store records as complete; whether it is still there is for its reader to find out. */
export interface CompletedCheckpoint {
  readonly kind: 'checkpoint' | 'savepoint';
  readonly checkpointId: number;
  readonly location: string;
  readonly stateBytes: number;
  readonly durationMs: number;
  readonly sinks: readonly SinkRows[];
  /** null where the store records no times. */
  readonly completedAtMicros: number | null;
}

/** A worker that the store names, be it by registration or by the tasks that it finished. */
export interface KnownWorker {
  readonly workerId: WorkerId;
  pid: number | null;
  slots: number | null;
  /** false between a recorded loss and the next registration. */
  alive: boolean;
  lostReason: string | null;
}

export interface ShuffleMasterState {
  bytes: number;
  /** Whether increments lie on top of the last full snapshot. */
  incremental: boolean;
  /** By `partitionKey`: where the shuffle service's partitions are. Empty where the state is another engine's. */
  readonly placements: Map<string, PartitionPlacement>;
}

export interface ExecutionGraph {
  jobId: JobId | null;
  name: string | null;
  /** null for Flink stores, which do not hold it. */
  graph: JobGraph | null;
  config: Readonly<Record<string, string>>;
  fingerprint: Fingerprint | null;
  state: JobState;
  stateReason: string | null;
  /** In topological order where the job graph is recorded. */
  readonly vertices: Map<JobVertexId, ExecutionJobVertex>;
  edges: readonly ExecutionEdge[];
  readonly workers: Map<WorkerId, KnownWorker>;
  shuffleMaster: ShuffleMasterState | null;
  /** Keys (`partitionKey`) of partitions given up and not produced again since. */
  readonly released: Set<string>;
  commit: CommitStarted | null;
  readonly recoveries: RecoveryCompleted[];
  /** The newest checkpoints and savepoints of a streaming job, oldest first; without those that a restore has passed over. */
  checkpoints: CompletedCheckpoint[];
  /** Highest number of a checkpoint or savepoint that is recorded as complete or given up; 0: none is. */
  lastCheckpointId: number;
  /** Times of the task failures that the restart strategy counts, oldest first. */
  readonly failureTimesMicros: number[];
  /** Of the last applied record; null before the first. */
  lastSequence: number | null;
  lastTimeMicros: number | null;
  epoch: number | null;
  eventCount: number;
  readonly byType: Map<JobEventType, number>;
}

/** The graph before any event. */
export function createExecutionGraph(): ExecutionGraph {
  return {
    jobId: null,
    name: null,
    graph: null,
    config: {},
    fingerprint: null,
    state: 'CREATED',
    stateReason: null,
    vertices: new Map(),
    edges: [],
    workers: new Map(),
    shuffleMaster: null,
    released: new Set(),
    commit: null,
    recoveries: [],
    checkpoints: [],
    lastCheckpointId: 0,
    failureTimesMicros: [],
    lastSequence: null,
    lastTimeMicros: null,
    epoch: null,
    eventCount: 0,
    byType: new Map(),
  };
}

/** A task that has not run yet. */
export function createExecutionVertex(subtask: number): ExecutionVertex {
  return {
    subtask,
    state: 'CREATED',
    attempt: 0,
    epoch: null,
    workerId: null,
    partitions: [],
    parts: [],
    metrics: null,
    finishedSequence: null,
    failures: 0,
    firstFailure: null,
  };
}

/** The state in which a restarted JobMaster takes the task over: what has not FINISHED is CREATED again. */
export function recoveredState(task: ExecutionVertex): 'FINISHED' | 'CREATED' {
  return task.state === 'FINISHED' ? 'FINISHED' : 'CREATED';
}

/** The vertex's name for people: its name where the store holds one, else its id. */
export function vertexLabel(vertex: ExecutionJobVertex): string {
  return vertex.name ?? vertex.id;
}
