// Column types as users write them, turned into DuckDB's exact spelling by DuckDB itself.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column } from '../model/job-graph.ts';
import { describeQuery } from '../sql/duckdb.ts';
import type { KeyPath, Places } from './job-file/places.ts';
import { sqlErrorOf } from './sql-analysis/parse-select.ts';

/** The columns stated at `path` of the job file. Throws JOB_FILE_INVALID at the type that DuckDB does not know. */
export async function statedColumns(
  connection: DuckDBConnection,
  stated: Readonly<Record<string, string>>,
  path: KeyPath,
  places: Places,
): Promise<Column[]> {
  const columns: Column[] = [];
  const seen = new Set<string>();
  for (const [name, type] of Object.entries(stated)) {
    const fail = (message: string) => places.error('JOB_FILE_INVALID', [...path, name], message);
    if (seen.has(name.toLowerCase()))
      throw fail(`column ${name} is there twice: SQL does not tell upper from lower case`);
    seen.add(name.toLowerCase());
    columns.push({ name, type: await exactType(connection, type, fail) });
  }
  return columns;
}

async function exactType(
  connection: DuckDBConnection,
  type: string,
  fail: (message: string) => Error,
): Promise<string> {
  let described: Column[];
  try {
    described = await describeQuery(connection, `SELECT CAST(NULL AS ${type}) AS typed`);
  } catch (error) {
    throw fail(`${JSON.stringify(type)} is no column type: ${sqlErrorOf(error, 0).message}`);
  }
  const [column] = described;
  if (!column || described.length !== 1 || column.name !== 'typed')
    throw fail(`${JSON.stringify(type)} is no column type`);
  return column.type;
}
