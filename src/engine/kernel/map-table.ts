// Collects the rows that a map function yields in a table, chunk by chunk: memory does not grow with the rows. Where
// columns are not declared, the table's columns follow from the rows, and are widened while they come in.
import { type DuckDBAppender, type DuckDBConnection, DuckDBDataChunk, type DuckDBValue } from '@duckdb/node-api';
import type { Column, MapStep } from '../../model/job-graph.ts';
import { quoteIdentifier } from '../../sql/duckdb.ts';
import type { Attempt } from './attempt.ts';
import { type ColumnType, InferredColumn, needsColumns } from './map-columns.ts';
import { fitValue, misfit } from './map-values.ts';
import { type Relation, tableRelation, unknownRelation } from './relation.ts';
import { TaskError } from './task-error.ts';

/** What a chunk of DuckDB holds at most. */
const chunkRows = 2048;

type YieldedRow = Readonly<Record<string, unknown>>;
interface TableColumn extends ColumnType {
  readonly name: string;
}

export class MapTable {
  readonly #attempt: Attempt;
  readonly #step: MapStep;
  readonly #inputTypes: ReadonlyMap<string, ColumnType>;
  readonly #inferred = new Map<string, InferredColumn>();
  readonly #declared: ReadonlySet<string> | null;
  #columns: TableColumn[] = [];
  #rows: YieldedRow[] = [];
  /** Rows of which no value has been seen yet: they are kept as a number until the table has a column. */
  #blankRows = 0;
  #name: { schema: string; table: string; qualified: string } | null = null;
  #connection: DuckDBConnection | null = null;
  #appender: DuckDBAppender | null = null;

  constructor(attempt: Attempt, step: MapStep, inputTypes: ReadonlyMap<string, ColumnType>) {
    this.#attempt = attempt;
    this.#step = step;
    this.#inputTypes = inputTypes;
    this.#declared = step.columns && new Set(step.columns.map(({ name }) => name));
  }

  /** Takes one yielded value; throws a TaskError where it is not a row. */
  async add(row: unknown): Promise<void> {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new TaskError('task', `stage ${this.#step.stage}: its function yielded ${describe(row)}, not a row object`);
    }
    this.#rows.push(row as YieldedRow);
    if (this.#rows.length === chunkRows) await this.#flush();
  }

  /** The table of all rows. */
  async finish(): Promise<Relation> {
    const { stage, columns } = this.#step;
    if (columns !== null && this.#name === null) await this.#createTable(columns);
    if (this.#rows.length > 0) await this.#flush();
    this.#closeAppender();
    const untyped = [...this.#inferred.values()].find(({ type }) => type === null);
    if (untyped) throw needsColumns(stage, untyped.name, 'it has no value but NULL');
    if (this.#blankRows > 0) throw new TaskError('task', `stage ${stage}: its rows have no columns; declare 'columns'`);
    return this.#name === null ? unknownRelation(stage) : tableRelation(this.#name.qualified, stage);
  }

  async #flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (this.#step.columns !== null) {
      if (this.#name === null) await this.#createTable(this.#step.columns);
      this.#refuseUndeclared(rows);
    } else await this.#admit(rows);
    if (this.#columns.length > 0) await this.#store(rows);
    else this.#blankRows += rows.length;
    this.#attempt.throwIfStopped();
  }

  /** Brings the table's columns to what `rows` need. */
  async #admit(rows: readonly YieldedRow[]): Promise<void> {
    for (const row of rows) {
      for (const name of Object.keys(row)) this.#inferredColumn(name);
    }
    for (const column of this.#inferred.values()) {
      const type = column.admit(rows.map((row) => row[column.name]));
      if (type !== null) await this.#setColumn({ name: column.name, ...type });
    }
  }

  #inferredColumn(name: string): void {
    if (this.#inferred.has(name)) return;
    this.#inferred.set(name, new InferredColumn(this.#step.stage, name, this.#inputTypes.get(name) ?? null));
  }

  async #setColumn(column: TableColumn): Promise<void> {
    const known = this.#columns.find(({ name }) => name === column.name);
    if (known?.text === column.text) return;
    if (this.#name === null) return this.#createTable([{ name: column.name, type: column.text }]);
    this.#closeAppender();
    const name = quoteIdentifier(column.name);
    const change = known ? `ALTER COLUMN ${name} TYPE ${column.text}` : `ADD COLUMN ${name} ${column.text}`;
    try {
      await this.#attempt.run(`ALTER TABLE ${this.#name.qualified} ${change}`);
    } catch (cause) {
      this.#attempt.throwIfStopped();
      const why = known ? `values fit ${known.text} first and need ${column.text} later` : String(cause);
      throw needsColumns(this.#step.stage, column.name, why);
    }
    await this.#readColumns();
  }

  async #createTable(columns: readonly Column[]): Promise<void> {
    this.#name = await this.#attempt.newTable();
    const list = columns.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    await this.#attempt.run(`CREATE TABLE ${this.#name.qualified} (${list})`);
    await this.#readColumns();
  }

  /** Learns the columns' types as objects, in the table's order. */
  async #readColumns(): Promise<void> {
    const { qualified } = this.#name as { qualified: string };
    const described = await this.#attempt.describe(`SELECT * FROM ${qualified}`);
    const appender = await this.#openAppender();
    this.#columns = described.map(({ name, type }, index) => ({ name, text: type, type: appender.columnType(index) }));
  }

  #refuseUndeclared(rows: readonly YieldedRow[]): void {
    for (const row of rows) {
      for (const name of Object.keys(row)) {
        if (this.#declared?.has(name)) continue;
        throw new TaskError(
          'task',
          `stage ${this.#step.stage}: its function yielded a column ${name}, which 'columns' does not declare`,
        );
      }
    }
  }

  async #store(rows: readonly YieldedRow[]): Promise<void> {
    const appender = await this.#openAppender();
    for (; this.#blankRows > 0; this.#blankRows -= Math.min(this.#blankRows, chunkRows)) {
      this.#append(new Array<YieldedRow>(Math.min(this.#blankRows, chunkRows)).fill({}), appender);
    }
    this.#append(rows, appender);
  }

  #append(rows: readonly YieldedRow[], appender: DuckDBAppender): void {
    const chunk = DuckDBDataChunk.create(
      this.#columns.map(({ type }) => type),
      rows.length,
    );
    for (const [index, column] of this.#columns.entries()) {
      chunk.setColumnValues(
        index,
        rows.map((row) => this.#fit(row[column.name], column)),
      );
    }
    appender.appendDataChunk(chunk);
  }

  #fit(value: unknown, column: TableColumn): DuckDBValue {
    const fitted = fitValue(value, column.type);
    if (fitted !== misfit) return fitted;
    throw new TaskError(
      'task',
      `stage ${this.#step.stage}: column ${column.name} is ${column.text}, but its function yielded ${describe(value)}`,
    );
  }

  async #openAppender(): Promise<DuckDBAppender> {
    const { schema, table } = this.#name as { schema: string; table: string };
    this.#connection ??= await this.#attempt.connect();
    this.#appender ??= await this.#connection.createAppender(table, schema);
    return this.#appender;
  }

  #closeAppender(): void {
    this.#appender?.closeSync();
    this.#appender = null;
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 80))}`;
  if (typeof value === 'object' && value !== null)
    return `${value.constructor?.name ?? 'an object'} ${String(value).slice(0, 80)}`;
  return `the ${typeof value} ${String(value)}`;
}
