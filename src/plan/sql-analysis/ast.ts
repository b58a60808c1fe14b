// Access to the syntax tree that DuckDB's json_serialize_sql gives: plain JSON, read through a few total functions, so
// that a node kind or field that a later DuckDB adds is met as "unknown" and never as an exception.

/** A node of the tree: a query node, a table reference or an expression. */
export type Ast = Readonly<Record<string, unknown>>;

export function isAst(value: unknown): value is Ast {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function childOf(node: Ast, key: string): Ast | null {
  const value = node[key];
  return isAst(value) ? value : null;
}

export function childrenOf(node: Ast, key: string): Ast[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter(isAst) : [];
}

export function textOf(node: Ast, key: string): string {
  const value = node[key];
  return typeof value === 'string' ? value : '';
}

export function textsOf(node: Ast, key: string): string[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** The query inside a SUBQUERY expression, a SUBQUERY table reference or a CTE. */
export function queryOf(node: Ast, key: string): Ast | null {
  const statement = childOf(node, key);
  return statement && childOf(statement, 'node');
}

/** Parts of a column reference: `[column]`, `[table, column]`, …; null for any other expression. */
export function columnNamesOf(expression: Ast): string[] | null {
  return textOf(expression, 'class') === 'COLUMN_REF' ? textsOf(expression, 'column_names') : null;
}

/** An integer constant such as the 2 of `GROUP BY 2`; null for anything else. */
export function integerOf(expression: Ast): number | null {
  const constant = textOf(expression, 'class') === 'CONSTANT' ? childOf(expression, 'value') : null;
  return constant && Number.isInteger(constant.value) ? Number(constant.value) : null;
}

/**
 * Calls `visit` for every expression below and including `root`, parents first; a `false` result keeps it from going
 * below that expression. Subqueries are visited as expressions but not entered.
 */
export function walkExpression(root: unknown, visit: (expression: Ast) => boolean): void {
  if (Array.isArray(root)) {
    for (const item of root) walkExpression(item, visit);
  } else if (isAst(root)) {
    if (typeof root.class === 'string' && !visit(root)) return;
    for (const [key, value] of Object.entries(root)) {
      if (key !== 'subquery' && typeof value === 'object') walkExpression(value, visit);
    }
  }
}

/** The conjuncts of a condition: `a AND (b AND c)` gives a, b, c. */
export function conjunctsOf(condition: Ast | null): Ast[] {
  if (!condition) return [];
  if (textOf(condition, 'type') !== 'CONJUNCTION_AND') return [condition];
  return childrenOf(condition, 'children').flatMap(conjunctsOf);
}
