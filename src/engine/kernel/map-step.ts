// Runs a map stage: streams its input's rows through the user's function into a table. Rows are read only as the
// function asks for them and stored chunk by chunk, so memory is bounded both ways. What the function throws is told
// with the stage's name, the function's, and the place in the user's code.
import type { DuckDBResult } from '@duckdb/node-api';
import type { MapStep } from '../../model/job-graph.ts';
import type { Attempt } from './attempt.ts';
import { loadMapFunction, type Row } from './load-function.ts';
import type { ColumnType } from './map-columns.ts';
import { MapTable } from './map-table.ts';
import { type Relation, relationError, tableRelation, unknownRelation } from './relation.ts';
import type { TaskError } from './task-error.ts';
import { collectRows, taskOf } from './yielded-rows.ts';

export async function runMapStep(attempt: Attempt, step: MapStep, input: Relation): Promise<Relation> {
  const owner = `stage ${step.stage}`;
  const mapFunction = await loadMapFunction(attempt.deployment.functionsFolder, owner, step);
  const reader = await openReader(attempt, input);
  const table = await MapTable.open(attempt, { owner, columns: step.columns }, reader.types);
  const call = () => mapFunction(reader.rows, taskOf(attempt));
  await collectRows(attempt, table, { owner, exportName: step.exportName, call }).catch((error: unknown) => {
    attempt.throwIfStopped();
    throw reader.failure ?? error;
  });
  const name = await table.finish();
  return name === null ? unknownRelation(step.stage) : tableRelation(name, step.stage);
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
