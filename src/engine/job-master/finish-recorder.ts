// What a finished task means for the record: its partitions and parts are there, its sources' splits are read, its
// finish is recorded, and what it was the last to read can be given up. In this order, so that a log cut anywhere says
// nothing that rests on something it does not say.
import type { ExecutionVertexFinished } from '../../model/job-events.ts';
import type { JobGraph } from '../../model/job-graph.ts';
import type { ExecutionRef, TaskResult } from '../protocol/messages.ts';
import type { ShuffleMaster } from '../shuffle-service/shuffle-master.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { PartitionReleaser } from './partition-releaser.ts';
import type { PartitionTracker } from './partition-tracker.ts';
import type { SnapshotPacer } from './snapshot-pacer.ts';
import type { SourceCoordinators } from './source-coordinator/source-coordinators.ts';
import { finishDeltas } from './source-coordinator/static-splits.ts';

export interface FinishRecorderOptions {
  readonly recorder: EventRecorder;
  readonly tracker: PartitionTracker;
  readonly releaser: PartitionReleaser;
  /** null: partitions stay with the workers. */
  readonly shuffle: ShuffleMaster | null;
  readonly pacer: SnapshotPacer;
  readonly sources: SourceCoordinators;
  readonly jobGraph: JobGraph;
  readonly epoch: number;
}

export class FinishRecorder {
  readonly #options: FinishRecorderOptions;
  /** Vertex → finished subtasks whose splits the record does not have as read. */
  readonly #unrecorded = new Map<string, Set<number>>();

  constructor(options: FinishRecorderOptions) {
    this.#options = options;
  }

  /** Returns the event as it was recorded. */
  record(execution: ExecutionRef, workerId: string, result: TaskResult): ExecutionVertexFinished {
    const { recorder, tracker, releaser, shuffle, epoch } = this.#options;
    const { partitions, parts, metrics } = result;
    tracker.produced(shuffle?.serviceId ?? workerId, { attempt: execution.attempt, epoch }, partitions, parts);
    for (const placed of shuffle?.increments(execution, partitions) ?? []) void recorder.record(placed);
    const awaits = this.#recordSnapshots(execution);
    const event: ExecutionVertexFinished = {
      type: 'execution-vertex-finished',
      ...execution,
      epoch,
      workerId,
      partitions,
      parts,
      metrics,
      ...(awaits.length === 0 ? {} : { awaitsSnapshotsOf: awaits }),
    };
    void recorder.record(event);
    releaser.taskFinished(execution.vertexId, execution.subtask);
    return event;
  }

  /** Records the coordinator state that waits for its pause to pass. */
  recordWaitingSnapshots(): void {
    for (const vertexId of this.#options.pacer.takeAll()) this.#recordVertex(vertexId);
  }

  /** These tasks start over: what they had read is handed out again. */
  reset(vertexId: string, subtasks: readonly number[]): void {
    for (const subtask of subtasks) this.#unrecorded.get(vertexId)?.delete(subtask);
    this.#options.sources.reset(vertexId, subtasks);
  }

  /** Returns the coordinators whose state has to wait. */
  #recordSnapshots(execution: ExecutionRef): readonly string[] {
    const { recorder, pacer, sources } = this.#options;
    const { vertexId, subtask } = execution;
    sources.finished(execution);
    this.#unrecorded.set(vertexId, (this.#unrecorded.get(vertexId) ?? new Set<number>()).add(subtask));
    const tasks = recorder.graph.vertices.get(vertexId)?.tasks ?? [];
    const endsVertex = tasks.every((task) => task.subtask === subtask || task.state === 'FINISHED');
    const awaits = [...this.#staticDeltas(vertexId, [subtask]), ...sources.unrecorded(execution)];
    const operatorIds = awaits.filter(({ finished }) => finished.length > 0).map(({ operatorId }) => operatorId);
    const due = pacer.finished({ vertexId, changes: operatorIds.length > 0, endsVertex });
    for (const each of due) this.#recordVertex(each);
    return due.includes(vertexId) ? [] : operatorIds;
  }

  /** One increment a coordinator, of all finishes since its last. */
  #recordVertex(vertexId: string): void {
    const { recorder, sources } = this.#options;
    const subtasks = [...(this.#unrecorded.get(vertexId) ?? [])];
    this.#unrecorded.delete(vertexId);
    for (const delta of [...this.#staticDeltas(vertexId, subtasks), ...sources.changes(vertexId)]) {
      void recorder.record(delta);
    }
  }

  #staticDeltas(vertexId: string, subtasks: readonly number[]) {
    const { recorder, jobGraph } = this.#options;
    const vertex = jobGraph.vertices.find(({ id }) => id === vertexId);
    const parallelism = recorder.graph.vertices.get(vertexId)?.parallelism ?? 1;
    return vertex === undefined ? [] : finishDeltas(jobGraph, vertex, parallelism, subtasks);
  }
}
