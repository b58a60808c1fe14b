// What a function sees of keyed state: values, lists and maps by name, of the current key alone. Public (docs/
// streaming.md, "Keyed state"): a function of stage kind `process` gets it as `context.state`.

export interface ValueState<T> {
  /** undefined: never set, or cleared. */
  get(): T | undefined;
  set(value: T): void;
  clear(): void;
}

export interface ListState<T> {
  get(): readonly T[];
  add(value: T): void;
  /** Replaces all elements. */
  update(values: readonly T[]): void;
  clear(): void;
}

export interface MapState<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  has(key: string): boolean;
  delete(key: string): void;
  entries(): IterableIterator<[string, V]>;
  clear(): void;
}

/** The states of one operator. A name has one kind; the same name asked for again is the same state. */
export interface KeyedStateStore {
  value<T>(name: string): ValueState<T>;
  list<T>(name: string): ListState<T>;
  map<V>(name: string): MapState<V>;
}
