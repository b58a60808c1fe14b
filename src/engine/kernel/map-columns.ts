// The columns of what a map function yields. Declared columns are fixed. Otherwise a column named like an input column
// has its type as long as all values fit it; else the type follows from the one kind of values it has. Whatever is not
// unambiguous is an error that asks for `columns`.
import {
  BIGINT,
  BLOB,
  BOOLEAN,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  HUGEINT,
  TIMESTAMP,
  VARCHAR,
} from '@duckdb/node-api';
import { type Fit, type Fitted, fitterOf, misfit } from './map-values.ts';
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

/** One column of yielded rows. */
export interface YieldedColumn {
  readonly name: string;
  /** null as long as there was no value to tell. */
  readonly type: ColumnType | null;
  /** The values as ones of the column's type. Throws a TaskError for one that is not. */
  fit(values: readonly unknown[]): DuckDBValue[];
}

/** A column with the type that the job file declares. */
export class DeclaredColumn implements YieldedColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly #owner: string;
  readonly #fit: Fit;

  constructor(owner: string, name: string, type: ColumnType) {
    this.#owner = owner;
    this.name = name;
    this.type = type;
    this.#fit = fitterOf(type.type);
  }

  fit(values: readonly unknown[]): DuckDBValue[] {
    return values.map((value) => {
      const fitted = this.#fit(value);
      if (fitted !== misfit) return fitted;
      const message = `column ${this.name} is ${this.type.text}, but its function yielded ${textOf(value)}`;
      throw new TaskError('task', `${this.#owner}: ${message}`);
    });
  }
}

/** What is known of one undeclared column so far. */
export class InferredColumn implements YieldedColumn {
  readonly name: string;
  readonly #owner: string;
  readonly #kinds = new Set<ValueKind>();
  #type: ColumnType | null = null;
  #fit: Fit = () => misfit;
  #isInputType = false;

  /** `input`: the type of the input column of that name. */
  constructor(owner: string, name: string, input: ColumnType | null) {
    this.#owner = owner;
    this.name = name;
    if (input !== null) this.#setType(input);
    this.#isInputType = input !== null;
  }

  get type(): ColumnType | null {
    return this.#type;
  }

  /**
   * The values as ones of the column's type, which is widened first where they need it; NULLs as long as there is none.
   * Throws a TaskError where no type holds these values and all before them.
   */
  fit(values: readonly unknown[]): DuckDBValue[] {
    const fitted: DuckDBValue[] = [];
    for (const value of values) {
      const one = value === null || value === undefined ? null : this.#fitPresent(value);
      // A type that was widened meanwhile changes the values before, too.
      if (one === misfit) return this.fit(values);
      fitted.push(one);
    }
    return fitted;
  }

  /** The input's type may hold values of several kinds (1 and 1n); a type that follows from the kind holds only its kind. */
  #fitPresent(value: unknown): Fitted {
    const kind = kindOf(value);
    if (!this.#kinds.has(kind)) this.#kinds.add(kind);
    if (this.#isInputType || this.#kinds.size === 1) {
      const fitted = this.#fit(value);
      if (fitted !== misfit) return fitted;
    }
    this.#widen(value);
    return misfit;
  }

  #setType(type: ColumnType): void {
    this.#type = type;
    this.#fit = fitterOf(type.type);
  }

  #widen(value: unknown): void {
    const [kind, ...others] = this.#kinds;
    if (kind === undefined || others.length > 0)
      throw this.#ask(`it has values of several kinds (${[...this.#kinds].join(', ')})`);
    if (kind === 'other') throw this.#ask('the type of its values is not plain');
    const natural = naturalTypes[kind];
    const current = this.#isInputType ? null : this.#type;
    this.#isInputType = false;
    if (current === null) this.#setType(natural);
    else if (current === naturalTypes.bigint) this.#setType(wideInteger);
    else throw this.#ask(`the value ${String(value).slice(0, 80)} fits no type that the others have`);
  }

  #ask(why: string): TaskError {
    return needsColumns(this.#owner, this.name, why);
  }
}

/** The error of a column whose type does not follow from its values. */
export function needsColumns(owner: string, column: string, why: string): TaskError {
  return new TaskError('task', `${owner}: the type of column ${column} is unclear: ${why}; declare it under 'columns'`);
}

/** A value as messages show it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 80))}`;
  if (typeof value === 'object' && value !== null) {
    return `${value.constructor?.name ?? 'an object'} ${String(value).slice(0, 80)}`;
  }
  return `the ${typeof value} ${String(value)}`;
}
