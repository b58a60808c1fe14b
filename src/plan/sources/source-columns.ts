// The columns of a source, read or sniffed once while planning and fixed from then on: every task sees the same names
// and types, whatever rows it gets. For csv the dialect is fixed with them.
import { open } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column, SourceFile, SourceOptions } from '../../model/job-graph.ts';
import { nearestNameHint } from '../../model/nearest-name.ts';
import { describeQuery } from '../../sql/duckdb.ts';
import { pathListLiteral } from '../../sql/source-scan.ts';
import { dialectArguments, sniffCsv } from './csv-dialect.ts';
import { SourceProblem } from './find-files.ts';

export interface SourceColumns {
  readonly columns: readonly Column[];
  /** The user's options, completed with the dialect that was found. */
  readonly options: SourceOptions;
}

/** Types of several files are widened to common ones; a file without one of the columns is refused. */
export async function parquetColumns(
  connection: DuckDBConnection,
  files: readonly SourceFile[],
): Promise<readonly Column[]> {
  const list = pathListLiteral(files.map((file) => file.path));
  const [first] = files;
  if (!first || files.length === 1) return describeQuery(connection, `SELECT * FROM read_parquet(${list})`);
  const all = await describeQuery(connection, `SELECT * FROM read_parquet(${list}, union_by_name = true)`);
  const reader = await connection.runAndReadAll(`
    SELECT file_name, count(*) AS columns
    FROM (SELECT DISTINCT file_name, split_part(path_in_schema, ', ', 1) AS column FROM parquet_metadata(${list}))
    GROUP BY file_name HAVING count(*) < ${all.length} ORDER BY file_name LIMIT 1`);
  const [short] = reader.getRowsJS();
  if (!short) return all;
  // A file without rows has no row groups to tell its columns by: ask it.
  return checkedAgainst(connection, files, all);
}

async function checkedAgainst(
  connection: DuckDBConnection,
  files: readonly SourceFile[],
  all: readonly Column[],
): Promise<readonly Column[]> {
  for (const file of files) {
    const own = await describeQuery(connection, `SELECT * FROM read_parquet(${pathListLiteral([file.path])})`);
    const names = new Set(own.map((column) => column.name.toLowerCase()));
    const missing = all.find((column) => !names.has(column.name.toLowerCase()));
    if (missing)
      throw new SourceProblem(`${file.path} has no column ${missing.name}, which other files of the source have`);
  }
  return all;
}

/** The columns and the dialect of csv files; stated options win over what is found. */
export async function csvColumns(
  connection: DuckDBConnection,
  files: readonly SourceFile[],
  options: SourceOptions,
  stated: readonly Column[] | null,
): Promise<SourceColumns> {
  const paths = files.map((file) => file.path);
  const sniffed = await sniffCsv(connection, paths[0] ?? '', options, stated?.length ?? null);
  const dialect: SourceOptions = { ...sniffed.options, ...withoutUndefined(options) };
  const found = paths.length === 1 ? sniffed.columns : await describeFiles(connection, paths, dialect);
  await checkHeaders(paths, dialect);
  return { columns: stated === null ? found : withStated(found, stated, dialect.header === true), options: dialect };
}

/** Stated types by name where the files have a header; else names and types by place. */
function withStated(found: readonly Column[], stated: readonly Column[], hasHeader: boolean): readonly Column[] {
  if (!hasHeader) {
    if (stated.length === found.length) return stated;
    throw new SourceProblem(`columns names ${stated.length} columns, but the file has ${found.length} and no header`);
  }
  const types = new Map(stated.map((column) => [column.name, column.type]));
  for (const { name } of stated) {
    const names = found.map((column) => column.name);
    if (!names.includes(name)) {
      throw new SourceProblem(`columns names ${name}, which the header does not have`, nearestNameHint(name, names));
    }
  }
  return found.map((column) => ({ name: column.name, type: types.get(column.name) ?? column.type }));
}

async function describeFiles(
  connection: DuckDBConnection,
  paths: readonly string[],
  dialect: SourceOptions,
): Promise<Column[]> {
  // A row that is too short or too long is for `onBadRow`, not a reason to see no columns.
  const list = [pathListLiteral(paths), ...dialectArguments(dialect), 'ignore_errors = true'].join(', ');
  return describeQuery(connection, `SELECT * FROM read_csv(${list})`);
}

/** DuckDB reads further files by place: one with other columns in its header would be read wrongly, without a word. */
async function checkHeaders(paths: readonly string[], dialect: SourceOptions): Promise<void> {
  if (dialect.header !== true || (dialect.skip ?? 0) > 0) return;
  const [first, ...rest] = paths;
  const header = first === undefined ? '' : await firstLine(first);
  for (const path of rest) {
    if (isCompressed(path) || (await firstLine(path)) === header) continue;
    throw new SourceProblem(`${path} has another header than ${first}: the files of a source have the same columns`);
  }
}

function isCompressed(path: string): boolean {
  return /\.(gz|zst|bz2|xz)$/i.test(path);
}

/** The first line, as far as 64 KiB. */
async function firstLine(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(65_536), 0, 65_536, 0);
    const text = buffer.subarray(0, bytesRead).toString('utf8');
    return text.split(/\r?\n/, 1)[0] ?? '';
  } finally {
    await file.close();
  }
}

function withoutUndefined(options: SourceOptions): SourceOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The columns of NDJSON files. */
export async function jsonColumns(connection: DuckDBConnection, files: readonly SourceFile[]): Promise<Column[]> {
  const list = pathListLiteral(files.map((file) => file.path));
  return describeQuery(connection, `SELECT * FROM read_json(${list}, format = 'newline_delimited')`);
}
