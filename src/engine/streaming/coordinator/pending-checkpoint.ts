// A checkpoint while its tasks acknowledge it: gathers their states into the metadata that is stored when all are there.
import { basename } from 'node:path';
import {
  type StreamingPlan,
  type StreamOperator,
  type StreamVertex,
  stateShapeOf,
} from '../../../model/streaming-plan.ts';
import {
  type CheckpointMetadata,
  type CommittedPart,
  type OperatorState,
  type SubtaskState,
  stateBytesOf,
} from '../../../store/checkpoint/own-metadata.ts';
import type { AcknowledgedOperator } from '../protocol/stream-messages.ts';
import { checkpointOfPart } from '../sinks/part-names.ts';

type MetadataHead = Pick<CheckpointMetadata, 'kind' | 'checkpointId' | 'jobId' | 'jobName' | 'epoch' | 'timestampMs'>;

export class PendingCheckpoint {
  readonly folder: string;
  /** The folder was made for this checkpoint: it goes where the checkpoint is given up. */
  hasFolder = false;
  readonly startedMs = performance.now();
  readonly #head: MetadataHead;
  readonly #states = new Map<string, SubtaskState[]>();
  readonly #droppedRows = new Map<string, number>();
  #parts: CommittedPart[] = [];
  #stateBytes = 0;

  constructor(folder: string, head: MetadataHead) {
    this.folder = folder;
    this.#head = head;
  }

  get stateBytes(): number {
    return this.#stateBytes;
  }

  get parts(): readonly CommittedPart[] {
    return this.#parts;
  }

  /** By operator: rows that its tasks gave up since they began. */
  get droppedRows(): ReadonlyMap<string, number> {
    return this.#droppedRows;
  }

  add(subtask: number, operators: readonly AcknowledgedOperator[], parts: readonly CommittedPart[]): void {
    this.#parts.push(...parts);
    for (const { operatorId, keyed, operator, droppedRows } of operators) {
      this.#droppedRows.set(operatorId, (this.#droppedRows.get(operatorId) ?? 0) + droppedRows);
      const subtasks = this.#states.get(operatorId) ?? [];
      this.#states.set(operatorId, subtasks);
      subtasks.push({ subtask, keyed, operator });
      this.#stateBytes += (keyed ? stateBytesOf(keyed.state) : 0) + (operator ? stateBytesOf(operator) : 0);
    }
  }

  /**
   * Sinks name a part until they hear that a checkpoint with it is complete, which may be later than their next barrier.
   * @param storedId newest checkpoint that has been stored: parts up to it are committed, and counted, already
   */
  leaveOutCommitted(storedId: number): void {
    const isCommitted = ({ final }: CommittedPart) => {
      const checkpointId = checkpointOfPart(basename(final), null);
      return checkpointId !== null && checkpointId <= storedId;
    };
    this.#parts = this.#parts.filter((part) => !isCommitted(part));
  }

  /** @param rowsBefore rows of each sink up to the checkpoint that the job went on from, and since */
  metadata(plan: StreamingPlan, rowsBefore: ReadonlyMap<string, number>): CheckpointMetadata {
    const operators = plan.vertices.flatMap((vertex) =>
      vertex.operators.map((operator) => this.#operatorState(vertex, operator, plan.maxParallelism)),
    );
    const rows = new Map(rowsBefore);
    for (const part of this.#parts) rows.set(part.sink, (rows.get(part.sink) ?? 0) + part.rows);
    const sinkRows = [...rows].map(([sink, count]) => ({ sink, rows: count }));
    return { ...this.#head, operators, parts: this.#parts, sinkRows };
  }

  #operatorState(
    { parallelism }: StreamVertex,
    { operatorId, uid, name, spec }: StreamOperator,
    maxParallelism: number,
  ): OperatorState {
    const subtasks = [...(this.#states.get(operatorId) ?? [])].sort((a, b) => a.subtask - b.subtask);
    const shape = stateShapeOf(spec);
    const state = { operatorId, uid, name, parallelism, maxParallelism, subtasks };
    return shape === null ? state : { ...state, shape };
  }
}
