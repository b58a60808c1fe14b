// Users' SQL text inside larger queries. Invariant: whatever comments and semicolons the text ends with, what is put
// behind it stays SQL, and whatever names it uses inside (its own WITH, too) mean what they mean when it runs alone.
import { quoteIdentifier } from '../../sql/duckdb.ts';

// String literals (E'' with backslashes), quoted names, dollar-quoted strings, comments; then any other character.
const token =
  /[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?\*\/|[\s\S]/g;

/** The statement without what follows its last meaningful character: semicolons, white space, comments. */
export function statementBody(sql: string): string {
  let end = 0;
  for (const { 0: text, index } of sql.matchAll(token)) {
    if (!isFiller(text)) end = index + text.length;
  }
  return sql.slice(0, end);
}

function isFiller(text: string): boolean {
  return text === ';' || text.startsWith('--') || text.startsWith('/*') || text.trim() === '';
}

/** A relation that a statement sees under a name. */
export interface NamedRelation {
  readonly name: string;
  readonly sql: string;
  /** A scan is read where it is used, with filters and columns pushed into it; else DuckDB decides. */
  readonly isScan: boolean;
}

/** A SELECT of the statement's answer, with each relation in scope under its name. */
export function withRelations(relations: readonly NamedRelation[], statement: string): string {
  const body = `SELECT * FROM (\n${statementBody(statement)}\n)`;
  if (relations.length === 0) return body;
  const tables = relations.map(
    ({ name, sql, isScan }) => `${quoteIdentifier(name)} AS ${isScan ? 'NOT MATERIALIZED ' : ''}(\n${sql}\n)`,
  );
  return `WITH ${tables.join(', ')} ${body}`;
}
