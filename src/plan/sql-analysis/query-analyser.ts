// The walk over query nodes: SELECT, set operations, recursive CTEs. Each gives its output columns and how the output's
// rows lie on the tasks. Node kinds that are not known here need all rows on one task: a new DuckDB may bring them.
import { type Ast, childOf, childrenOf, queryOf, textOf, textsOf } from './ast.ts';
import type { AnalysisContext } from './context.ts';
import { whole, wrong } from './distribution.ts';
import { modifierDistribution } from './modifiers.ts';
import { type Relation, relationOf, renamed, type Scope } from './scope.ts';
import { analyseSelect } from './select-node.ts';
import { analyseSetOperation } from './set-operation.ts';

/** A common table expression in scope: analysed anew for each use, in the environment that it was written in. */
export type TableDefinition =
  | {
      readonly kind: 'query';
      readonly query: Ast;
      readonly aliases: readonly string[];
      readonly environment: Environment;
      readonly outer: Scope | null;
    }
  /** the recursive query's own name, inside it */
  | { readonly kind: 'recursion' };

export type Environment = ReadonlyMap<string, TableDefinition>;

export class QueryAnalyser {
  readonly context: AnalysisContext;

  constructor(context: AnalysisContext) {
    this.context = context;
  }

  analyseQuery(query: Ast, environment: Environment, outer: Scope | null): Relation {
    if (!this.context.enter()) return relationOf(null, wrong('the query is too deeply nested to be analysed'));
    const inner = this.withTables(query, environment, outer);
    switch (textOf(query, 'type')) {
      case 'SELECT_NODE':
        return analyseSelect(this, query, inner, outer);
      case 'SET_OPERATION_NODE':
        return modifierDistribution(this, query, analyseSetOperation(this, query, inner, outer), inner, outer);
      case 'RECURSIVE_CTE_NODE':
        return this.analyseRecursion(query, inner, outer);
      default:
        this.context.markAllUsed();
        return relationOf(null, wrong(`a query of the kind ${textOf(query, 'type')} needs all rows on one task`));
    }
  }

  /** All output columns are read: by the stage's consumers, by a comparison of whole rows. */
  markOutput(relation: Relation): void {
    if (relation.columns === null) this.context.markAllUsed();
    for (const column of relation.columns ?? []) this.context.markUsed(column);
  }

  problem(message: string, node: Ast, known: readonly string[] = []): void {
    const position = typeof node.query_location === 'number' ? node.query_location : null;
    this.context.problems.push({ message, position: Number.isSafeInteger(position) ? position : null, known });
  }

  /** The environment with the WITH clause of `query`; each of its tables sees those before it. */
  private withTables(query: Ast, environment: Environment, outer: Scope | null): Environment {
    const map = childOf(query, 'cte_map');
    const tables = new Map(environment);
    for (const entry of map ? childrenOf(map, 'map') : []) {
      const value = childOf(entry, 'value');
      const definition = value && queryOf(value, 'query');
      if (!value || !definition) continue;
      const aliases = textsOf(value, 'aliases');
      const before: Environment = new Map(tables);
      const name = textOf(entry, 'key').toLowerCase();
      tables.set(name, { kind: 'query', query: definition, aliases, environment: before, outer });
    }
    return tables;
  }

  private analyseRecursion(query: Ast, environment: Environment, outer: Scope | null): Relation {
    const name = textOf(query, 'cte_name').toLowerCase();
    const inside: Environment = new Map([...environment, [name, { kind: 'recursion' }]]);
    const [left, right] = [childOf(query, 'left'), childOf(query, 'right')];
    const sides = [left, right].flatMap((side) => (side ? [this.analyseQuery(side, inside, outer)] : []));
    for (const side of sides) this.markOutput(side);
    const isWhole = sides.length === 2 && sides.every((side) => side.distribution.kind === 'whole');
    const columns = sides[0]?.columns?.map((column) => this.context.newColumn(column.name, null)) ?? null;
    const distribution = isWhole ? whole : wrong('a recursive query needs all rows of its tables on each task');
    return renamed(relationOf(columns, distribution), textsOf(query, 'aliases'));
  }
}
