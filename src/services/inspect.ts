// inspect: what a store holds. The summary comes from the files and from the replayed graph; it is a picture of the
// longest good prefix. Reads only, also while a master writes. Spec: docs/commands.md "inspect".
import type { JobEventType } from '../model/job-events.ts';
import type { JobLog } from '../model/job-log.ts';
import type { JobState } from '../model/states.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from '../replay/execution-graph.ts';
import type { InspectReport, InspectVertex, JobSummary } from './inspect-report.ts';
import { lastCheckpointOf } from './last-checkpoint.ts';
import { recoveryEntries } from './recovery-report.ts';
import { replayOpened } from './replayed-store.ts';
import { openStore, type StoreInputOptions } from './store-input.ts';

export async function inspectStore(options: StoreInputOptions): Promise<InspectReport> {
  const store = await openStore(options);
  const { recorded: graph, summary } = await replayOpened(store, { evenIfLost: true });
  const { format, formatVersion, location, bytes, events, segments, snapshots, damage } = summary;
  const { firstSequence } = store.log;
  return {
    store: { format, formatVersion, location, bytes, events, segments, snapshots, firstSequence },
    byType: Object.fromEntries(firstSequence === 0 ? graph.byType : await countByType(store.log)),
    job: jobSummary(graph),
    vertices: inspectVertices(graph),
    ...lastCheckpointOf(graph),
    recoveries: recoveryEntries(graph),
    damage,
  };
}

/** Of the events that are left: the graph has counted those too that were retired. */
async function countByType(log: JobLog): Promise<Map<JobEventType, number>> {
  const byType = new Map<JobEventType, number>();
  for await (const { event } of log.records()) byType.set(event.type, (byType.get(event.type) ?? 0) + 1);
  return byType;
}

export function jobSummary(graph: ExecutionGraph): JobSummary {
  return { jobId: graph.jobId, name: graph.name, state: recordedState(graph) };
}

/** null where no event told the state (Flink stores, and a store cut before its first status). */
function recordedState(graph: ExecutionGraph): JobState | null {
  const isKnown = graph.byType.has('job-submitted') || graph.byType.has('job-status-changed');
  return isKnown ? graph.state : null;
}

export function inspectVertices(graph: ExecutionGraph): InspectVertex[] {
  const canRun = !stoppedStates.has(graph.state);
  return [...graph.vertices.values()].map((vertex) => inspectVertex(vertex, canRun));
}

const stoppedStates: ReadonlySet<JobState> = new Set(['FINISHED', 'FAILED', 'CANCELED', 'SUSPENDED']);

function inspectVertex(vertex: ExecutionJobVertex, canRun: boolean): InspectVertex {
  const finished = vertex.tasks.filter((task) => task.state === 'FINISHED').length;
  const running = canRun ? vertex.tasks.filter(isAtWork).length : 0;
  const attempts = vertex.tasks.reduce((sum, task) => sum + attemptsBegun(task), 0);
  const { id: vertexId, name: vertexName, parallelism } = vertex;
  return { vertexId, vertexName, parallelism, finished, running, attempts };
}

function isAtWork(task: ExecutionVertex): boolean {
  return ['SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING'].includes(task.state);
}

/** Attempts are numbered from 0; a task that waits for its next attempt has not begun it. */
function attemptsBegun(task: ExecutionVertex): number {
  return task.state === 'CREATED' ? task.attempt : task.attempt + 1;
}
