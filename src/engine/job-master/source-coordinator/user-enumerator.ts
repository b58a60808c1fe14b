// A user-written enumerator behind one face, whichever of its two forms it has: an iterable of splits (a generator), or
// an object that is asked by subtask and may give snapshots. Whatever it gives is checked and made plain here, where an
// error can still say what is wrong. Spec: docs/job-file.md, "Enumerators".
import { type DescribedSplit, splitTextMax, stateTextMax } from './enumerator-messages.ts';
import { plainJson } from './plain-json.ts';

export interface UserEnumerator {
  readonly supportsBatchSnapshot: boolean;
  /** null: no more splits for this subtask. */
  next(subtask: number): Promise<DescribedSplit | null>;
  /** JSON text; null where it gives no snapshots. */
  state(): Promise<string | null>;
}

type Unknown = Readonly<Record<string, unknown>>;

/** Starts what the user's export returned; `state`: what it is to go on from. */
export async function openEnumerator(made: unknown, state: string | null): Promise<UserEnumerator> {
  const iterator = iteratorOf(made);
  if (iterator !== null) return ofIterator(iterator);
  const object = (typeof made === 'object' && made !== null ? made : {}) as Unknown;
  const { next, snapshot, restore } = object;
  if (typeof next !== 'function') {
    throw new TypeError('it must yield splits (a generator), or return an object with next(subtask)');
  }
  if ((typeof snapshot === 'function') !== (typeof restore === 'function')) {
    const [has, lacks] = typeof snapshot === 'function' ? ['snapshot', 'restore'] : ['restore', 'snapshot'];
    throw new TypeError(`it has ${has}() and no ${lacks}(); batch snapshots need both`);
  }
  if (state !== null && typeof restore === 'function') await restore.call(object, JSON.parse(state));
  return {
    supportsBatchSnapshot: typeof snapshot === 'function',
    next: async (subtask) => describe(await next.call(object, subtask)),
    state: async () =>
      typeof snapshot === 'function'
        ? plainJson('what snapshot() returned', await snapshot.call(object), stateTextMax)
        : null,
  };
}

function iteratorOf(made: unknown): AsyncIterator<unknown> | Iterator<unknown> | null {
  if (typeof made === 'string') return null;
  const iterable = made as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  return iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.() ?? null;
}

function ofIterator(iterator: AsyncIterator<unknown> | Iterator<unknown>): UserEnumerator {
  return {
    supportsBatchSnapshot: false,
    next: async () => {
      const step = await iterator.next();
      return step.done === true ? null : describe(step.value);
    },
    state: async () => null,
  };
}

const splitKeys = ['id', 'path', 'rows', 'data'];

function describe(value: unknown): DescribedSplit | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') throw new TypeError(`it gave a ${typeof value} where a split belongs`);
  const { id, path, rows, data } = value as Unknown;
  if (typeof id !== 'string' || id === '') throw new TypeError('it gave a split whose id is not a text');
  const name = `split ${JSON.stringify(id.slice(0, 80))}`;
  const unknown = Object.keys(value).find((key) => !splitKeys.includes(key));
  if (unknown !== undefined)
    throw new TypeError(`${name} has an unknown key ${unknown}; known: ${splitKeys.join(', ')}`);
  if (id.length > splitTextMax) throw new RangeError(`${name} has an id of more than ${splitTextMax} characters`);
  return {
    id,
    path: pathOf(name, path),
    rows: rowsOf(name, rows),
    data: data === undefined ? null : plainJson(`data of ${name}`, data, splitTextMax),
  };
}

function pathOf(name: string, path: unknown): string | null {
  if (path === undefined || path === null) return null;
  if (typeof path === 'string' && path !== '' && path.length <= splitTextMax) return path;
  throw new TypeError(`${name} has a path that is not the path of a file`);
}

function rowsOf(name: string, rows: unknown): [number, number] | null {
  if (rows === undefined || rows === null) return null;
  const [from, to]: unknown[] = Array.isArray(rows) && rows.length === 2 ? rows : [];
  if (isRow(from) && isRow(to) && from <= to) return [from, to];
  throw new TypeError(`${name} has rows that are not [first, row behind the last]`);
}

function isRow(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
