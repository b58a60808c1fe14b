// Records that were fetched and not yet polled: bounded, so that who fetches waits for who polls.
import type { KafkaRecord } from './kafka-client.ts';

/** A fetch is put in whole, so this may be exceeded by one of them. */
const recordsMax = 5_000;

export class RecordQueue {
  #records: KafkaRecord[] = [];
  #from = 0;
  #refuses = false;
  readonly #onFilled = new Set<() => void>();
  readonly #onSpace = new Set<() => void>();

  get length(): number {
    return this.#records.length - this.#from;
  }

  /** Waits for space; false where the records are not taken: they must be fetched again. */
  async put(records: readonly KafkaRecord[]): Promise<boolean> {
    while (this.length >= recordsMax && !this.#refuses) await signal(this.#onSpace);
    if (this.#refuses) return false;
    this.#records = [...this.#records.slice(this.#from), ...records];
    this.#from = 0;
    fire(this.#onFilled);
    return true;
  }

  take(countMax: number): KafkaRecord[] {
    const taken = this.#records.slice(this.#from, this.#from + countMax);
    this.#from += taken.length;
    if (taken.length > 0) fire(this.#onSpace);
    return taken;
  }

  /** Resolves when there is something to take, or after `waitMs`. */
  async whenFilled(waitMs: number): Promise<void> {
    if (this.length > 0 || this.#refuses) return;
    const timer = setTimeout(() => fire(this.#onFilled), waitMs);
    await signal(this.#onFilled);
    clearTimeout(timer);
  }

  /** Until `accept`, nothing is put in; what is in it stays. */
  refuse(): void {
    this.#refuses = true;
    fire(this.#onSpace);
  }

  accept(): void {
    this.#refuses = false;
  }

  /** For good: whoever waits goes on. */
  close(): void {
    this.refuse();
    fire(this.#onFilled);
  }
}

function signal(waiting: Set<() => void>): Promise<void> {
  return new Promise((resolve) => {
    waiting.add(resolve);
  });
}

function fire(waiting: Set<() => void>): void {
  for (const resolve of waiting) resolve();
  waiting.clear();
}
