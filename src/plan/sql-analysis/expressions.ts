// Expressions of a query: which columns they read, which subqueries they hold, which aggregates and windows they call.
import { aggregateFunctions } from './aggregate-functions.ts';
import { type Ast, childOf, childrenOf, columnNamesOf, conjunctsOf, queryOf, textOf, walkExpression } from './ast.ts';
import type { ColumnInstance, Equality } from './distribution.ts';
import type { Environment, QueryAnalyser } from './query-analyser.ts';
import { resolve, type Scope } from './scope.ts';

/**
 * Marks the columns that the expressions read and analyses their subqueries. Gives the reason why a subquery cannot
 * run on each task alone, or null. `aliases` are names of the select list, which may be used like columns.
 */
export function checkExpressions(
  analyser: QueryAnalyser,
  expressions: unknown,
  place: { readonly scope: Scope; readonly environment: Environment; readonly aliases: ReadonlySet<string> },
): string | null {
  let reason: string | null = null;
  const parameters = lambdaParameters(expressions);
  walkExpression(expressions, (expression) => {
    const names = columnNamesOf(expression);
    if (names) markReference(analyser, names, place.scope, (name) => parameters.has(name) || place.aliases.has(name));
    const kind = textOf(expression, 'class');
    if (kind === 'SUBQUERY') reason ??= subqueryProblem(analyser, expression, place.scope, place.environment);
    if (kind === 'POSITIONAL_REFERENCE' || kind === 'STAR') analyser.context.markAllUsed();
    if (kind === 'PARAMETER') analyser.problem('a stage has no parameters: write the value', expression);
    return true;
  });
  return reason;
}

function markReference(
  analyser: QueryAnalyser,
  names: readonly string[],
  scope: Scope,
  isOtherName: (name: string) => boolean,
): void {
  const { reads } = resolve(scope, names);
  for (const column of reads ?? []) analyser.context.markUsed(column);
  if (reads === null && !(names.length >= 1 && isOtherName((names[0] ?? '').toLowerCase()))) {
    analyser.context.markAllUsed();
  }
}

function lambdaParameters(expressions: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  walkExpression(expressions, (expression) => {
    if (textOf(expression, 'class') === 'LAMBDA') {
      walkExpression(expression.lhs, (parameter) => {
        for (const name of columnNamesOf(parameter) ?? []) names.add(name.toLowerCase());
        return true;
      });
    }
    return true;
  });
  return names;
}

function subqueryProblem(
  analyser: QueryAnalyser,
  expression: Ast,
  scope: Scope,
  environment: Environment,
): string | null {
  const query = queryOf(expression, 'subquery');
  if (!query) return 'a subquery of unknown form';
  const relation = analyser.analyseQuery(query, environment, scope);
  analyser.markOutput(relation);
  if (relation.distribution.kind === 'whole') return null;
  if (relation.distribution.kind === 'wrong') return relation.distribution.reason;
  return 'a subquery needs all rows of its tables on each task: broadcast the inputs that it reads';
}

/**
 * Tells the queries around `scope` of aggregates that are theirs: SQL holds an aggregate whose columns all come from
 * further out, as in `SELECT (SELECT sum(t.v)) FROM t`, for one of that outer query.
 */
export function markOuterAggregates(expressions: unknown, scope: Scope): void {
  walkExpression(expressions, (expression) => {
    if (!isAggregateCall(expression)) return true;
    let [ownColumns, columns] = [0, 0];
    walkExpression([expression.children, expression.filter], (argument) => {
      const names = columnNamesOf(argument);
      if (names) columns += 1;
      if (names && resolve({ ...scope, parent: null }, names).reads !== null) ownColumns += 1;
      return true;
    });
    if (columns === 0 || ownColumns > 0) return true;
    for (let outer = scope.parent; outer !== null; outer = outer.parent) outer.uses.aggregates = true;
    return true;
  });
}

function isAggregateCall(expression: Ast): boolean {
  if (textOf(expression, 'class') !== 'FUNCTION') return false;
  return aggregateFunctions.has(textOf(expression, 'function_name').toLowerCase());
}

/** Whether an aggregate function is called outside a subquery (a window's own function does not count). */
export function callsAggregate(expressions: unknown): boolean {
  let found = false;
  walkExpression(expressions, (expression) => {
    if (isAggregateCall(expression)) found = true;
    return !found;
  });
  return found;
}

/** The window calls among the expressions, nested ones included. */
export function windowsOf(expressions: unknown): Ast[] {
  const windows: Ast[] = [];
  walkExpression(expressions, (expression) => {
    if (textOf(expression, 'class') === 'WINDOW') windows.push(expression);
    return true;
  });
  return windows;
}

/** The column that an expression plainly is; null for everything computed. */
export function plainColumn(expression: Ast, scope: Scope): ColumnInstance | null {
  const names = columnNamesOf(expression);
  return names ? resolve(scope, names).column : null;
}

/** The conjuncts of a condition that are `a = b` or `a IS NOT DISTINCT FROM b` between plain columns. */
export function equalitiesOf(condition: Ast | null, scope: Scope): Equality[] {
  return conjunctsOf(condition).flatMap((conjunct) => {
    const type = textOf(conjunct, 'type');
    if (type !== 'COMPARE_EQUAL' && type !== 'COMPARE_NOT_DISTINCT_FROM') return [];
    const [left, right] = [childOf(conjunct, 'left'), childOf(conjunct, 'right')];
    const a = left && plainColumn(left, scope);
    const b = right && plainColumn(right, scope);
    return a && b ? [[a, b] as const] : [];
  });
}

/** All expressions of a query's modifiers: DISTINCT ON targets, ORDER BY, LIMIT. */
export function modifierExpressions(query: Ast): unknown[] {
  return childrenOf(query, 'modifiers').flatMap((modifier) => [
    ...childrenOf(modifier, 'distinct_on_targets'),
    ...childrenOf(modifier, 'orders').map((order) => order.expression),
    modifier.limit,
    modifier.offset,
  ]);
}
