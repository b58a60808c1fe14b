// When coordinator state is recorded (`execution.batch.job-recovery.snapshot.min-pause`): with each finish by default,
// else no more often than the pause. A vertex that is through does not wait, and neither does whoever asks for all.
// Doc: docs/adr/0009-snapshot-pause.md.

export interface SourceFinish {
  readonly vertexId: string;
  /** Whether the task's finish changed what its coordinators know. */
  readonly changes: boolean;
  /** No other task of the vertex has yet to finish. */
  readonly endsVertex: boolean;
}

export class SnapshotPacer {
  readonly #minPauseMs: number;
  readonly #nowMs: () => number;
  readonly #waiting = new Set<string>();
  /** The first finish of a JobMaster waits for nobody. */
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(minPauseMs: number, nowMs: () => number = () => performance.now()) {
    this.#minPauseMs = minPauseMs;
    this.#nowMs = nowMs;
  }

  /** The vertices whose coordinators' state is to be recorded with this finish; its own, unless it has to wait. */
  finished({ vertexId, changes, endsVertex }: SourceFinish): readonly string[] {
    if (changes) this.#waiting.add(vertexId);
    if (this.#nowMs() - this.#lastMs >= this.#minPauseMs) {
      if (changes) this.#lastMs = this.#nowMs();
      return [...new Set([...this.takeAll(), vertexId])];
    }
    if (changes && !endsVertex) return [];
    this.#waiting.delete(vertexId);
    return [vertexId];
  }

  /** All that wait, to be recorded now. */
  takeAll(): string[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
