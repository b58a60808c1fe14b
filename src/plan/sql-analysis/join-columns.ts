// Which columns a join shows and compares: USING and NATURAL make one column of two, SEMI and ANTI show only the left
// side. After a LEFT join the merged column is the left one, after a RIGHT join the right one, after a FULL join
// whichever is there.
import { type Ast, textOf, textsOf } from './ast.ts';
import type { ColumnInstance, Equality } from './distribution.ts';
import { mergedType } from './hash-type.ts';
import type { FullJoinColumn } from './join-distribution.ts';
import type { QueryAnalyser } from './query-analyser.ts';
import { type MergedColumn, resolve, type Scope, starColumns } from './scope.ts';

export interface JoinColumns {
  /** What the query around the join sees. */
  readonly scope: Scope;
  /** What the join's condition sees: both sides. */
  readonly conditionScope: Scope;
  readonly equalities: readonly Equality[];
  readonly merged: readonly FullJoinColumn[];
  readonly problem: string | null;
}

export function bindJoinColumns(
  analyser: QueryAnalyser,
  node: Ast,
  left: Scope,
  right: Scope,
  outer: Scope | null,
): JoinColumns {
  const type = textOf(node, 'join_type');
  const names = textOf(node, 'ref_type') === 'NATURAL' ? commonNames(left, right) : textsOf(node, 'using_columns');
  if (names === null) analyser.context.markAllUsed();
  const columns = (names ?? []).flatMap((name) => mergeColumn(analyser, name, type, left, right) ?? []);
  const isComplete = names !== null && columns.length === names.length;
  const both = combined(left, right, outer, columns);
  return {
    scope:
      type === 'SEMI' || type === 'ANTI' ? { ...left, parent: outer, uses: { count: 0, aggregates: false } } : both,
    conditionScope: both,
    equalities: columns.map((merged): Equality => [merged.left, merged.right]),
    merged: type === 'FULL' ? columns : [],
    problem: isComplete ? null : 'the columns that the join compares are not known before the job runs',
  };
}

function mergeColumn(
  analyser: QueryAnalyser,
  name: string,
  type: string,
  leftScope: Scope,
  rightScope: Scope,
): FullJoinColumn | null {
  const left = resolve({ ...leftScope, parent: null }, [name]).column;
  const right = resolve({ ...rightScope, parent: null }, [name]).column;
  if (!left || !right) {
    analyser.context.markAllUsed();
    return null;
  }
  analyser.context.markUsed(left);
  analyser.context.markUsed(right);
  return { column: mergedInstance(analyser, name, type, left, right), left, right };
}

function mergedInstance(
  analyser: QueryAnalyser,
  name: string,
  type: string,
  left: ColumnInstance,
  right: ColumnInstance,
): ColumnInstance {
  if (type === 'FULL') return analyser.context.newColumn(name, mergedType(left.type, right.type));
  return type === 'RIGHT' ? right : left;
}

function combined(left: Scope, right: Scope, outer: Scope | null, columns: readonly FullJoinColumn[]): Scope {
  const merged = new Map<string, MergedColumn>([...left.merged, ...right.merged]);
  for (const { column, left: a, right: b } of columns) {
    const key = column.name.toLowerCase();
    const before = [left.merged.get(key), right.merged.get(key)].flatMap((each) => [...(each?.parts ?? [])]);
    merged.set(key, { column, parts: new Set([...before, a.id, b.id]) });
  }
  return {
    bindings: [...left.bindings, ...right.bindings],
    merged,
    hidden: new Set([...left.hidden, ...right.hidden, ...columns.map((column) => column.right.id)]),
    parent: outer,
    uses: { count: 0, aggregates: false },
  };
}

/** Names that both sides have, for NATURAL; null where a side's columns are not known. */
function commonNames(left: Scope, right: Scope): string[] | null {
  const [a, b] = [starColumns(left, ''), starColumns(right, '')];
  if (a === null || b === null) return null;
  const names = new Set(b.map((column) => column.name.toLowerCase()));
  return a.map((column) => column.name).filter((name) => names.has(name.toLowerCase()));
}
