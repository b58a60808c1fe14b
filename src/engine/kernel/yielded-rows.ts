// Collects what a user's function yields into a table. The function may wait for ever: when the attempt is stopped it is
// told to, not waited for. What it throws is told with its owner, its name, and the place in the user's code.
import { messageOf } from '../../model/errors.ts';
import { placeInUserCode } from '../place-in-user-code.ts';
import type { Attempt } from './attempt.ts';
import type { MapTask } from './load-function.ts';
import type { MapTable } from './map-table.ts';
import { TaskError } from './task-error.ts';

/** A call of a user's function that gives rows. */
export interface RowFunction {
  /** Whose it is, for messages: `stage x`. */
  readonly owner: string;
  readonly exportName: string;
  call(): unknown;
}

type Rows = AsyncIterator<unknown> | Iterator<unknown>;

/** Throws a TaskError. */
export async function collectRows(attempt: Attempt, table: MapTable, rowFunction: RowFunction): Promise<void> {
  let yielded: Rows | null = null;
  try {
    yielded = iteratorOf(rowFunction.call());
    await attempt.orStopped(collect(attempt, yielded, table));
  } catch (error) {
    void Promise.resolve(yielded?.return?.()).catch(() => {});
    attempt.throwIfStopped();
    throw error instanceof TaskError ? error : userError(attempt, rowFunction, error);
  }
}

async function collect(attempt: Attempt, yielded: Rows, table: MapTable): Promise<void> {
  for (;;) {
    const next = await yielded.next();
    attempt.throwIfStopped();
    if (next.done) return;
    if (table.add(next.value)) await table.flush();
  }
}

/** What a user's function is told about the task that it runs in. */
export function taskOf({ deployment, signal }: Attempt): MapTask {
  const { vertex, execution, parallelism } = deployment;
  return { vertexName: vertex.name, subtask: execution.subtask, parallelism, attempt: execution.attempt, signal };
}

function iteratorOf(value: unknown): Rows {
  const iterable = value as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (!iterator || typeof value === 'string') throw new TypeError('it must be an async function* that yields rows');
  return iterator;
}

function userError(attempt: Attempt, { owner, exportName }: RowFunction, error: unknown): TaskError {
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const place = error instanceof Error ? placeInUserCode(error, attempt.deployment.functionsFolder) : null;
  const at = place === null ? '' : ` (${place})`;
  return new TaskError('task', `${owner}: function ${exportName} threw ${name}${messageOf(error)}${at}`);
}
