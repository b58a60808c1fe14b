// The SQL of one stage, parsed and bound by DuckDB over empty views of its inputs: that finds bad SQL and gives the
// exact output columns. Errors point into the SQL as it stands in the job file.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { JobrecError } from '../model/errors.ts';
import type { Column } from '../model/job-graph.ts';
import { nearestName, nearestNameHint } from '../model/nearest-name.ts';
import { describeQuery, quoteIdentifier } from '../sql/duckdb.ts';
import type { PlanInput } from './exchanges/stage-plan.ts';
import type { Places } from './job-file/places.ts';
import { characterOffset, sourceOffsetOf } from './job-file/sql-place.ts';
import { analyseStage } from './sql-analysis/analyse-stage.ts';
import type { Ast } from './sql-analysis/ast.ts';
import type { SqlProblem, StageInput } from './sql-analysis/context.ts';
import { parseSelect, SqlError, sqlErrorOf } from './sql-analysis/parse-select.ts';

export interface BoundSql {
  readonly query: Ast;
  /** null where an input's columns are not known before the job runs. */
  readonly columns: readonly Column[] | null;
}

export interface SqlRequest {
  readonly stage: string;
  readonly sql: string;
  readonly inputs: readonly PlanInput[];
  readonly places: Places;
}

/** Parses and binds the SQL of a stage. Throws SQL_INVALID. */
export async function bindSql(connection: DuckDBConnection, request: SqlRequest): Promise<BoundSql> {
  const { stage, sql, places } = request;
  try {
    const query = await parseSelect(connection, sql);
    // What is read must be known before DuckDB binds it: it would open files, and name unknown tables after its own.
    const [problem] = analyseStage(query, unboundInputs(request.inputs), stage).problems;
    if (problem) throw sqlProblem(places, stage, sql, problem);
    const columns = await outputColumns(connection, request);
    return { query, columns };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw sqlProblem(places, stage, sql, { message: error.message, position: error.position, known: [] });
  }
}

function unboundInputs(inputs: readonly PlanInput[]): StageInput[] {
  return inputs.map(({ alias, columns }) => ({ name: alias, columns, arrival: { kind: 'whole' } }));
}

/** The error for a problem of a stage's SQL, at its place in the job file. */
function sqlProblem(places: Places, stage: string, sql: string, problem: SqlProblem): JobrecError {
  const path = ['stages', stage, 'sql'];
  const offset = problem.position === null ? null : sourceOffset(places, path, sql, problem.position);
  const wrong = /^(\S+) is not an input/.exec(problem.message)?.[1] ?? null;
  return places.error('SQL_INVALID', path, `stage ${stage}: ${problem.message}`, {
    data: { stage, ...(wrong === null ? {} : { nearest: nearestName(wrong, problem.known) }) },
    ...(offset === null ? {} : { sourceOffset: offset }),
    ...(wrong === null ? {} : { hint: nearestNameHint(wrong, problem.known) }),
  });
}

function sourceOffset(places: Places, path: readonly string[], sql: string, position: number): number | null {
  return sourceOffsetOf(places.text, places.nodeAt(path), sql, characterOffset(sql, position));
}

const describePrefix = 'DESCRIBE ';

async function outputColumns(connection: DuckDBConnection, { sql, inputs }: SqlRequest): Promise<Column[] | null> {
  if (inputs.some((input) => input.columns === null)) return null;
  await withViews(connection, inputs, 'CREATE');
  try {
    return checkedColumns(await describeQuery(connection, sql));
  } catch (error) {
    throw error instanceof SqlError ? error : sqlErrorOf(error, describePrefix.length);
  } finally {
    await withViews(connection, inputs, 'DROP');
  }
}

async function withViews(
  connection: DuckDBConnection,
  inputs: readonly PlanInput[],
  verb: 'CREATE' | 'DROP',
): Promise<void> {
  const statements = inputs.map(({ alias, columns }) => {
    const name = quoteIdentifier(alias);
    if (verb === 'DROP') return `DROP VIEW IF EXISTS ${name}`;
    const nulls = (columns ?? []).map((column) => `CAST(NULL AS ${column.type}) AS ${quoteIdentifier(column.name)}`);
    return `CREATE VIEW ${name} AS SELECT ${nulls.join(', ')} WHERE false`;
  });
  if (statements.length > 0) await connection.run(statements.join('; '));
}

/** Partition files and sinks name columns: each name can be there once. */
function checkedColumns(columns: Column[]): Column[] {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name.toLowerCase())) {
      throw new SqlError(`the result has two columns named ${name}: name one of them with AS`, null);
    }
    seen.add(name.toLowerCase());
  }
  return columns;
}
