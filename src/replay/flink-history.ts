// What a Flink store's events said, in log order and without their bytes: the part of each event that Flink's recovery
// rules look at. Kept beside the graph, because several rules ask for the order of events and not for the last state.
import type { ExecutionVertexFinished, FlinkSnapshot, JobVertexInitialized, TaskMetrics } from '../model/job-events.ts';
import type { LogRecord } from '../model/job-log.ts';
import type { OrderedFinish } from './flink-finishes.ts';

/** Where an event lies. */
export interface StepPlace {
  readonly sequence: number;
  readonly segment: string;
  readonly offset: number;
}

export interface InitializedStep extends StepPlace {
  readonly kind: 'initialized';
  readonly event: JobVertexInitialized;
}

export interface ResetStep extends StepPlace {
  readonly kind: 'reset';
  readonly tasks: readonly { readonly vertexId: string; readonly subtasks: readonly number[] }[];
}

export interface FinishedStep extends StepPlace, OrderedFinish {
  readonly kind: 'finished';
  /** The JobMaster's execution graph; the empty string where the event does not say. */
  readonly executionGraphId: string;
  readonly workerId: string;
  /** What was taken with this finish; null: no snapshot. */
  readonly snapshot: FlinkSnapshot | null;
  readonly metrics: TaskMetrics;
}

export type FlinkStep = InitializedStep | ResetStep | FinishedStep;

/** The step of a record; null for events that Flink does not write. */
export function stepOf({ sequence, segment, offset, event }: LogRecord): FlinkStep | null {
  switch (event.type) {
    case 'job-vertex-initialized':
      return { sequence, segment, offset, kind: 'initialized', event };
    case 'execution-vertex-reset':
      return { sequence, segment, offset, kind: 'reset', tasks: [event, ...(event.further ?? [])] };
    case 'execution-vertex-finished':
      return finishedStep(sequence, segment, offset, event);
    default:
      return null;
  }
}

/** One literal, without spreading: a large store has hundreds of thousands of them. */
function finishedStep(
  sequence: number,
  segment: string,
  offset: number,
  { vertexId, subtask, attempt, workerId, metrics, flink }: ExecutionVertexFinished,
): FinishedStep {
  const snapshot = flink?.snapshot ?? null;
  return {
    kind: 'finished',
    sequence,
    segment,
    offset,
    vertexId,
    subtask,
    attempt,
    workerId,
    metrics,
    executionGraphId: flink?.executionGraphId ?? '',
    hasSnapshot: snapshot !== null,
    snapshot,
  };
}
