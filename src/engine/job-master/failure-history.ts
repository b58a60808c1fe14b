// The task failures that a restart strategy counts, over all JobMasters of the job: taken from the replayed graph when a
// master takes over, added to as they happen. Times never decrease, whatever the clock does, as the store's own do not.
import type { JobEvent } from '../../model/job-events.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';

export class FailureHistory {
  readonly #timesMs: number[] = [];
  readonly #firstCauses = new Map<string, string>();

  /** What the masters before this one recorded. */
  constructor({ failureTimesMicros, vertices }: Pick<ExecutionGraph, 'failureTimesMicros' | 'vertices'>) {
    for (const timeMicros of failureTimesMicros) this.#timesMs.push(timeMicros / 1000);
    for (const { id: vertexId, tasks } of vertices.values()) {
      for (const { subtask, firstFailure } of tasks)
        if (firstFailure !== null) this.#firstCauses.set(keyOf({ vertexId, subtask }), firstFailure);
    }
  }

  /** Times of the counted failures, oldest first. */
  get timesMs(): readonly number[] {
    return this.#timesMs;
  }

  /** Takes note of what the event says of failures; other events are ignored. */
  add(event: JobEvent, timeMs: number): void {
    if (event.type === 'execution-vertex-finished') this.#firstCauses.delete(keyOf(event));
    if (event.type !== 'execution-failed' || !event.counted) return;
    this.#timesMs.push(Math.max(timeMs, this.#timesMs.at(-1) ?? 0));
    const key = keyOf(event);
    if (!this.#firstCauses.has(key)) this.#firstCauses.set(key, event.cause);
  }

  /** Why the task failed first, since it last finished; null: it has not failed. */
  firstCauseOf(task: TaskKey): string | null {
    return this.#firstCauses.get(keyOf(task)) ?? null;
  }
}

interface TaskKey {
  readonly vertexId: string;
  readonly subtask: number;
}

function keyOf({ vertexId, subtask }: TaskKey): string {
  return `${vertexId}#${subtask}`;
}
