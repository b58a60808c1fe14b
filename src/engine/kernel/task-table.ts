// A table of an attempt that is filled from JavaScript in chunks, and whose columns may change while it is filled.
import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { Column } from '../../model/job-graph.ts';
import { quoteIdentifier } from '../../sql/duckdb.ts';
import type { Attempt } from './attempt.ts';

/** What a chunk of DuckDB holds at most. */
export const chunkRows = 2048;

type TableName = Awaited<ReturnType<Attempt['newTable']>>;

export class TaskTable {
  readonly #attempt: Attempt;
  readonly #name: TableName;
  readonly #connection: DuckDBConnection;
  #columns: Column[];
  #types: DuckDBType[] = [];
  #appender: DuckDBAppender | null = null;

  private constructor(attempt: Attempt, name: TableName, connection: DuckDBConnection, columns: readonly Column[]) {
    this.#attempt = attempt;
    this.#name = name;
    this.#connection = connection;
    this.#columns = [...columns];
  }

  /** `columns` must not be empty: DuckDB has no table without any. */
  static async create(attempt: Attempt, columns: readonly Column[]): Promise<TaskTable> {
    const name = await attempt.newTable();
    const list = columns.map((column) => `${quoteIdentifier(column.name)} ${column.type}`).join(', ');
    await attempt.run(`CREATE TABLE ${name.qualified} (${list})`);
    const table = new TaskTable(attempt, name, await attempt.connect(), columns);
    await table.#openAppender();
    return table;
  }

  get qualifiedName(): string {
    return this.#name.qualified;
  }

  get columns(): readonly Column[] {
    return this.#columns;
  }

  /** The columns' types as objects, in order. */
  get types(): readonly DuckDBType[] {
    return this.#types;
  }

  /** Adds a column (NULL in the rows so far), or changes the type of the one of that name. */
  async setColumn(column: Column): Promise<void> {
    const index = this.#columns.findIndex(({ name }) => name === column.name);
    if (this.#columns[index]?.type === column.type) return;
    this.finish();
    const name = quoteIdentifier(column.name);
    const change = index >= 0 ? `ALTER COLUMN ${name} TYPE ${column.type}` : `ADD COLUMN ${name} ${column.type}`;
    await this.#attempt.run(`ALTER TABLE ${this.#name.qualified} ${change}`);
    if (index >= 0) this.#columns[index] = column;
    else this.#columns.push(column);
    await this.#openAppender();
  }

  /** Adds `rows` rows (chunkRows at most), given as one list of values a column, in order. */
  append(columns: readonly (readonly DuckDBValue[])[], rows: number): void {
    const chunk = DuckDBDataChunk.create(this.#types, rows);
    for (const [index, values] of columns.entries()) chunk.setColumnValues(index, values);
    this.#appender?.appendDataChunk(chunk);
  }

  /** Makes all rows visible; to be called before the table is read. */
  finish(): void {
    this.#appender?.closeSync();
    this.#appender = null;
  }

  async #openAppender(): Promise<void> {
    const appender = await this.#connection.createAppender(this.#name.table, this.#name.schema);
    this.#types = this.#columns.map((_, index) => appender.columnType(index));
    this.#appender = appender;
  }
}
