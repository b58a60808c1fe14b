// UNION, EXCEPT, INTERSECT. UNION ALL divides freely; the others compare rows, so equal rows of both sides must be on
// one task: both hashed alike at the same places, or the right side (for INTERSECT: either) whole.
import { type Ast, childOf, textOf } from './ast.ts';
import {
  type ColumnInstance,
  type Distribution,
  type KeyTuple,
  renamedKeys,
  split,
  whole,
  wrong,
} from './distribution.ts';
import { hashAgrees } from './hash-type.ts';
import type { Environment, QueryAnalyser } from './query-analyser.ts';
import { type Relation, relationOf, type Scope } from './scope.ts';

/** Columns of both sides that become one, with the output column that they become. */
interface Aligned {
  readonly output: ColumnInstance;
  readonly left: ColumnInstance | null;
  readonly right: ColumnInstance | null;
}

export function analyseSetOperation(
  analyser: QueryAnalyser,
  query: Ast,
  environment: Environment,
  outer: Scope | null,
): Relation {
  const [leftNode, rightNode] = [childOf(query, 'left'), childOf(query, 'right')];
  if (!leftNode || !rightNode) {
    analyser.context.markAllUsed();
    return relationOf(null, wrong('a set operation of unknown form needs all rows on one task'));
  }
  const left = analyser.analyseQuery(leftNode, environment, outer);
  const right = analyser.analyseQuery(rightNode, environment, outer);
  for (const side of [left, right]) analyser.markOutput(side);
  const type = textOf(query, 'setop_type');
  const aligned =
    type === 'UNION_BY_NAME' ? alignedByName(analyser, left, right) : alignedByPlace(analyser, left, right);
  const columns = aligned?.map((each) => each.output) ?? null;
  recordRequirement(analyser, type, query.setop_all === true, aligned, left.distribution);
  return relationOf(
    columns,
    combined(type, query.setop_all === true, left.distribution, right.distribution, aligned ?? []),
  );
}

function alignedByPlace(analyser: QueryAnalyser, left: Relation, right: Relation): Aligned[] | null {
  if (left.columns === null || right.columns === null) return null;
  return left.columns.map((column, index) => aligned(analyser, column, right.columns?.[index] ?? null));
}

function alignedByName(analyser: QueryAnalyser, left: Relation, right: Relation): Aligned[] | null {
  if (left.columns === null || right.columns === null) return null;
  const onlyRight = right.columns.filter((column) => left.find(column.name) === null);
  return [
    ...left.columns.map((column) => aligned(analyser, column, right.find(column.name))),
    ...onlyRight.map((column) => ({
      output: analyser.context.newColumn(column.name, null),
      left: null,
      right: column,
    })),
  ];
}

function aligned(analyser: QueryAnalyser, left: ColumnInstance, right: ColumnInstance | null): Aligned {
  const type = left.type === right?.type ? left.type : null;
  return { output: analyser.context.newColumn(left.name, type), left, right };
}

/** So that a default exchange can be chosen: both sides by the columns at the same places. */
function recordRequirement(
  analyser: QueryAnalyser,
  type: string,
  isAll: boolean,
  columns: readonly Aligned[] | null,
  left: Distribution,
): void {
  if (columns === null || (isAll && (type === 'UNION' || type === 'UNION_BY_NAME'))) return;
  const pairs = columns.flatMap((each) => (each.left && each.right ? [[each.left, each.right] as const] : []));
  analyser.context.joins.push(pairs);
  analyser.context.requireTogether(
    left,
    type,
    pairs.map(([column]) => column.id),
  );
}

function combined(
  type: string,
  isAll: boolean,
  left: Distribution,
  right: Distribution,
  columns: readonly Aligned[],
): Distribution {
  if (left.kind === 'wrong') return left;
  if (right.kind === 'wrong') return right;
  if (left.kind === 'whole' && right.kind === 'whole') return whole;
  if (type === 'UNION' || type === 'UNION_BY_NAME') return union(isAll, left, right, columns);
  if (type === 'EXCEPT' || type === 'INTERSECT') return comparison(type, left, right, columns);
  return wrong(`${type} needs all rows on one task`);
}

function union(isAll: boolean, left: Distribution, right: Distribution, columns: readonly Aligned[]): Distribution {
  if (left.kind !== 'split' || right.kind !== 'split') {
    return wrong('UNION: rows of the broadcast side would come out of every task');
  }
  const keys = commonKeys(left.keys, right.keys, columns);
  if (isAll || keys.length > 0) return split(keys);
  return wrong('UNION: equal rows can be on different tasks; hash both inputs by the same places, or use UNION ALL');
}

function comparison(type: string, left: Distribution, right: Distribution, columns: readonly Aligned[]): Distribution {
  const keys = comparisonKeys(type, left, right, columns);
  if (keys.length > 0) return split(keys);
  return wrong(`${type}: equal rows can be on different tasks; hash both inputs by the same places`);
}

function comparisonKeys(
  type: string,
  left: Distribution,
  right: Distribution,
  columns: readonly Aligned[],
): KeyTuple[] {
  if (left.kind === 'split' && right.kind === 'split') return commonKeys(left.keys, right.keys, columns);
  if (left.kind === 'split' && right.kind === 'whole') return outputKeys(left.keys, columns, 'left');
  if (left.kind === 'whole' && right.kind === 'split' && type === 'INTERSECT') {
    return outputKeys(right.keys, columns, 'right');
  }
  return [];
}

function outputKeys(keys: readonly KeyTuple[], columns: readonly Aligned[], side: 'left' | 'right'): KeyTuple[] {
  const outputs = new Map<number, number[]>();
  for (const each of columns) {
    const column = each[side];
    // The common type must not make values equal that this side's hash tells apart.
    if (!column || !hashAgrees(each.left?.type ?? null, each.right?.type ?? null, column.type)) continue;
    outputs.set(column.id, [...(outputs.get(column.id) ?? []), each.output.id]);
  }
  return renamedKeys(keys, outputs);
}

/** Keys that both sides have at the same places, hashed alike. */
function commonKeys(left: readonly KeyTuple[], right: readonly KeyTuple[], columns: readonly Aligned[]): KeyTuple[] {
  return left.flatMap((a) =>
    right.flatMap((b) => {
      if (a.scheme !== b.scheme || a.positions.length !== b.positions.length) return [];
      const positions = a.positions.map((_, index) => commonPosition(a, b, index, columns));
      return positions.every((position) => position.size > 0) ? [{ ...a, positions }] : [];
    }),
  );
}

function commonPosition(a: KeyTuple, b: KeyTuple, index: number, columns: readonly Aligned[]): Set<number> {
  const hashType = a.hashTypes[index] ?? null;
  if (hashType !== (b.hashTypes[index] ?? null)) return new Set();
  const found = columns.filter(
    ({ left, right }) =>
      left &&
      right &&
      a.positions[index]?.has(left.id) &&
      b.positions[index]?.has(right.id) &&
      hashAgrees(left.type, right.type, hashType),
  );
  return new Set(found.map((each) => each.output.id));
}
