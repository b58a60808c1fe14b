// One SELECT: FROM and WHERE, then grouping, windows, DISTINCT, ORDER BY and LIMIT, each of which may ask for rows to
// be together that the exchanges have put on different tasks.
import { type Ast, childOf, childrenOf, integerOf, textOf } from './ast.ts';
import {
  type ColumnInstance,
  type Distribution,
  hasKeyWithin,
  keysWithEqualities,
  keysWithin,
  split,
  wrong,
} from './distribution.ts';
import {
  callsAggregate,
  checkExpressions,
  equalitiesOf,
  markOuterAggregates,
  modifierExpressions,
  plainColumn,
  windowsOf,
} from './expressions.ts';
import { bindFrom, fromDistribution } from './from-clause.ts';
import { withDistinct, withLimits } from './modifiers.ts';
import type { Environment, QueryAnalyser } from './query-analyser.ts';
import { type Relation, relationOf, type Scope } from './scope.ts';
import { bindSelectList, type SelectList } from './select-list.ts';

/** A SELECT with its names bound. */
interface BoundSelect {
  readonly analyser: QueryAnalyser;
  readonly query: Ast;
  readonly scope: Scope;
  readonly list: SelectList;
}

export function analyseSelect(
  analyser: QueryAnalyser,
  query: Ast,
  environment: Environment,
  outer: Scope | null,
): Relation {
  const fromTable = childOf(query, 'from_table') ?? { type: 'EMPTY' };
  const { scope, tree } = bindFrom(analyser, fromTable, environment, outer);
  const list = bindSelectList(analyser, query, scope);
  const bound: BoundSelect = { analyser, query, scope, list };
  markOuterAggregates([query.select_list, query.having, query.qualify], scope);
  const filters = equalitiesOf(childOf(query, 'where_clause'), scope);
  if (filters.length > 0) analyser.context.joins.push(filters);
  const rows = withFilters(fromDistribution(tree, filters), filters);
  const subqueryProblem = checkExpressions(analyser, expressionsOf(query), {
    scope,
    environment,
    aliases: new Set(list.items.map((item) => item.column.name.toLowerCase())),
  });
  const checked = subqueryProblem !== null && rows.kind !== 'wrong' ? wrong(subqueryProblem) : sampled(query, rows);
  const distribution = withLimits(query, distinct(bound, windowed(bound, grouped(bound, checked))));
  return outputOf(list, distribution);
}

function expressionsOf(query: Ast): unknown[] {
  const stars = (expression: Ast) => textOf(expression, 'class') === 'STAR' && expression.columns !== true;
  return [
    ...childrenOf(query, 'select_list').filter((expression) => !stars(expression)),
    // The star itself is expanded by the select list; what REPLACE computes is an expression like others.
    ...childrenOf(query, 'select_list')
      .filter(stars)
      .flatMap((star) => childrenOf(star, 'replace_list').map((each) => each.value)),
    query.where_clause,
    query.group_expressions,
    query.having,
    query.qualify,
    ...modifierExpressions(query),
  ];
}

function withFilters(rows: Distribution, filters: Parameters<typeof keysWithEqualities>[1]): Distribution {
  return rows.kind === 'split' ? split(keysWithEqualities(rows.keys, filters)) : rows;
}

function sampled(query: Ast, rows: Distribution): Distribution {
  if (!childOf(query, 'sample') || rows.kind !== 'split') return rows;
  return wrong('SAMPLE draws from all rows, which must be on one task');
}

/** Keys outlive a projection through the columns that it keeps. */
function outputOf(list: SelectList, distribution: Distribution): Relation {
  const columns = list.items.map((item) => item.column);
  const ids = new Set(columns.map((column) => column.id));
  const kept = distribution.kind === 'split' ? split(keysWithin(distribution.keys, ids)) : distribution;
  return relationOf(list.isComplete ? columns : null, kept);
}

function grouped(bound: BoundSelect, rows: Distribution): Distribution {
  if (!isAggregation(bound)) return rows;
  const sets = groupingSets(bound);
  for (const set of sets) bound.analyser.context.requireTogether(rows, 'GROUP BY', set);
  if (rows.kind !== 'split') return rows;
  const problem = sets.map((set) => groupProblem(bound, rows, set)).find((reason) => reason !== null);
  if (problem) return wrong(problem);
  const common = [...(sets[0] ?? [])].filter((id) => sets.every((set) => set.has(id)));
  return split(keysWithin(rows.keys, new Set(common)));
}

