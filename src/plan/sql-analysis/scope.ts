// Names: which column instance a reference means, resolved as DuckDB binds it (case-insensitively, the innermost query
// first, columns before aliases). Whatever cannot be resolved with certainty stays unresolved: an unresolved column is
// never taken for a key.
import type { ColumnInstance, Distribution } from './distribution.ts';

/** The result of a query or a table reference. */
export interface Relation {
  /** null: not known. */
  readonly columns: readonly ColumnInstance[] | null;
  find(name: string): ColumnInstance | null;
  readonly distribution: Distribution;
}

export interface Binding {
  readonly alias: string;
  readonly relation: Relation;
}

/** One column for both sides of a USING or NATURAL join. */
export interface MergedColumn {
  readonly column: ColumnInstance;
  /** Ids of the columns that it stands for. */
  readonly parts: ReadonlySet<number>;
}

export interface Scope {
  readonly bindings: readonly Binding[];
  /** Columns joined by USING or NATURAL, by lower-case name. */
  readonly merged: ReadonlyMap<string, MergedColumn>;
  /** Ids that `*` leaves out: the right sides of merged columns. */
  readonly hidden: ReadonlySet<number>;
  readonly parent: Scope | null;
  /** How queries below refer to this scope: they are correlated; their aggregates may even be this query's own. */
  readonly uses: { count: number; aggregates: boolean };
}

export function relationOf(columns: readonly ColumnInstance[] | null, distribution: Distribution): Relation {
  if (columns === null) return { columns, distribution, find: () => null };
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  // DuckDB renames duplicates; which one a name means then is its business, and none is taken for a key.
  const isUnique = byName.size === columns.length;
  return { columns, distribution, find: (name) => (isUnique ? (byName.get(name.toLowerCase()) ?? null) : null) };
}

export function withDistribution(relation: Relation, distribution: Distribution): Relation {
  return { columns: relation.columns, find: (name) => relation.find(name), distribution };
}

/** The relation under the names of `v(x, y)`; further columns keep theirs. */
export function renamed(relation: Relation, names: readonly string[]): Relation {
  if (names.length === 0) return relation;
  const columns = relation.columns?.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
  return relationOf(columns ?? null, relation.distribution);
}

export function scopeOf(bindings: readonly Binding[], parent: Scope | null): Scope {
  return { bindings, merged: new Map(), hidden: new Set(), parent, uses: { count: 0, aggregates: false } };
}

export interface Resolution {
  /** The column that the reference is; null where it is a field of one, a whole row, or not resolved. */
  readonly column: ColumnInstance | null;
  /** The columns that it reads; null: not resolved. */
  readonly reads: readonly ColumnInstance[] | null;
}

const unresolved: Resolution = { column: null, reads: null };

/** Resolves a column reference, in the scope or in those around it. */
export function resolve(scope: Scope | null, names: readonly string[]): Resolution {
  for (let current = scope, depth = 0; current !== null; current = current.parent, depth += 1) {
    const found = resolveHere(current, names);
    if (found === null) continue;
    if (depth > 0) current.uses.count += 1;
    return found;
  }
  for (let outer = scope?.parent ?? null; outer !== null; outer = outer.parent) outer.uses.count += 1;
  return unresolved;
}

function resolveHere(scope: Scope, names: readonly string[]): Resolution | null {
  const [first = '', second, third] = names;
  if (second !== undefined) {
    const qualified = inBinding(scope, first, second) ?? (third === undefined ? null : inBinding(scope, second, third));
    if (qualified) return { column: names.length === 2 ? qualified : null, reads: [qualified] };
  }
  const plain = byName(scope, first);
  if (plain === 'ambiguous') return unresolved;
  if (plain) return { column: second === undefined ? plain : null, reads: [plain] };
  const row = second === undefined ? bindingOf(scope, first)?.relation.columns : null;
  return row ? { column: null, reads: row } : null;
}

function bindingOf(scope: Scope, alias: string): Binding | undefined {
  return scope.bindings.find((binding) => binding.alias.toLowerCase() === alias.toLowerCase());
}

function inBinding(scope: Scope, alias: string, name: string): ColumnInstance | null {
  return bindingOf(scope, alias)?.relation.find(name) ?? null;
}

/** An unqualified name. Relations of unknown columns are asked last, and only where there is one of them. */
function byName(scope: Scope, name: string): ColumnInstance | 'ambiguous' | null {
  const merged = scope.merged.get(name.toLowerCase());
  const known = scope.bindings.filter((binding) => binding.relation.columns !== null);
  const found = known.flatMap((binding) => binding.relation.find(name) ?? []);
  const others = merged ? found.filter((column) => !merged.parts.has(column.id)) : found;
  if (merged) return others.length === 0 ? merged.column : 'ambiguous';
  if (found.length > 0) return found.length === 1 ? (found[0] ?? null) : 'ambiguous';
  return inOpenBinding(scope, name);
}

function inOpenBinding(scope: Scope, name: string): ColumnInstance | 'ambiguous' | null {
  const open = scope.bindings.filter((binding) => binding.relation.columns === null);
  if (open.length === 0) return null;
  // It may just as well be a column of a query around this one.
  for (let outer = scope.parent; outer !== null; outer = outer.parent) outer.uses.count += 1;
  return (open.length === 1 ? open[0]?.relation.find(name) : null) ?? 'ambiguous';
}

/** The columns of `*`, or of `alias.*`; null where they are not known. */
export function starColumns(scope: Scope, alias: string): readonly ColumnInstance[] | null {
  if (alias !== '') return bindingOf(scope, alias)?.relation.columns ?? null;
  const columns: ColumnInstance[] = [];
  for (const { relation } of scope.bindings) {
    if (relation.columns === null) return null;
    for (const column of relation.columns) {
      if (!scope.hidden.has(column.id)) columns.push(mergedInstance(scope, column));
    }
  }
  return columns;
}

function mergedInstance(scope: Scope, column: ColumnInstance): ColumnInstance {
  const merged = scope.merged.get(column.name.toLowerCase());
  return merged?.parts.has(column.id) ? { ...merged.column, name: column.name } : column;
}
