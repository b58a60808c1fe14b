// The SELECT that reads splits of a file source. Invariant: its columns are exactly `source.columns`, in name, order
// and type, whichever splits are read: nothing is sniffed here, so all tasks of a source see the same relation.
// Row ranges of Parquet files are cut out by `file_row_number`, by which DuckDB prunes row groups.

import { invariant } from '../model/errors.ts';
import type { SourceFile, SourceSpec, Split } from '../model/job-graph.ts';
import { columnTypesLiteral, quoteIdentifier, quoteLiteral } from './duckdb.ts';

/** SQL over the given splits (indices into `source.splits`); no splits: an empty relation of the same columns. */
export function sourceScanSql(source: SourceSpec, splits: readonly number[]): string {
  const pieces = filePieces(source, splits);
  const whole = pieces.filter((piece) => piece.ranges === null).map((piece) => piece.file.path);
  const queries = whole.length === 0 ? [] : [scanWhole(source, whole)];
  for (const piece of pieces) {
    for (const range of piece.ranges ?? []) queries.push(scanRange(source, piece.file.path, range));
  }
  return queries.length === 0 ? emptyScan(source) : queries.join(' UNION ALL ');
}

/**
 * SQL over the lines of an NDJSON source that `onBadRow: skip | quarantine` leaves out: columns `file`, `line` (1-based)
 * and `text`. (For csv DuckDB itself collects them in `reject_errors`, see `csvReaderOptions`.)
 */
export function badJsonLinesSql(source: SourceSpec, splits: readonly number[]): string {
  const files = filePieces(source, splits).map((piece) => piece.file.path);
  if (files.length === 0)
    return 'SELECT NULL::VARCHAR AS file, NULL::BIGINT AS line, NULL::VARCHAR AS text WHERE false';
  const numbered = files.map(
    (path) => `SELECT ${quoteLiteral(path)} AS file, row_number() OVER () AS line, text FROM ${jsonLines([path])}`,
  );
  return `SELECT * FROM (${numbered.join(' UNION ALL ')}) WHERE trim(text) <> '' AND ${parsedLine(source)} IS NULL`;
}

/** SQL over the header of the source's first csv file, one row of texts; null: it has none to look at. */
export function sourceHeaderSql(source: SourceSpec): string | null {
  const [file] = source.files;
  if (source.format !== 'csv' || source.options.header === false || file === undefined) return null;
  const columns = source.columns.map(({ name }) => ({ name, type: 'VARCHAR' }));
  const texts = { ...source, columns, onBadRow: 'fail' as const, options: { ...source.options, header: false } };
  return `SELECT * FROM ${readerCall(texts, [file.path])} LIMIT 1`;
}

interface FilePiece {
  readonly file: SourceFile;
  /** null: the whole file; else ascending, disjoint row ranges. */
  readonly ranges: readonly (readonly [number, number])[] | null;
}

function filePieces(source: SourceSpec, splits: readonly number[]): FilePiece[] {
  const byFile = new Map<number, Split[]>();
  for (const index of splits) {
    const split = source.splits[index];
    invariant(split, `source ${source.name} has no split ${index}`);
    byFile.set(split.file, [...(byFile.get(split.file) ?? []), split]);
  }
  return [...byFile].map(([index, parts]) => {
    const file = source.files[index];
    invariant(file, `source ${source.name} has no file ${index}`);
    return { file, ranges: mergedRanges(parts) };
  });
}

/** Neighbouring ranges as one, so that a task with a run of row groups scans once. */
function mergedRanges(parts: readonly Split[]): (readonly [number, number])[] | null {
  const ranges: [number, number][] = [];
  const sorted = parts.flatMap((part) => (part.rows === null ? [] : [part.rows])).sort((a, b) => a[0] - b[0]);
  if (sorted.length < parts.length) return null;
  for (const [from, to] of sorted) {
    const last = ranges.at(-1);
    if (last && last[1] === from) last[1] = to;
    else ranges.push([from, to]);
  }
  return ranges;
}

