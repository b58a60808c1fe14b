// The columns of what a map function yields. Declared columns are fixed. Otherwise a column named like an input column
// has its type as long as all values fit it; else the type follows from the one kind of values it has. Whatever is not
// unambiguous is an error that asks for `columns`.
import { BIGINT, BLOB, BOOLEAN, DOUBLE, type DuckDBType, HUGEINT, TIMESTAMP, VARCHAR } from '@duckdb/node-api';
import { fitValue, misfit } from './map-values.ts';
import { TaskError } from './task-error.ts';

/** A type by its DuckDB spelling and as the package's object. */
export interface ColumnType {
  readonly text: string;
  readonly type: DuckDBType;
}

export type ValueKind = 'bigint' | 'number' | 'string' | 'boolean' | 'date' | 'bytes' | 'other';

export function kindOf(value: unknown): ValueKind {
  switch (typeof value) {
    case 'bigint':
    case 'number':
    case 'string':
    case 'boolean':
      return typeof value as ValueKind;
    default:
      if (value instanceof Date) return 'date';
      return value instanceof Uint8Array ? 'bytes' : 'other';
  }
}

const wideInteger: ColumnType = { text: 'HUGEINT', type: HUGEINT };
const naturalTypes: Readonly<Record<Exclude<ValueKind, 'other'>, ColumnType>> = {
  bigint: { text: 'BIGINT', type: BIGINT },
  number: { text: 'DOUBLE', type: DOUBLE },
  string: { text: 'VARCHAR', type: VARCHAR },
  boolean: { text: 'BOOLEAN', type: BOOLEAN },
  date: { text: 'TIMESTAMP', type: TIMESTAMP },
  bytes: { text: 'BLOB', type: BLOB },
};

/** What is known of one undeclared column so far. */
export class InferredColumn {
  readonly name: string;
  readonly #stage: string;
  readonly #kinds = new Set<ValueKind>();
  #type: ColumnType | null;
  #isInputType: boolean;

  /** `input`: the type of the input column of that name. */
  constructor(stage: string, name: string, input: ColumnType | null) {
    this.#stage = stage;
    this.name = name;
    this.#type = input;
    this.#isInputType = input !== null;
  }

  /** null as long as there was no value to tell. */
  get type(): ColumnType | null {
    return this.#type;
  }

  /** The type that holds these values and all before them. Throws a TaskError where there is none. */
  admit(values: readonly unknown[]): ColumnType | null {
    for (const value of values) {
      if (value === null || value === undefined) continue;
      this.#kinds.add(kindOf(value));
      while (!this.#holds(value)) this.#widen(value);
    }
    return this.#type;
  }

  /** The input's type may hold values of several kinds (1 and 1n); a type that follows from the kind holds only its kind. */
  #holds(value: unknown): boolean {
    if (this.#type === null || (!this.#isInputType && this.#kinds.size > 1)) return false;
    return fitValue(value, this.#type.type) !== misfit;
  }

  #widen(value: unknown): void {
    const [kind, ...others] = this.#kinds;
    if (kind === undefined || others.length > 0)
      throw this.#ask(`it has values of several kinds (${[...this.#kinds].join(', ')})`);
    if (kind === 'other') throw this.#ask('the type of its values is not plain');
    const natural = naturalTypes[kind];
    const current = this.#isInputType ? null : this.#type;
    this.#isInputType = false;
    if (current === null) this.#type = natural;
    else if (current === naturalTypes.bigint) this.#type = wideInteger;
    else throw this.#ask(`the value ${String(value).slice(0, 80)} fits no type that the others have`);
  }

  #ask(why: string): TaskError {
    return needsColumns(this.#stage, this.name, why);
  }
}

/** The error of a column whose type does not follow from its values. */
export function needsColumns(stage: string, column: string, why: string): TaskError {
  return new TaskError(
    'task',
    `stage ${stage}: the type of column ${column} is unclear: ${why}; declare it under 'columns'`,
  );
}
