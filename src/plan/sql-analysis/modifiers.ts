// DISTINCT, ORDER BY and LIMIT, in the order in which they apply to the rows of a query.
import { type Ast, childOf, childrenOf, integerOf, textOf } from './ast.ts';
import { type ColumnInstance, type Distribution, hasKeyWithin, wrong } from './distribution.ts';
import { checkExpressions, modifierExpressions } from './expressions.ts';
import type { Environment, QueryAnalyser } from './query-analyser.ts';
import { type Relation, type Scope, scopeOf, withDistribution } from './scope.ts';

/** Applies the modifiers of a set operation: only its output columns can be named there. */
export function modifierDistribution(
  analyser: QueryAnalyser,
  query: Ast,
  relation: Relation,
  environment: Environment,
  outer: Scope | null,
): Relation {
  const scope = scopeOf([{ alias: '', relation }], outer);
  const reason = checkExpressions(analyser, modifierExpressions(query), { scope, environment, aliases: new Set() });
  const limited = withLimits(query, relation.distribution);
  if (reason !== null && limited.kind === 'split') return withDistribution(relation, wrong(reason));
  return withDistribution(relation, limited);
}

/** ORDER BY and LIMIT say something about all rows together. */
export function withLimits(query: Ast, distribution: Distribution): Distribution {
  if (distribution.kind !== 'split') return distribution;
  for (const modifier of childrenOf(query, 'modifiers')) {
    const type = textOf(modifier, 'type');
    if (type === 'DISTINCT_MODIFIER') continue;
    if (type === 'ORDER_MODIFIER') return wrong('ORDER BY needs all rows on one task');
    if (limits(modifier)) return wrong('LIMIT and OFFSET count all rows, which must be on one task');
  }
  return distribution;
}

/** `LIMIT ALL` and `LIMIT NULL` limit nothing. */
function limits(modifier: Ast): boolean {
  return ['limit', 'offset'].some((part) => {
    const expression = childOf(modifier, part);
    const value = expression && childOf(expression, 'value');
    return expression !== null && value?.is_null !== true;
  });
}

/**
 * DISTINCT and DISTINCT ON: rows that agree in the columns compared must be on one task.
 * @param columnOf the column instance that a DISTINCT ON expression is, null where it is computed
 */
export function withDistinct(
  analyser: QueryAnalyser,
  query: Ast,
  distribution: Distribution,
  output: {
    readonly columns: readonly (ColumnInstance | null)[];
    readonly columnOf: (target: Ast) => ColumnInstance | null;
  },
): Distribution {
  const modifier = childrenOf(query, 'modifiers').find((each) => textOf(each, 'type') === 'DISTINCT_MODIFIER');
  if (!modifier || distribution.kind !== 'split') return distribution;
  const targets = childrenOf(modifier, 'distinct_on_targets');
  const compared = targets.length === 0 ? output.columns : targets.map((target) => targetOf(target, output));
  const ids = new Set(compared.flatMap((column) => (column ? [column.id] : [])));
  const clause = targets.length === 0 ? 'DISTINCT' : 'DISTINCT ON';
  analyser.context.requireTogether(distribution, clause, ids);
  if (hasKeyWithin(distribution.keys, ids)) return distribution;
  return wrong(`${clause}: equal rows can be on different tasks; hash the input by columns among those compared`);
}

function targetOf(
  target: Ast,
  output: {
    readonly columns: readonly (ColumnInstance | null)[];
    readonly columnOf: (target: Ast) => ColumnInstance | null;
  },
): ColumnInstance | null {
  const position = integerOf(target);
  return position === null ? output.columnOf(target) : (output.columns[position - 1] ?? null);
}
