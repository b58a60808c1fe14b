// The select list: its stars expanded, each item with the column instance that it passes on. An item that is a plain
// column keeps the instance (so keys survive projection and renaming); everything computed is a new one.
import { type Ast, childrenOf, columnNamesOf, textOf, textsOf, walkExpression } from './ast.ts';
import type { ColumnInstance } from './distribution.ts';
import { callsAggregate, plainColumn } from './expressions.ts';
import type { QueryAnalyser } from './query-analyser.ts';
import { type Scope, starColumns } from './scope.ts';

export interface SelectItem {
  /** null: a column of an expanded star. */
  readonly expression: Ast | null;
  readonly column: ColumnInstance;
  /** Whether the item is a column as it is: only then may it stand for a key. */
  readonly isPlain: boolean;
  readonly isAggregate: boolean;
}

export interface SelectList {
  readonly items: readonly SelectItem[];
  /** false where a star could not be expanded: then neither positions nor names of the items are certain. */
  readonly isComplete: boolean;
}

export function bindSelectList(analyser: QueryAnalyser, query: Ast, scope: Scope): SelectList {
  let isComplete = true;
  const items = childrenOf(query, 'select_list').flatMap((expression): SelectItem[] => {
    if (!containsStar(expression)) return [itemOf(analyser, expression, scope)];
    const columns = expandStar(analyser, expression, scope);
    if (columns === null) {
      isComplete = false;
      const column = analyser.context.newColumn('*', null);
      return [{ expression, column, isPlain: false, isAggregate: callsAggregate(expression) }];
    }
    return columns.map((column) => ({ expression: null, column, isPlain: true, isAggregate: false }));
  });
  return { items, isComplete };
}

function containsStar(expression: Ast): boolean {
  let found = false;
  walkExpression(expression, (each) => {
    if (textOf(each, 'class') === 'STAR') found = true;
    return !found;
  });
  return found;
}

function itemOf(analyser: QueryAnalyser, expression: Ast, scope: Scope): SelectItem {
  const plain = plainColumn(expression, scope);
  const alias = textOf(expression, 'alias');
  const name = alias || (columnNamesOf(expression)?.at(-1) ?? '');
  const column = plain ? { ...plain, name } : analyser.context.newColumn(name, null);
  return { expression, column, isPlain: plain !== null, isAggregate: callsAggregate(expression) };
}

/** The columns of a star; null for COLUMNS(…), and where the tables' columns are not known. All are read. */
function expandStar(analyser: QueryAnalyser, star: Ast, scope: Scope): readonly ColumnInstance[] | null {
  const columns =
    textOf(star, 'class') === 'STAR' && star.columns !== true
      ? starColumns(scope, textOf(star, 'relation_name'))
      : null;
  const qualifiedExcludes = childrenOf(star, 'qualified_exclude_list');
  if (columns === null || qualifiedExcludes.length > 0) {
    analyser.context.markAllUsed();
    return null;
  }
  for (const column of columns) analyser.context.markUsed(column);
  return changedColumns(analyser, star, columns);
}

/** Applies EXCLUDE, REPLACE and RENAME. */
function changedColumns(analyser: QueryAnalyser, star: Ast, columns: readonly ColumnInstance[]): ColumnInstance[] {
  const excluded = new Set(textsOf(star, 'exclude_list').map((name) => name.toLowerCase()));
  const replaced = new Set(childrenOf(star, 'replace_list').map((entry) => textOf(entry, 'key').toLowerCase()));
  const renames = new Map(
    childrenOf(star, 'rename_list').map((entry) => [renamedColumn(entry), textOf(entry, 'value')]),
  );
  return columns
    .filter((column) => !excluded.has(column.name.toLowerCase()))
    .map((column) => (replaced.has(column.name.toLowerCase()) ? analyser.context.newColumn(column.name, null) : column))
    .map((column) => ({ ...column, name: renames.get(column.name.toLowerCase()) ?? column.name }));
}

function renamedColumn(entry: Ast): string {
  const key = entry.key;
  return typeof key === 'object' && key !== null && 'column' in key ? String(key.column).toLowerCase() : '';
}
