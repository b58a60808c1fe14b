// What tasks tell the user, passed on once: all subtasks of a source meet the same trouble, over and over.

/** How long the same words are not repeated. */
const repeatAfterMs = 30_000;
/** Different words that are kept in mind. */
const knownMax = 100;

export class TaskNotices {
  readonly #tell: (message: string) => void;
  readonly #now: () => number;
  /** Words → when they were told last, oldest first. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(tell: (message: string) => void, now: () => number = () => performance.now()) {
    this.#tell = tell;
    this.#now = now;
  }

  take(message: string): void {
    const now = this.#now();
    if (now - (this.#toldAtMs.get(message) ?? Number.NEGATIVE_INFINITY) < repeatAfterMs) return;
    this.#toldAtMs.delete(message);
    this.#toldAtMs.set(message, now);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > knownMax && oldest !== undefined) this.#toldAtMs.delete(oldest);
    this.#tell(message);
  }
}