function scanWhole(source: SourceSpec, paths: readonly string[]): string {
  if (source.format === 'json' && source.onBadRow !== 'fail') return lenientJsonScan(source, paths);
  return `SELECT ${selectList(source)} FROM ${readerCall(source, paths)}`;
}

function scanRange(source: SourceSpec, path: string, [from, to]: readonly [number, number]): string {
  const where = `file_row_number >= ${from} AND file_row_number < ${to}`;
  return `SELECT ${selectList(source)} FROM ${readerCall(source, [path])} WHERE ${where}`;
}

function emptyScan(source: SourceSpec): string {
  const nulls = source.columns.map((column) => `NULL::${column.type} AS ${quoteIdentifier(column.name)}`);
  return `SELECT ${nulls.join(', ')} WHERE false`;
}

/** Casts are no-ops where a file has the source's type, and widen where only another file of the source needs more. */
function selectList(source: SourceSpec): string {
  return source.columns
    .map(({ name, type }) => `CAST(${quoteIdentifier(name)} AS ${type}) AS ${quoteIdentifier(name)}`)
    .join(', ');
}

/** Paths as a list of literals for DuckDB's readers. */
export function pathListLiteral(paths: readonly string[]): string {
  return `[${paths.map(escapedPath).join(', ')}]`;
}

/** Paths are literal here (globs are expanded in the planner), but DuckDB would expand them once more. */
export function escapedPath(path: string): string {
  return quoteLiteral(path.replace(/[[*?]/g, (character) => `[${character}]`));
}

function readerCall(source: SourceSpec, paths: readonly string[]): string {
  const files = pathListLiteral(paths);
  switch (source.format) {
    case 'parquet':
      return `read_parquet(${files}${paths.length > 1 ? ', union_by_name = true' : ''})`;
    case 'csv':
      return `read_csv(${[files, ...csvReaderOptions(source)].join(', ')})`;
    case 'json':
      return `read_json(${files}, format = 'newline_delimited', columns = ${columnTypesLiteral(source.columns)})`;
  }
}

/** With `onBadRow: skip | quarantine` DuckDB leaves bad rows out and lists them in the temporary `reject_errors`. */
function csvReaderOptions(source: SourceSpec): string[] {
  const { options } = source;
  const text = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`${name} = ${quoteLiteral(value)}`];
  return [
    'auto_detect = false',
    `columns = ${columnTypesLiteral(source.columns)}`,
    `header = ${options.header ?? true}`,
    ...text('delim', options.delimiter),
    ...text('quote', options.quote),
    ...text('escape', options.escape),
    ...text('nullstr', options.nullString),
    ...text('dateformat', options.dateFormat),
    ...text('timestampformat', options.timestampFormat),
    ...(options.skip === undefined ? [] : [`skip = ${options.skip}`]),
    ...(source.onBadRow === 'fail' ? [] : ['store_rejects = true', 'rejects_limit = 0']),
  ];
}

/** read_json's own ignore_errors turns bad lines into rows of NULLs; here they are left out, as in a csv source. */
function lenientJsonScan(source: SourceSpec, paths: readonly string[]): string {
  const rows = `SELECT ${parsedLine(source)} AS "row" FROM ${jsonLines(paths)} WHERE trim(text) <> ''`;
  const columns = source.columns.map(({ name }) => `"row".${quoteIdentifier(name)} AS ${quoteIdentifier(name)}`);
  return `SELECT ${columns.join(', ')} FROM (${rows}) WHERE "row" IS NOT NULL`;
}

function jsonLines(paths: readonly string[]): string {
  const lines = `auto_detect = false, header = false, delim = '', quote = '', escape = '', columns = {'text': 'VARCHAR'}`;
  return `read_csv(${pathListLiteral(paths)}, ${lines})`;
}

function parsedLine(source: SourceSpec): string {
  const structure = JSON.stringify(Object.fromEntries(source.columns.map(({ name, type }) => [name, type])));
  return `TRY(from_json_strict(text, ${quoteLiteral(structure)}))`;
}
