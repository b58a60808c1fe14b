// Parsing and binding SQL with DuckDB itself: its grammar, its messages. Errors come with the offset in the SQL where
// DuckDB gives one. The connection is the planner's own (`errors_as_json` is on there).
import type { DuckDBConnection } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';
import { type Ast, childrenOf, isAst, queryOf, textOf } from './ast.ts';

/** SQL that DuckDB does not take. `position` is an offset in the text; null where it is not told. */
export class SqlError extends Error {
  readonly position: number | null;

  constructor(message: string, position: number | null) {
    super(message);
    this.position = position;
  }
}

/** The syntax tree of `sql`, which must be one SELECT. Throws SqlError. */
export async function parseSelect(connection: DuckDBConnection, sql: string): Promise<Ast> {
  const reader = await connection.runAndReadAll(`SELECT json_serialize_sql(${quoteLiteral(sql)}::VARCHAR)`);
  const tree: unknown = JSON.parse(String(reader.getRowsJS()[0]?.[0]));
  if (!isAst(tree) || tree.error === true) throw parseError(isAst(tree) ? tree : {});
  const statements = childrenOf(tree, 'statements');
  const [statement] = statements;
  const query = statement && queryOf({ statement }, 'statement');
  if (!query || statements.length !== 1) {
    throw new SqlError(`a stage is one SELECT, not ${statements.length} statements`, null);
  }
  return query;
}

function parseError(tree: Ast): SqlError {
  if (textOf(tree, 'error_type') === 'not implemented') return new SqlError('a stage is one SELECT statement', null);
  return new SqlError(textOf(tree, 'error_message') || 'the SQL cannot be parsed', positionOf(tree.position));
}

/**
 * The SqlError for an error of DuckDB under `errors_as_json`.
 * @param prefixLength characters that were put before the user's SQL
 */
export function sqlErrorOf(error: unknown, prefixLength: number): SqlError {
  const text = error instanceof Error ? error.message : String(error);
  const details = parsedDetails(text.slice(Math.max(0, text.indexOf('{'))));
  if (!details) return new SqlError(messageOf(error), null);
  const position = positionOf(details.position);
  // Candidates go on for many lines; the first says what is wrong.
  const [line = ''] = textOf(details, 'exception_message').split('\n');
  return new SqlError(line, position === null ? null : Math.max(0, position - prefixLength));
}

function parsedDetails(text: string): Ast | null {
  try {
    const value: unknown = JSON.parse(text);
    return isAst(value) && typeof value.exception_message === 'string' ? value : null;
  } catch {
    return null;
  }
}

function positionOf(value: unknown): number | null {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : null;
}
