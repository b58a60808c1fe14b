// Splits of a file source as a relation. Bad rows fail the attempt with file and line, or are left out and counted.
// Where they are left out of a csv file the scan is materialised: which rows are bad must not depend on the columns that
// a query happens to use.
import { messageOf } from '../../model/errors.ts';
import type { SourceSpec } from '../../model/job-graph.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';
import { sourceScanSql } from '../../sql/source-scan.ts';
import type { TaskInput } from '../protocol/messages.ts';
import type { Attempt } from './attempt.ts';
import { collectBadRows } from './bad-rows.ts';
import { quarantine } from './quarantine.ts';
import { checkSourceFiles } from './source-files.ts';
import { TaskError } from './task-error.ts';
import type { TaskInputRelation } from './task-input.ts';

type SourceInput = Extract<TaskInput, { kind: 'source' }>;

/** Throws a TaskError of kind `source-changed` where a file is not what the job was planned with. */
export async function sourceInput(attempt: Attempt, { source, splits }: SourceInput): Promise<TaskInputRelation> {
  const files = [...new Set(splits.flatMap((index) => source.splits[index]?.file ?? []))];
  const recheck = () =>
    checkSourceFiles(
      source,
      files.flatMap((index) => source.files[index] ?? []),
    );
  await recheck();
  const sql = sourceScanSql(source, splits);
  const relation = { sql, hasColumns: true, isScan: true, stages: [], parts: [], recheck };
  const bytesIn = splits.reduce((sum, index) => sum + (source.splits[index]?.bytes ?? 0), 0);
  if (source.onBadRow === 'fail' || source.format === 'parquet') {
    return { ...relation, bytesIn, recordsIn: await knownRows(attempt, source, splits), badRows: 0 };
  }
  const { table, rows } = await materialise(attempt, source, sql);
  const bad = await collectBadRows(attempt, source, splits);
  const parts = source.onBadRow === 'quarantine' ? await quarantine(attempt, source, bad) : [];
  const recordsIn = rows + bad.length;
  return { ...relation, sql: `SELECT * FROM ${table}`, bytesIn, recordsIn, badRows: bad.length, parts };
}

async function materialise(
  attempt: Attempt,
  source: SourceSpec,
  sql: string,
): Promise<{ table: string; rows: number }> {
  const { qualified: table } = await attempt.newTable();
  try {
    return { table, rows: await attempt.run(`CREATE TABLE ${table} AS ${sql}`) };
  } catch (error) {
    if (error instanceof TaskError) throw error;
    throw new TaskError('task', `source ${source.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Rows of the splits where they are known without reading them: row ranges, and what Parquet's footers say. */
async function knownRows(attempt: Attempt, source: SourceSpec, indexes: readonly number[]): Promise<number | null> {
  const splits = indexes.flatMap((index) => source.splits[index] ?? []);
  const ranged = splits.reduce((sum, { rows }) => sum + (rows === null ? 0 : rows[1] - rows[0]), 0);
  const whole = splits.filter(({ rows }) => rows === null);
  if (whole.length === 0) return ranged;
  if (source.format !== 'parquet') return null;
  const paths = whole.map(({ file }) => quoteLiteral(source.files[file]?.path ?? '')).join(', ');
  return ranged + (await attempt.run(`SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata([${paths}])`));
}
