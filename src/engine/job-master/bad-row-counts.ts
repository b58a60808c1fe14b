// How many bad rows the tasks of a batch job have left out (`onBadRow: skip` or `quarantine`), as told to the user: at the
// first, then whenever a vertex's number has doubled, and all of them at the end. A task that ran again counts once.
import type { JobVertexId } from '../../model/ids.ts';
import type { JobGraph } from '../../model/job-graph.ts';

export class BadRowCounts {
  readonly #names: ReadonlyMap<JobVertexId, string>;
  readonly #bySubtask = new Map<JobVertexId, Map<number, number>>();
  /** Number of each vertex that was told last. */
  readonly #told = new Map<JobVertexId, number>();

  constructor({ vertices }: JobGraph) {
    this.#names = new Map(vertices.map(({ id, name }) => [id, name]));
  }

  /** A task has finished. What is to be told; null: nothing yet. */
  finished(vertexId: JobVertexId, subtask: number, badRows: number): string | null {
    const counts = this.#bySubtask.get(vertexId) ?? new Map<number, number>();
    if (badRows === 0 && !counts.has(subtask)) return null;
    this.#bySubtask.set(vertexId, counts.set(subtask, badRows));
    return this.#total(vertexId) >= 2 * (this.#told.get(vertexId) ?? 0) ? this.#news(vertexId) : null;
  }

  /** At the end: what has come since it was told last. */
  last(): string[] {
    return [...this.#bySubtask.keys()].flatMap((vertexId) => this.#news(vertexId) ?? []);
  }

  #news(vertexId: JobVertexId): string | null {
    const total = this.#total(vertexId);
    if (total === (this.#told.get(vertexId) ?? 0)) return null;
    this.#told.set(vertexId, total);
    return `${this.#names.get(vertexId) ?? vertexId}: ${total} bad row(s) left out, as onBadRow says`;
  }

  #total(vertexId: JobVertexId): number {
    return [...(this.#bySubtask.get(vertexId)?.values() ?? [])].reduce((sum, rows) => sum + rows, 0);
  }
}
