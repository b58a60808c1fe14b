// Runs a map stage: streams its input's rows through the user's function into a table. Rows are read only as the
// function asks for them and stored chunk by chunk, so memory is bounded both ways. What the function throws is told
// with the stage's name, the function's, and the place in the user's code.
import type { DuckDBResult } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import type { MapStep } from '../../model/job-graph.ts';
import type { Attempt } from './attempt.ts';
import { loadMapFunction, type MapTask, type Row } from './load-function.ts';
import type { ColumnType } from './map-columns.ts';
import { MapTable } from './map-table.ts';
import { type Relation, relationError } from './relation.ts';
import { TaskError } from './task-error.ts';

export async function runMapStep(attempt: Attempt, step: MapStep, input: Relation): Promise<Relation> {
  const mapFunction = await loadMapFunction(attempt.deployment.functionsFolder, step);
  const reader = await openReader(attempt, input);
  const table = await MapTable.open(attempt, step, reader.types);
  let yielded: AsyncIterator<unknown> | Iterator<unknown> | null = null;
  try {
    yielded = iteratorOf(mapFunction(reader.rows, taskOf(attempt)));
    // The function may wait for ever: when the attempt is stopped it is told to, not waited for.
    await attempt.orStopped(collect(attempt, yielded, table));
  } catch (error) {
    void Promise.resolve(yielded?.return?.()).catch(() => {});
    attempt.throwIfStopped();
    throw reader.failure ?? (error instanceof TaskError ? error : userError(attempt, step, error));
  }
  return table.finish();
}

async function collect(
  attempt: Attempt,
  yielded: AsyncIterator<unknown> | Iterator<unknown>,
  table: MapTable,
): Promise<void> {
  for (;;) {
    const next = await yielded.next();
    attempt.throwIfStopped();
    if (next.done) return;
    if (table.add(next.value)) await table.flush();
  }
}

interface Reader {
  readonly rows: AsyncIterable<Row>;
  readonly types: ReadonlyMap<string, ColumnType>;
  /** Set when reading failed: the user's function sees it too, but it is not its fault. */
  failure: TaskError | null;
}

async function openReader(attempt: Attempt, input: Relation): Promise<Reader> {
  const reader: { -readonly [Key in keyof Reader]: Reader[Key] } = { rows: noRows(), types: new Map(), failure: null };
  if (!input.hasColumns) return reader;
  try {
    const columns = await attempt.describe(input.sql);
    const result = await attempt.stream(input.sql);
    reader.types = new Map(
      columns.map(({ name, type }, index) => [name, { text: type, type: result.columnType(index) }]),
    );
    reader.rows = readRows(attempt, input, result, reader);
    return reader;
  } catch (error) {
    throw relationError(input, error);
  }
}

async function* readRows(attempt: Attempt, input: Relation, result: DuckDBResult, reader: Reader): AsyncGenerator<Row> {
  try {
    for await (const rows of result.yieldRowObjectJs()) {
      attempt.throwIfStopped();
      yield* rows;
    }
  } catch (error) {
    reader.failure = relationError(input, error);
    throw reader.failure;
  }
}

async function* noRows(): AsyncGenerator<Row> {}

function taskOf({ deployment, signal }: Attempt): MapTask {
  const { vertex, execution, parallelism } = deployment;
  return { vertexName: vertex.name, subtask: execution.subtask, parallelism, attempt: execution.attempt, signal };
}

function iteratorOf(value: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  const iterable = value as Partial<AsyncIterable<unknown> & Iterable<unknown>> | null | undefined;
  const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
  if (!iterator || typeof value === 'string') throw new TypeError('it must be an async function* that yields rows');
  return iterator;
}

function userError(attempt: Attempt, step: MapStep, error: unknown): TaskError {
  const name = error instanceof Error && error.name !== 'Error' ? `${error.name}: ` : '';
  const place = error instanceof Error ? placeInUserCode(error, attempt.deployment.functionsFolder) : null;
  const at = place === null ? '' : ` (${place})`;
  return new TaskError(
    'task',
    `stage ${step.stage}: function ${step.exportName} threw ${name}${messageOf(error)}${at}`,
  );
}

/** `file:line:column` of the first stack line; null where the stack says none. */
function placeInUserCode(error: Error, functionsFolder: string): string | null {
  const lines = (error.stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '));
  const line = lines.find((candidate) => candidate.includes(functionsFolder)) ?? lines[0];
  return /\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?\s*$/.exec(line ?? '')?.[1] ?? null;
}
