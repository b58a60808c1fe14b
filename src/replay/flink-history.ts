// What a Flink store's events said, in log order and without their bytes: the part of each event that Flink's recovery
// rules look at. Kept beside the graph, because several rules ask for the order of events and not for the last state.
import type { FlinkSnapshot, JobVertexInitialized, TaskMetrics } from '../model/job-events.ts';
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
export function stepOf(record: LogRecord): FlinkStep | null {
  const { sequence, segment, offset, event } = record;
  const place = { sequence, segment, offset };
  switch (event.type) {
    case 'job-vertex-initialized':
      return { ...place, kind: 'initialized', event };
    case 'execution-vertex-reset':
      return { ...place, kind: 'reset', tasks: [event, ...(event.further ?? [])] };
    case 'execution-vertex-finished': {
      const { vertexId, subtask, attempt, workerId, metrics, flink } = event;
      const snapshot = flink?.snapshot ?? null;
      return {
        ...place,
        kind: 'finished',
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
    default:
      return null;
  }
}
