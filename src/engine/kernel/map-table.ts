// Collects the rows that a map function yields in a table, chunk by chunk: memory does not grow with the rows. Where
// columns are not declared, the table's columns follow from the rows, and are widened while they come in.
import type { DuckDBValue } from '@duckdb/node-api';
import type { Column } from '../../model/job-graph.ts';
import type { Attempt } from './attempt.ts';
import {
  type ColumnType,
  DeclaredColumn,
  InferredColumn,
  needsColumns,
  textOf,
  type YieldedColumn,
} from './map-columns.ts';
import { TaskError } from './task-error.ts';
import { chunkRows, TaskTable } from './task-table.ts';

/** Whose function yields, for messages (`stage x`), and which columns; null: they follow from the rows. */
export interface Yielding {
  readonly owner: string;
  readonly columns: readonly Column[] | null;
}

type YieldedRow = Readonly<Record<string, unknown>>;

export class MapTable {
  readonly #attempt: Attempt;
  #rowCount = 0;
  readonly #yielding: Yielding;
  readonly #inputTypes: ReadonlyMap<string, ColumnType>;
  readonly #columns = new Map<string, YieldedColumn>();
  #table: TaskTable | null = null;
  #rows: YieldedRow[] = [];
  /** Rows of which no value has been seen yet: they are kept as a number until the table has a column. */
  #blankRows = 0;

  private constructor(attempt: Attempt, yielding: Yielding, inputTypes: ReadonlyMap<string, ColumnType>) {
    this.#attempt = attempt;
    this.#yielding = yielding;
    this.#inputTypes = inputTypes;
  }

  /** `inputTypes`: the columns that the function reads. */
  static async open(
    attempt: Attempt,
    yielding: Yielding,
    inputTypes: ReadonlyMap<string, ColumnType>,
  ): Promise<MapTable> {
    const collected = new MapTable(attempt, yielding, inputTypes);
    if (yielding.columns === null) return collected;
    const table = await TaskTable.create(attempt, yielding.columns);
    for (const [index, type] of table.types.entries()) {
      const { name, type: text } = table.columns[index] as (typeof table.columns)[number];
      collected.#columns.set(name, new DeclaredColumn(yielding.owner, name, { text, type }));
    }
    collected.#table = table;
    return collected;
  }

  /** Rows taken so far. */
  get rowCount(): number {
    return this.#rowCount;
  }

  /** Takes one yielded value; true: `flush` is due. Throws a TaskError where it is not a row. */
  add(row: unknown): boolean {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new TaskError('task', `${this.#yielding.owner}: its function yielded ${textOf(row)}, not a row object`);
    }
    this.#rowCount += 1;
    return this.#rows.push(row as YieldedRow) >= chunkRows;
  }

  /** Stores the rows taken so far. */
  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length === 0) return;
    this.#findColumns(rows);
    const values = new Map<string, DuckDBValue[]>();
    for (const { name } of this.#columns.values()) values.set(name, this.#fit(name, rows));
    for (const column of this.#columns.values()) await this.#bringToTable(column);
    if (this.#table === null) {
      this.#blankRows += rows.length;
      return;
    }
    this.#appendBlankRows(this.#table);
    this.#table.append(
      this.#table.columns.map(({ name }) => values.get(name) ?? []),
      rows.length,
    );
    this.#attempt.throwIfStopped();
  }

  /** The name of the table of all rows; null: there were none, and nobody knows their columns. */
  async finish(): Promise<string | null> {
    await this.flush();
    this.#table?.finish();
    const { owner } = this.#yielding;
    const untyped = [...this.#columns.values()].find(({ type }) => type === null);
    if (untyped) throw needsColumns(owner, untyped.name, 'it has no value but NULL');
    if (this.#blankRows > 0) throw new TaskError('task', `${owner}: its rows have no columns; declare 'columns'`);
    return this.#table?.qualifiedName ?? null;
  }

  #findColumns(rows: readonly YieldedRow[]): void {
    for (const row of rows) {
      for (const name in row) if (!this.#columns.has(name)) this.#addColumn(name);
    }
  }

  #addColumn(name: string): void {
    const { owner, columns } = this.#yielding;
    if (columns !== null) {
      throw new TaskError('task', `${owner}: its function yielded a column ${name}, which 'columns' does not declare`);
    }
    this.#columns.set(name, new InferredColumn(owner, name, this.#inputTypes.get(name) ?? null));
  }

  #fit(name: string, rows: readonly YieldedRow[]): DuckDBValue[] {
    return (this.#columns.get(name) as YieldedColumn).fit(rows.map((row) => row[name]));
  }

  /** Makes the table have the column with the type that it has by now. */
  async #bringToTable({ name, type }: YieldedColumn): Promise<void> {
    if (type === null) return;
    const column = { name, type: type.text };
    if (this.#table === null) {
      this.#table = await TaskTable.create(this.#attempt, [column]);
      return;
    }
    try {
      await this.#table.setColumn(column);
    } catch (cause) {
      this.#attempt.throwIfStopped();
      throw needsColumns(
        this.#yielding.owner,
        name,
        `its earlier values cannot become ${type.text} (${textOf(cause)})`,
      );
    }
  }

  #appendBlankRows(table: TaskTable): void {
    while (this.#blankRows > 0) {
      const rows = Math.min(this.#blankRows, chunkRows);
      const nulls = new Array<DuckDBValue>(rows).fill(null);
      table.append(
        table.columns.map(() => nulls),
        rows,
      );
      this.#blankRows -= rows;
    }
  }
}
