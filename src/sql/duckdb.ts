// Opening DuckDB and the few things that everyone asks of a connection. The package is imported lazily (its native
// library costs some 180 ms), so that commands that read only stores never load it. Extensions are never installed or
// loaded behind the user's back: a query that needs one fails at once, offline as online, with DuckDB's own words.
// Spec: docs/job-file.md, "SQL".
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Column } from '../model/job-graph.ts';

export interface DatabaseOptions {
  readonly threads: number;
  /** null: DuckDB's default (80 % of the machine's memory). */
  readonly memoryLimitBytes: number | null;
  /** Where operators spill to; null: they never spill. */
  readonly tempDirectory: string | null;
}

/** A new in-memory database with its own threads, memory and temp folder. */
export async function openDatabase(options: DatabaseOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance: instance } = await import('./duckdb-module.ts');
  const memory = options.memoryLimitBytes === null ? {} : { memory_limit: `${options.memoryLimitBytes}B` };
  return instance.create(':memory:', {
    threads: String(options.threads),
    temp_directory: options.tempDirectory ?? '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...memory,
  });
}

/** DuckDB's version, e.g. `v1.5.6`. The hash function of the exchanges depends on it. */
export async function duckdbVersion(): Promise<string> {
  const { version } = await import('./duckdb-module.ts');
  return version();
}

/** `name` as a quoted identifier. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `text` as a string literal. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** `{"a": 'INTEGER', …}` as a DuckDB struct literal, as the `columns` option of the readers takes it. */
export function columnTypesLiteral(columns: readonly Column[]): string {
  return `{${columns.map((column) => `${quoteLiteral(column.name)}: ${quoteLiteral(column.type)}`).join(', ')}}`;
}

/** Names and exact DuckDB types of the columns of a SELECT. Throws DuckDB's error where it cannot be bound. */
export async function describeQuery(connection: DuckDBConnection, sql: string): Promise<Column[]> {
  const rows = (await connection.runAndReadAll(`DESCRIBE ${sql}`)).getRowsJS();
  return rows.map((row) => ({ name: String(row[0]), type: String(row[1]) }));
}
