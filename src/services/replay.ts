// replay: the ExecutionGraph at a point of the log, as a restarted JobMaster would hold it. Reads only.
// Spec: docs/commands.md "replay".
import { formatPartitionId } from '../model/ids.ts';
import type { ExecutionState } from '../model/states.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from '../replay/execution-graph.ts';
import { recoveredState } from '../replay/execution-graph.ts';
import { jobSummary } from './inspect.ts';
import { lastCheckpointOf } from './last-checkpoint.ts';
import { recoveryEntries } from './recovery-report.ts';
import type {
  ReplayCoordinator,
  ReplayReport,
  ReplayShuffleMaster,
  ReplayTask,
  ReplayVertex,
} from './replay-report.ts';
import { replayOpened } from './replayed-store.ts';
import { openStore, type StoreInputOptions } from './store-input.ts';
import { boundOf, isoTime } from './times.ts';

export interface ReplayStoreOptions extends StoreInputOptions {
  /** A position, inclusive; null: the whole log. */
  readonly until: string | null;
}

export async function replayStore(options: ReplayStoreOptions): Promise<ReplayReport> {
  const store = await openStore(options);
  const until = await boundOf(store, options.until);
  const { graph, at, droppedEvents, damage } = await replayOpened(store, { until });
  return {
    at: { sequence: at.sequence, time: isoTime(at.timeMicros) },
    job: jobSummary(graph),
    vertices: [...graph.vertices.values()].map(replayVertex),
    edges: graph.edges.filter((edge) => graph.vertices.has(edge.consumerVertexId)),
    coordinators: replayCoordinators(graph),
    shuffleMaster: replayShuffleMaster(graph),
    droppedEvents: droppedEvents.map(({ sequence, vertexId, subtask, reason }) => ({
      sequence,
      vertexId,
      subtask,
      reason,
    })),
    ...lastCheckpointOf(graph),
    recoveries: recoveryEntries(graph),
    damage,
  };
}

function replayShuffleMaster({ shuffleMaster }: ExecutionGraph): ReplayShuffleMaster | null {
  if (shuffleMaster === null) return null;
  const { bytes, incremental, placements } = shuffleMaster;
  const counts = new Map<string, number>();
  for (const { holderId } of placements.values()) counts.set(holderId, (counts.get(holderId) ?? 0) + 1);
  const holders = [...counts].map(([workerId, partitions]) => ({ workerId, partitions }));
  return { bytes, incremental, holders };
}

function replayVertex(vertex: ExecutionJobVertex): ReplayVertex {
  const { id: vertexId, name: vertexName, parallelism } = vertex;
  const tasks = vertex.tasks.map(replayTask);
  return { vertexId, vertexName, parallelism, state: aggregateState(tasks), tasks };
}

function replayTask(task: ExecutionVertex): ReplayTask {
  const { subtask, attempt, workerId } = task;
  const state = recoveredState(task);
  if (state !== 'FINISHED') return { subtask, state, attempt, workerId: null, partitions: [] };
  const partitions = task.partitions.map(({ datasetId, partitionIndex }) =>
    formatPartitionId({ datasetId, partitionIndex, attempt }),
  );
  return { subtask, state, attempt, workerId, partitions };
}

/** Flink's rule for a vertex's state, for tasks that are all CREATED or FINISHED. */
function aggregateState(tasks: readonly ReplayTask[]): ExecutionState {
  const finished = tasks.filter((task) => task.state === 'FINISHED').length;
  if (finished === 0) return 'CREATED';
  return finished === tasks.length ? 'FINISHED' : 'RUNNING';
}

function replayCoordinators(graph: ExecutionGraph): ReplayCoordinator[] {
  return [...graph.vertices.values()].flatMap(({ id: vertexId, coordinator }) =>
    [...(coordinator?.operators.values() ?? [])].map(({ operatorId, bytes, supportsBatchSnapshot }) => ({
      vertexId,
      operatorId,
      bytes,
      supportsBatchSnapshot,
    })),
  );
}
