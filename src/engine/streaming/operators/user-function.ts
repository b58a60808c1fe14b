// The user's functions of a streaming job: loaded from their bundled modules, called one row at a time. What they throw
// names the stage, the function, and the line of the user's own file.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JobrecError, messageOf } from '../../../model/errors.ts';
import type { FunctionRef, Row } from '../../../model/streaming-plan.ts';
import { placeInUserCode } from '../../place-in-user-code.ts';

type AnyFunction = (...args: readonly unknown[]) => unknown;

export class UserFunction {
  readonly #stage: string;
  readonly #ref: FunctionRef;
  readonly #folder: string;
  readonly #function: AnyFunction;

  private constructor(stage: string, ref: FunctionRef, folder: string, loaded: AnyFunction) {
    this.#stage = stage;
    this.#ref = ref;
    this.#folder = folder;
    this.#function = loaded;
  }

  static async load(stage: string, ref: FunctionRef, functionsFolder: string): Promise<UserFunction> {
    const url = pathToFileURL(join(functionsFolder, ref.module)).href;
    const module = await import(url).catch((cause: unknown) => {
      throw new JobrecError('JOB_FAILED', `stage ${stage}: its module cannot be loaded: ${messageOf(cause)}`, {
        cause,
      });
    });
    const found = (module as Record<string, unknown>)[ref.exportName];
    if (typeof found === 'function') return new UserFunction(stage, ref, functionsFolder, found as AnyFunction);
    throw new JobrecError('JOB_FAILED', `stage ${stage}: its module exports no function ${ref.exportName}`);
  }

  /** What the function returns. Throws JOB_FAILED for what it throws, and for a promise: rows are taken one by one. */
  call(...args: readonly unknown[]): unknown {
    let result: unknown;
    try {
      result = this.#function(...args);
    } catch (error) {
      throw this.#threw(error);
    }
    if (!(result instanceof Promise)) return result;
    // What it comes to is of no use to anyone.
    result.catch(() => {});
    throw this.#failure('returned a promise; functions of a streaming job are synchronous');
  }

  /** The one row that the function returns. */
  row(...args: readonly unknown[]): Row {
    return this.#checked(this.call(...args));
  }

  /** The rows that the function returns: an array, an iterable (a generator), or nothing. */
  *rows(...args: readonly unknown[]): Generator<Row> {
    const result = this.call(...args);
    if (result === undefined || result === null) return;
    if (!isIterable(result)) throw this.#failure('must return rows: an array, or as a function* that yields them');
    const rows = result[Symbol.iterator]();
    for (;;) {
      let next: IteratorResult<unknown>;
      try {
        next = rows.next();
      } catch (error) {
        throw this.#threw(error);
      }
      if (next.done) return;
      yield this.#checked(next.value);
    }
  }

  #checked(value: unknown): Row {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
    throw this.#failure(`gave ${value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value}, not a row`);
  }

  #threw(error: unknown): JobrecError {
    if (error instanceof JobrecError) return error;
    const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
    const place = error instanceof Error ? placeInUserCode(error, this.#folder) : null;
    return this.#failure(`threw ${name}${messageOf(error)}${place === null ? '' : ` (${place})`}`, error);
  }

  #failure(what: string, cause?: unknown): JobrecError {
    const message = `stage ${this.#stage}: function ${this.#ref.exportName} ${what}`;
    return new JobrecError('JOB_FAILED', message, cause === undefined ? {} : { cause });
  }
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
