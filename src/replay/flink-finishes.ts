// The order in which Flink replays finishes, and which of them it drops (recovery rules 1 and 2): an insertion-ordered map
// by task, in which a second finish of a task takes the place of the first, and whose tail without a snapshot is not
// recovered, because the coordinators' state is older than it. Doc: docs/flink.md "What Flink drops".

/** One finish, as far as the order is concerned. */
export interface OrderedFinish {
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

/** As Java's LinkedHashMap: who is set again keeps its place. */
export class FinishOrder<Finish extends OrderedFinish = OrderedFinish> {
  /** In the order of their places; null where a reset left one. */
  readonly #places: (Finish | null)[] = [];
  /** By vertex and subtask. */
  readonly #placeOf = new Map<string, (number | undefined)[]>();

  finish(finish: Finish): void {
    const places = this.#placeOf.get(finish.vertexId) ?? [];
    if (places.length === 0) this.#placeOf.set(finish.vertexId, places);
    const place = places[finish.subtask];
    if (place === undefined) places[finish.subtask] = this.#places.push(finish) - 1;
    else this.#places[place] = finish;
  }

  /** A reset forgets the place, too: the next finish goes to the end. */
  reset(vertexId: string, subtasks: readonly number[]): void {
    const places = this.#placeOf.get(vertexId) ?? [];
    for (const subtask of subtasks) {
      const place = places[subtask];
      if (place === undefined) continue;
      this.#places[place] = null;
      places[subtask] = undefined;
    }
  }

  /** What a recovery from the finishes so far would keep, and what it would drop. */
  split(): KeptAndDropped<Finish> {
    const all = this.#places.filter((finish) => finish !== null);
    const lastDurable = all.findLastIndex((finish) => finish.hasSnapshot);
    return { kept: all.slice(0, lastDurable + 1), dropped: all.slice(lastDurable + 1) };
  }
}
