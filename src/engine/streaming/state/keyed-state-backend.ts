// State backend `hashmap`: keyed state of one operator in one task, as JavaScript values in memory. A snapshot is made
// at once, while the task stands still, one block of bytes a key group, so that a restore takes the groups that a
// subtask owns from whichever subtask wrote them. Spec: docs/streaming.md, "Keyed state".
import { JobrecError } from '../../../model/errors.ts';
import { type KeyGroupRange, keyGroupOf } from './key-groups.ts';
import type { KeyedStateStore, ListState, MapState, ValueState } from './keyed-state.ts';
import { ValueCodec } from './value-codec.ts';

type StateKind = 'value' | 'list' | 'map';

interface StateTable {
  readonly kind: StateKind;
  /** Key text → the value, the list, or the Map. */
  readonly entries: Map<string, unknown>;
}

/** The state of one key group, as bytes. */
export interface KeyGroupBlock {
  readonly keyGroup: number;
  readonly bytes: Uint8Array;
}

/** [state name, kind, key text, value] */
type Entry = readonly [string, StateKind, string, unknown];

export class KeyedStateBackend implements KeyedStateStore {
  readonly #tables = new Map<string, StateTable>();
  readonly #maxParallelism: number;
  readonly #codec = new ValueCodec();
  #key = '';

  constructor(maxParallelism: number) {
    this.#maxParallelism = maxParallelism;
  }

  /** The key that all states are of from now on. */
  useKey(key: string): void {
    this.#key = key;
  }

  value<T>(name: string): ValueState<T> {
    const { entries } = this.#table(name, 'value');
    return {
      get: () => entries.get(this.#key) as T | undefined,
      set: (value) => void entries.set(this.#key, value),
      clear: () => void entries.delete(this.#key),
    };
  }

  list<T>(name: string): ListState<T> {
    const { entries } = this.#table(name, 'list');
    const current = () => (entries.get(this.#key) as T[] | undefined) ?? [];
    return {
      get: current,
      add: (value) => {
        const list = entries.get(this.#key) as T[] | undefined;
        if (list) list.push(value);
        else entries.set(this.#key, [value]);
      },
      update: (values) => void entries.set(this.#key, [...values]),
      clear: () => void entries.delete(this.#key),
    };
  }

  map<V>(name: string): MapState<V> {
    const { entries } = this.#table(name, 'map');
    const current = () => entries.get(this.#key) as Map<string, V> | undefined;
    return {
      get: (key) => current()?.get(key),
      set: (key, value) => {
        const map = current();
        if (map) map.set(key, value);
        else entries.set(this.#key, new Map([[key, value]]));
      },
      has: (key) => current()?.has(key) ?? false,
      delete: (key) => {
        const map = current();
        if (map?.delete(key) && map.size === 0) entries.delete(this.#key);
      },
      entries: () => (current() ?? new Map<string, V>()).entries(),
      clear: () => void entries.delete(this.#key),
    };
  }

  /** Keys that have a value in a state, in the order in which they came. */
  keys(name: string): Iterable<string> {
    return this.#tables.get(name)?.entries.keys() ?? [];
  }

  /** All state as it is now, by key group; groups without state are left out. */
  snapshot(): KeyGroupBlock[] {
    const groups = new Map<number, Entry[]>();
    for (const [name, { kind, entries }] of this.#tables) {
      for (const [key, value] of entries) {
        const keyGroup = keyGroupOf(key, this.#maxParallelism);
        const group = groups.get(keyGroup) ?? [];
        if (group.length === 0) groups.set(keyGroup, group);
        group.push([name, kind, key, kind === 'map' ? [...(value as Map<string, unknown>)] : value]);
      }
    }
    return [...groups]
      .sort(([a], [b]) => a - b)
      .map(([keyGroup, entries]) => ({ keyGroup, bytes: this.#codec.encode(entries) }));
  }

  /** Takes the blocks whose group lies in `range`. */
  restore(blocks: Iterable<KeyGroupBlock>, range: KeyGroupRange): void {
    for (const { keyGroup, bytes } of blocks) {
      if (keyGroup < range.first || keyGroup > range.last) continue;
      for (const [name, kind, key, value] of this.#codec.decode(bytes) as Entry[]) {
        const restored = kind === 'map' ? new Map(value as [string, unknown][]) : value;
        this.#table(name, kind).entries.set(key, restored);
      }
    }
  }

  #table(name: string, kind: StateKind): StateTable {
    const known = this.#tables.get(name);
    if (!known) {
      const table = { kind, entries: new Map<string, unknown>() };
      this.#tables.set(name, table);
      return table;
    }
    if (known.kind === kind) return known;
    throw new JobrecError('JOB_FAILED', `state ${name} is a ${known.kind}, and is asked for as a ${kind}`, {
      data: { state: name, recorded: known.kind, asked: kind },
      hint: 'give the state another name',
    });
  }
}
