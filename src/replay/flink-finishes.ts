// The order in which Flink replays finishes, and which of them it drops (recovery rules 1 and 2): an insertion-ordered map
// by task, in which a second finish of a task takes the place of the first, and whose tail without a snapshot is not
// recovered, because the coordinators' state is older than it. Doc: docs/flink.md "What Flink drops".

/** One finish, as far as the order is concerned. */
export interface OrderedFinish {
  /** `taskKey` of the task. */
  readonly key: string;
  readonly sequence: number;
  readonly vertexId: string;
  readonly subtask: number;
  readonly attempt: number;
  readonly hasSnapshot: boolean;
}

/** Both in replay order. */
export interface KeptAndDropped<Finish extends OrderedFinish = OrderedFinish> {
  readonly kept: readonly Finish[];
  readonly dropped: readonly Finish[];
}

/** `<vertexId>#<subtask>`: the key of maps and sets of tasks. */
export function taskKey(vertexId: string, subtask: number): string {
  return `${vertexId}#${subtask}`;
}

export class FinishOrder<Finish extends OrderedFinish = OrderedFinish> {
  readonly #finishes = new Map<string, Finish>();

  /** A JavaScript Map keeps the place of a key that is set again, as Java's LinkedHashMap does. */
  finish(finish: Finish): void {
    this.#finishes.set(finish.key, finish);
  }

  /** A reset forgets the place, too: the next finish goes to the end. */
  reset(vertexId: string, subtasks: readonly number[]): void {
    for (const subtask of subtasks) this.#finishes.delete(taskKey(vertexId, subtask));
  }

  /** What a recovery from the finishes so far would keep, and what it would drop. */
  split(): KeptAndDropped<Finish> {
    const all = [...this.#finishes.values()];
    const lastDurable = all.findLastIndex((finish) => finish.hasSnapshot);
    return { kept: all.slice(0, lastDurable + 1), dropped: all.slice(lastDurable + 1) };
  }
}
