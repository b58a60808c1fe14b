// The FROM clause: binds tables, subqueries and joins to a scope, and keeps the joins as a tree, because which
// equalities hold between two sides is only known with the WHERE clause (`FROM a, b WHERE a.k = b.k`).
import { type Ast, childOf, queryOf, textOf, textsOf } from './ast.ts';
import type { Arrival } from './context.ts';
import { type Distribution, type Equality, whole, wrong } from './distribution.ts';
import { checkExpressions, equalitiesOf } from './expressions.ts';
import { bindJoinColumns } from './join-columns.ts';
import { type FullJoinColumn, type JoinShape, joinDistribution } from './join-distribution.ts';
import type { Environment, QueryAnalyser } from './query-analyser.ts';
import { type Binding, type Relation, relationOf, renamed, type Scope, scopeOf, withDistribution } from './scope.ts';
import { tableFunctions } from './table-functions.ts';

export type JoinTree =
  | { readonly kind: 'leaf'; readonly distribution: Distribution }
  | {
      readonly kind: 'join';
      readonly shape: JoinShape;
      readonly left: JoinTree;
      readonly right: JoinTree;
      readonly equalities: readonly Equality[];
      readonly merged: readonly FullJoinColumn[];
      /** A subquery in the condition that does not work on each task alone, columns that cannot be told. */
      readonly problem: string | null;
    };

export interface FromClause {
  readonly scope: Scope;
  readonly tree: JoinTree;
}

/** Binds a table reference. `outer` is the query around it; a LATERAL side also sees `siblings`. */
export function bindFrom(
  analyser: QueryAnalyser,
  node: Ast,
  environment: Environment,
  outer: Scope | null,
): FromClause {
  if (!analyser.context.enter()) return leaf(relationOf(null, wrong('the query is too deeply nested')), '', outer);
  if (textOf(node, 'type') === 'JOIN') return bindJoin(analyser, node, environment, outer);
  const relation = bindLeaf(analyser, node, environment, outer);
  const sampled = sampledRelation(node, relation);
  const aliases = textsOf(node, 'column_name_alias');
  if (aliases.length > 0) analyser.markOutput(relation);
  return leaf(renamed(sampled, aliases), textOf(node, 'alias') || textOf(node, 'table_name'), outer);
}

function leaf(relation: Relation, alias: string, outer: Scope | null): FromClause {
  const bindings: Binding[] = [{ alias, relation }];
  return { scope: scopeOf(bindings, outer), tree: { kind: 'leaf', distribution: relation.distribution } };
}

function sampledRelation(node: Ast, relation: Relation): Relation {
  if (!childOf(node, 'sample') || relation.distribution.kind === 'whole') return relation;
  return withDistribution(relation, wrong('SAMPLE draws from all rows, which must be on one task'));
}

function bindLeaf(analyser: QueryAnalyser, node: Ast, environment: Environment, outer: Scope | null): Relation {
  switch (textOf(node, 'type')) {
    case 'BASE_TABLE':
      return baseTable(analyser, node, environment);
    case 'SUBQUERY': {
      const query = queryOf(node, 'subquery');
      return query ? analyser.analyseQuery(query, environment, outer) : relationOf(null, wrong('an empty subquery'));
    }
    case 'EMPTY':
      return relationOf([], whole);
    case 'EXPRESSION_LIST':
      return valuesList(analyser, node, environment, outer);
    case 'TABLE_FUNCTION':
      return tableFunction(analyser, node, environment, outer);
    default:
      return otherReference(analyser, node, environment, outer);
  }
}

function baseTable(analyser: QueryAnalyser, node: Ast, environment: Environment): Relation {
  const name = textOf(node, 'table_name');
  const isQualified = textOf(node, 'schema_name') !== '' || textOf(node, 'catalog_name') !== '';
  const definition = isQualified ? undefined : environment.get(name.toLowerCase());
  if (definition?.kind === 'recursion') return relationOf(null, whole);
  if (definition) {
    const relation = analyser.analyseQuery(definition.query, definition.environment, definition.outer);
    if (definition.aliases.length > 0) analyser.markOutput(relation);
    return renamed(relation, definition.aliases);
  }
  return inputTable(analyser, node, isQualified ? null : name);
}

function inputTable(analyser: QueryAnalyser, node: Ast, name: string | null): Relation {
  const { context } = analyser;
  const input = name === null ? undefined : context.inputs.get(name.toLowerCase());
  if (!input) {
    const known = [...context.inputs.values()].map((each) => each.name);
    analyser.problem(`${textOf(node, 'table_name')} is not an input of this stage`, node, known);
    return relationOf(null, wrong('unknown table'));
  }
  context.inputsRead.add(input.name);
  const columns = input.columns?.map((column) => context.inputColumn(input.name, column.name, column.type)) ?? null;
  const open = new Map<string, ReturnType<typeof context.inputColumn>>();
  const find = (wanted: string) => {
    if (columns !== null) return columns.find((column) => column.name.toLowerCase() === wanted.toLowerCase()) ?? null;
    const column = open.get(wanted.toLowerCase()) ?? context.inputColumn(input.name, wanted, null);
    open.set(wanted.toLowerCase(), column);
    return column;
  };
  return { columns, find, distribution: arrivalOf(input.arrival, find) };
}