function groupProblem(
  bound: BoundSelect,
  rows: Extract<Distribution, { kind: 'split' }>,
  set: ReadonlySet<number>,
): string | null {
  if (hasKeyWithin(rows.keys, set)) return null;
  if (childrenOf(bound.query, 'group_expressions').length === 0 && !groupsAll(bound.query)) {
    return 'an aggregate without GROUP BY needs all rows on one task';
  }
  return 'GROUP BY: rows of one group can be on different tasks; hash the input by grouping columns';
}

function groupsAll(query: Ast): boolean {
  return textOf(query, 'aggregate_handling') === 'FORCE_AGGREGATES';
}

function isAggregation({ query, scope }: BoundSelect): boolean {
  const hasGroups = childrenOf(query, 'group_expressions').length > 0 || setsOf(query).length > 0;
  if (hasGroups || groupsAll(query) || childOf(query, 'having') || scope.uses.aggregates) return true;
  return callsAggregate([query.select_list, query.qualify, ...modifierExpressions(query)]);
}

function setsOf(query: Ast): number[][] {
  const sets = query.group_sets;
  return Array.isArray(sets) ? sets.map((set) => (Array.isArray(set) ? set.map(Number) : [])) : [];
}

/** The column ids of each grouping set; one empty set where everything is one group. */
function groupingSets(bound: BoundSelect): ReadonlySet<number>[] {
  if (groupsAll(bound.query)) {
    const items = bound.list.items.filter((item) => item.isPlain && !item.isAggregate);
    return [new Set(items.map((item) => item.column.id))];
  }
  const groups = childrenOf(bound.query, 'group_expressions').map((group) => groupColumn(bound, group));
  const sets = setsOf(bound.query);
  if (sets.length === 0) return [new Set()];
  return sets.map((set) => new Set(set.flatMap((index) => groups[index]?.id ?? [])));
}

/** DuckDB binds a name in GROUP BY to a column first, then to an alias; a number is a place in the select list. */
function groupColumn(bound: BoundSelect, group: Ast): ColumnInstance | null {
  const position = integerOf(group);
  if (position === null) return columnOrAlias(bound, group);
  const item = bound.list.isComplete ? bound.list.items[position - 1] : undefined;
  return item?.isPlain ? item.column : null;
}

function columnOrAlias(bound: BoundSelect, expression: Ast): ColumnInstance | null {
  return plainColumn(expression, bound.scope) ?? aliasColumn(bound, expression);
}

/** The plain column behind an alias of the select list. */
function aliasColumn({ list }: BoundSelect, expression: Ast): ColumnInstance | null {
  const names = textOf(expression, 'class') === 'COLUMN_REF' ? expression.column_names : null;
  if (!Array.isArray(names) || names.length !== 1 || !list.isComplete) return null;
  const wanted = String(names[0]).toLowerCase();
  const items = list.items.filter((item) => item.column.name.toLowerCase() === wanted);
  return items.length === 1 && items[0]?.isPlain ? items[0].column : null;
}

function windowed(bound: BoundSelect, rows: Distribution): Distribution {
  const { query } = bound;
  let result = rows;
  for (const window of windowsOf([query.select_list, query.qualify, ...modifierExpressions(query)])) {
    const columns = childrenOf(window, 'partitions').map((partition) => columnOrAlias(bound, partition));
    const ids = new Set(columns.flatMap((column) => column?.id ?? []));
    bound.analyser.context.requireTogether(rows, 'PARTITION BY', ids);
    if (result.kind === 'split' && !hasKeyWithin(result.keys, ids)) result = wrong(windowProblem(window));
  }
  return result;
}

function windowProblem(window: Ast): string {
  const name = textOf(window, 'function_name');
  if (childrenOf(window, 'partitions').length === 0) {
    return `${name}() OVER without PARTITION BY needs all rows on one task`;
  }
  return `${name}() OVER: rows of one partition can be on different tasks; hash the input by PARTITION BY columns`;
}

function distinct(bound: BoundSelect, rows: Distribution): Distribution {
  const { analyser, query, list } = bound;
  const columns = list.isComplete
    ? list.items.map((item) => (item.isPlain ? item.column : null))
    : list.items.filter((item) => item.isPlain).map((item) => item.column);
  // DISTINCT ON binds aliases before columns.
  const columnOf = (target: Ast) =>
    isAlias(bound, target) ? aliasColumn(bound, target) : plainColumn(target, bound.scope);
  return withDistinct(analyser, query, rows, { columns, columnOf });
}

function isAlias({ list }: BoundSelect, expression: Ast): boolean {
  const names = expression.column_names;
  if (!Array.isArray(names) || names.length !== 1) return false;
  const wanted = String(names[0]).toLowerCase();
  return list.items.some((item) => item.column.name.toLowerCase() === wanted);
}
