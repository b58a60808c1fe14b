// How the rows of a join lie on the tasks, from how those of its sides do. The rules, by join type:
//   whole x whole  every task has the whole answer
//   split x whole  right where the split side is the preserved one (INNER, LEFT, SEMI, ANTI); RIGHT and FULL would give
//                  the other side's unmatched rows once per task
//   whole x split  the mirror image: INNER and RIGHT only (SEMI and ANTI would repeat or invent rows of the left side)
//   split x split  right where an equality of the condition pairs columns that both sides are hashed by
import {
  type ColumnInstance,
  coLocatedKeys,
  type Distribution,
  type Equality,
  type KeyTuple,
  keysWithEqualities,
  mergedKey,
  split,
  whole,
  wrong,
} from './distribution.ts';

export interface JoinShape {
  /** DuckDB's INNER, LEFT, RIGHT, FULL, SEMI, ANTI. */
  readonly type: string;
  /** DuckDB's REGULAR, NATURAL, CROSS, ASOF, POSITIONAL. */
  readonly reference: string;
  /** Whether the right side refers to columns of the left one (LATERAL). */
  readonly isCorrelated: boolean;
}

/** A column that USING makes of two, in a full join: it equals whichever side is there. */
export interface FullJoinColumn {
  readonly column: ColumnInstance;
  readonly left: ColumnInstance;
  readonly right: ColumnInstance;
}

export interface JoinSides {
  readonly left: Distribution;
  readonly right: Distribution;
  readonly equalities: readonly Equality[];
  readonly merged: readonly FullJoinColumn[];
}

const knownTypes = new Set(['INNER', 'LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI']);

export function joinDistribution(shape: JoinShape, sides: JoinSides): Distribution {
  const { left, right } = sides;
  if (left.kind === 'wrong') return left;
  if (right.kind === 'wrong') return right;
  if (left.kind === 'whole' && right.kind === 'whole') return whole;
  if (shape.reference === 'POSITIONAL') return wrong('POSITIONAL JOIN pairs rows by their place in the whole inputs');
  if (!knownTypes.has(shape.type)) return wrong(`a join of type ${shape.type} is not known to be divisible`);
  if (right.kind === 'whole' && left.kind === 'split') return splitWithWhole(shape, left.keys, sides.equalities);
  if (shape.isCorrelated) return wrong('the LATERAL side needs all its rows on each task: broadcast what it reads');
  if (shape.reference === 'ASOF' && (shape.type === 'RIGHT' || shape.type === 'FULL')) {
    // Not for the answer's sake: DuckDB 1.5.6 on one thread never ends such a join where the left side has no rows.
    return wrong(`${describe(shape)} is left to one task: a task without rows of the left side would hang in DuckDB`);
  }
  if (left.kind === 'split' && right.kind === 'split') return splitWithSplit(shape, left.keys, right.keys, sides);
  return right.kind === 'split' ? wholeWithSplit(shape, right.keys, sides.equalities) : whole;
}

function describe(shape: JoinShape): string {
  return `${shape.reference === 'ASOF' ? 'ASOF ' : ''}${shape.type} JOIN`;
}

function splitWithWhole(shape: JoinShape, keys: readonly KeyTuple[], equalities: readonly Equality[]): Distribution {
  if (shape.type === 'RIGHT' || shape.type === 'FULL') {
    return wrong(`${describe(shape)}: unmatched rows of the broadcast right side would come out of every task`);
  }
  return split(shape.type === 'INNER' && shape.reference !== 'ASOF' ? keysWithEqualities(keys, equalities) : keys);
}

function wholeWithSplit(shape: JoinShape, keys: readonly KeyTuple[], equalities: readonly Equality[]): Distribution {
  if (shape.reference === 'ASOF') {
    return wrong(`${describe(shape)}: the best match of a row must be looked for among all rows of the right side`);
  }
  if (shape.type === 'INNER') return split(keysWithEqualities(keys, equalities));
  if (shape.type === 'RIGHT') return split(keys);
  return wrong(`${describe(shape)}: rows of the broadcast left side would come out of every task`);
}

function splitWithSplit(
  shape: JoinShape,
  left: readonly KeyTuple[],
  right: readonly KeyTuple[],
  sides: JoinSides,
): Distribution {
  const pairs = coLocatedKeys(left, right, sides.equalities);
  if (pairs.length === 0) return wrong(notCoLocated(shape, sides.equalities));
  switch (shape.type) {
    case 'INNER': {
      const merged = pairs.map((pair) => mergedKey(pair.left, pair.right));
      const keys = [...merged, ...left, ...right];
      return split(shape.reference === 'ASOF' ? keys : keysWithEqualities(keys, sides.equalities));
    }
    case 'RIGHT':
      return split(right);
    case 'FULL':
      return split(pairs.flatMap((pair) => fullJoinKey(pair, sides.merged)));
    default:
      return split(left);
  }
}

function notCoLocated(shape: JoinShape, equalities: readonly Equality[]): string {
  const mended = 'hash both inputs by the columns that the join compares with =, or broadcast one of them';
  if (equalities.length === 0) return `${describe(shape)}: any two rows may match, and they can be on different tasks`;
  const untyped = equalities.every(([a, b]) => a.type === null || b.type === null);
  const hint = untyped ? `${mended}; state the columns of the map stage, so that their types are known` : mended;
  return `${describe(shape)}: rows that match can be on different tasks; ${hint}`;
}

/** After a full join only the merged column is never NULL by want of a match, so only it is still a key. */
function fullJoinKey(
  pair: { readonly left: KeyTuple; readonly right: KeyTuple },
  merged: readonly FullJoinColumn[],
): KeyTuple[] {
  const positions = pair.left.positions.map((position, index) => {
    const columns = merged.filter(
      ({ left, right }) => position.has(left.id) && pair.right.positions[index]?.has(right.id),
    );
    return new Set(columns.map(({ column }) => column.id));
  });
  return positions.every((position) => position.size > 0) ? [{ ...pair.left, positions }] : [];
}