function arrivalOf(arrival: Arrival, find: (name: string) => { readonly id: number } | null): Distribution {
  if (arrival.kind === 'whole') return whole;
  const keys = arrival.keys.flatMap(({ scheme, columns, hashTypes }) => {
    const found = columns.map(find);
    if (found.some((column) => column === null)) return [];
    return [{ scheme, hashTypes, positions: found.map((column) => new Set(column ? [column.id] : [])) }];
  });
  return { kind: 'split', keys };
}

function valuesList(analyser: QueryAnalyser, node: Ast, environment: Environment, outer: Scope | null): Relation {
  const reason = checkExpressions(analyser, node.values, place(environment, outer));
  const first = Array.isArray(node.values) && Array.isArray(node.values[0]) ? node.values[0] : [];
  const columns = first.map((_, index) => analyser.context.newColumn(`col${index}`, null));
  return relationOf(columns, reason === null ? whole : wrong(reason));
}

function place(environment: Environment, outer: Scope | null) {
  return { scope: scopeOf([], outer), environment, aliases: new Set<string>() };
}

function tableFunction(analyser: QueryAnalyser, node: Ast, environment: Environment, outer: Scope | null): Relation {
  const call = childOf(node, 'function');
  const name = call ? textOf(call, 'function_name').toLowerCase() : '';
  if (!tableFunctions.has(name)) {
    const message = `table function ${name} may not be used in a stage: what it reads would not be tracked; use a source`;
    analyser.problem(message, node);
  }
  const reason = checkExpressions(analyser, call?.children, place(environment, outer));
  const names = textsOf(node, 'column_name_alias');
  const columns = names.map((each) => analyser.context.newColumn(each, null));
  return relationOf(columns.length > 0 ? columns : null, reason === null ? whole : wrong(reason));
}

/** PIVOT, UNPIVOT, SUMMARIZE, DESCRIBE and what a later DuckDB may bring: right only over whole tables. */
function otherReference(analyser: QueryAnalyser, node: Ast, environment: Environment, outer: Scope | null): Relation {
  const type = textOf(node, 'type');
  analyser.context.markAllUsed();
  const source = childOf(node, 'source');
  const query = childOf(node, 'query');
  const inner = source
    ? fromDistribution(bindFrom(analyser, source, environment, outer).tree, [])
    : query && analyser.analyseQuery(query, environment, outer).distribution;
  const isKnown = type === 'PIVOT' || type === 'SHOW_REF';
  if (isKnown && inner?.kind === 'whole') return relationOf(null, whole);
  return relationOf(null, wrong(`${type === 'SHOW_REF' ? 'DESCRIBE or SUMMARIZE' : type} needs all rows on one task`));
}

function bindJoin(analyser: QueryAnalyser, node: Ast, environment: Environment, outer: Scope | null): FromClause {
  const [leftNode, rightNode] = [childOf(node, 'left'), childOf(node, 'right')];
  const emptyLeaf = () => leaf(relationOf(null, wrong('a join without sides')), '', outer);
  const left = leftNode ? bindFrom(analyser, leftNode, environment, outer) : emptyLeaf();
  const siblings: Scope = { ...left.scope, parent: outer, uses: { count: 0, aggregates: false } };
  const right = rightNode ? bindFrom(analyser, rightNode, environment, siblings) : emptyLeaf();
  const type = textOf(node, 'join_type');
  const reference = textOf(node, 'ref_type');
  const bound = bindJoinColumns(analyser, node, left.scope, right.scope, outer);
  const condition = childOf(node, 'condition');
  const both = bound.conditionScope;
  const reason = checkExpressions(analyser, condition, { scope: both, environment, aliases: new Set() });
  const pairs = [...bound.equalities, ...equalitiesOf(condition, both)];
  analyser.context.joins.push(pairs);
  const shape: JoinShape = { type, reference, isCorrelated: siblings.uses.count > 0 };
  const tree: JoinTree = {
    kind: 'join',
    shape,
    left: left.tree,
    right: right.tree,
    equalities: pairs,
    merged: bound.merged,
    problem: reason ?? bound.problem,
  };
  return { scope: bound.scope, tree };
}

/**
 * The distribution of a FROM clause. `filters` are equalities that hold for all rows that are kept: they reach down to
 * inner joins, and to the preserved side of outer ones, because filtering there first gives the same rows.
 */
export function fromDistribution(tree: JoinTree, filters: readonly Equality[]): Distribution {
  if (tree.kind === 'leaf') return tree.distribution;
  const isInner = tree.shape.type === 'INNER' && (tree.shape.reference === 'REGULAR' || isCrossOrNatural(tree.shape));
  const own = isInner ? [...tree.equalities, ...filters] : tree.equalities;
  const keepsLeft = isInner || ['LEFT', 'SEMI', 'ANTI'].includes(tree.shape.type);
  const left = fromDistribution(tree.left, isInner ? own : keepsLeft ? filters : []);
  const right = fromDistribution(tree.right, isInner ? own : []);
  const joined = joinDistribution(tree.shape, { left, right, equalities: own, merged: tree.merged });
  if (tree.problem !== null && joined.kind === 'split') return wrong(tree.problem);
  return joined;
}

function isCrossOrNatural(shape: JoinShape): boolean {
  return shape.reference === 'CROSS' || shape.reference === 'NATURAL';
}
