// The distribution property: how the rows of a relation lie on the tasks of a stage. It is computed bottom-up over the
// syntax tree; a stage's SQL means its answer over the whole inputs exactly when its result is `split`.
// Invariant of a key tuple: rows that agree in one column of each of its positions are on the same task; and two
// relations whose tuples have the same scheme place equal (hashed) values on the same task.
// Spec: docs/job-file.md, "What an exchange may not do".
import { hashAgrees } from './hash-type.ts';

/** A column instance: the same column read twice in a query has two. */
export interface ColumnInstance {
  readonly id: number;
  readonly name: string;
  /** DuckDB type; null where it is not known (computed columns, stages whose columns are not known). */
  readonly type: string | null;
}

export interface KeyTuple {
  /** Tuples are comparable across relations only within one scheme: the same hash, divided among tasks alike. */
  readonly scheme: string;
  /** The type each position is cast to before hashing; null: unknown. */
  readonly hashTypes: readonly (string | null)[];
  /** Per position: ids of the columns that hold the hashed value. */
  readonly positions: readonly ReadonlySet<number>[];
}

export type Distribution =
  /** every task holds all rows */
  | { readonly kind: 'whole' }
  /** every row is on exactly one task */
  | { readonly kind: 'split'; readonly keys: readonly KeyTuple[] }
  /** the tasks' rows together are not the relation's rows */
  | { readonly kind: 'wrong'; readonly reason: string };

export type Equality = readonly [ColumnInstance, ColumnInstance];

export const whole: Distribution = { kind: 'whole' };

export function split(keys: readonly KeyTuple[]): Distribution {
  return { kind: 'split', keys };
}

export function wrong(reason: string): Distribution {
  return { kind: 'wrong', reason };
}

/** Whether rows that agree in the columns `ids` are known to be on one task. */
export function hasKeyWithin(keys: readonly KeyTuple[], ids: ReadonlySet<number>): boolean {
  return keys.some((key) => key.positions.every((position) => intersects(position, ids)));
}

/** What remains of the keys when only the columns `ids` are kept. */
export function keysWithin(keys: readonly KeyTuple[], ids: ReadonlySet<number>): KeyTuple[] {
  return mapPositions(keys, (position) => new Set([...position].filter((id) => ids.has(id))));
}

/** Renames the column ids of the keys; a column may get several new ones. Keys that lose a position are dropped. */
export function renamedKeys(keys: readonly KeyTuple[], newIds: ReadonlyMap<number, readonly number[]>): KeyTuple[] {
  return mapPositions(keys, (position) => new Set([...position].flatMap((id) => newIds.get(id) ?? [])));
}

function mapPositions(
  keys: readonly KeyTuple[],
  change: (position: ReadonlySet<number>, index: number, key: KeyTuple) => ReadonlySet<number>,
): KeyTuple[] {
  return keys.flatMap((key) => {
    const positions = key.positions.map((position, index) => change(position, index, key));
    return positions.every((position) => position.size > 0) ? [{ ...key, positions }] : [];
  });
}

/** Adds the columns that a filter or an inner join makes equal to a key column. */
export function keysWithEqualities(keys: readonly KeyTuple[], equalities: readonly Equality[]): KeyTuple[] {
  return mapPositions(keys, (position, index, key) => {
    const wider = new Set(position);
    const hashType = key.hashTypes[index] ?? null;
    for (let size = -1; size !== wider.size; ) {
      size = wider.size;
      for (const [a, b] of equalities) {
        if (!hashAgrees(a.type, b.type, hashType)) continue;
        if (wider.has(a.id)) wider.add(b.id);
        if (wider.has(b.id)) wider.add(a.id);
      }
    }
    return wider;
  });
}

/** Pairs of tuples, of the left and the right side, by which rows that `equalities` match are on the same task. */
export function coLocatedKeys(
  left: readonly KeyTuple[],
  right: readonly KeyTuple[],
  equalities: readonly Equality[],
): { readonly left: KeyTuple; readonly right: KeyTuple }[] {
  return left.flatMap((a) => right.filter((b) => isCoLocated(a, b, equalities)).map((b) => ({ left: a, right: b })));
}

function isCoLocated(left: KeyTuple, right: KeyTuple, equalities: readonly Equality[]): boolean {
  if (left.scheme !== right.scheme || left.positions.length !== right.positions.length) return false;
  return left.positions.every((position, index) => {
    const hashType = left.hashTypes[index] ?? null;
    if (hashType !== (right.hashTypes[index] ?? null)) return false;
    return equalities.some(
      ([a, b]) =>
        hashAgrees(a.type, b.type, hashType) &&
        ((position.has(a.id) && right.positions[index]?.has(b.id)) ||
          (position.has(b.id) && right.positions[index]?.has(a.id))),
    );
  });
}

/** Two tuples as one whose positions hold the columns of both. */
export function mergedKey(a: KeyTuple, b: KeyTuple): KeyTuple {
  const positions = a.positions.map((position, index) => new Set([...position, ...(b.positions[index] ?? [])]));
  return { ...a, positions };
}

function intersects(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const id of a) if (b.has(id)) return true;
  return false;
}
