// The dialect and the columns that DuckDB's sniffer sees in a csv file. It is asked twice. Strictly it wants every row of
// its sample to have the same width, and where one has not, it takes the whole line for one column, skips all rows before
// it, or finds nothing. Leniently it passes over such a row, which `onBadRow` then meets, but knows no lines before the
// header. So strictly found columns stand where both see the same ones, and the lenient ones elsewhere.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column, SourceOptions } from '../../model/job-graph.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';
import { SourceProblem } from './find-files.ts';

export interface SniffedCsv {
  readonly columns: readonly Column[];
  readonly options: SourceOptions;
}

/** `statedCount`: how many columns the user names; it decides in a file without a header, whose first row may be bad. */
export async function sniffCsv(
  connection: DuckDBConnection,
  path: string,
  options: SourceOptions,
  statedCount: number | null,
): Promise<SniffedCsv> {
  const sniffed = await sniffTwice(connection, path, options, statedCount);
  return options.quote === undefined ? mayQuote(sniffed) : sniffed;
}

/** A sample without a quoted value says nothing of the rows behind it. */
function mayQuote({ columns, options }: SniffedCsv): SniffedCsv {
  if (options.quote !== '') return { columns, options };
  return { columns, options: { ...options, quote: '"', escape: options.escape || '"' } };
}

async function sniffTwice(
  connection: DuckDBConnection,
  path: string,
  options: SourceOptions,
  statedCount: number | null,
): Promise<SniffedCsv> {
  const dialect = dialectArguments(options);
  const lenient = await sniff(connection, path, [...dialect, 'ignore_errors = true']);
  const strict = await sniff(connection, path, dialect).catch(() => null);
  const isStrictRight = strict !== null && hasSameColumns(strict, lenient);
  if (isStrictRight && (isHeaded(strict) || strict.options.skip === 0)) return strict;
  if (statedCount === null || isHeaded(lenient) || lenient.columns.length === statedCount) return lenient;
  const below = await sniff(connection, path, [...dialect, 'ignore_errors = true', 'skip = 1']).catch(() => null);
  // The first row is a row as well: it is read, and met by `onBadRow`.
  return below?.columns.length === statedCount ? { ...below, options: { ...below.options, skip: 0 } } : lenient;
}

function hasSameColumns(one: SniffedCsv, other: SniffedCsv): boolean {
  const names = (sniffed: SniffedCsv) => JSON.stringify(sniffed.columns.map(({ name }) => name));
  return names(one) === names(other);
}

function isHeaded({ options }: SniffedCsv): boolean {
  return options.header === true;
}

/** The known parts of a dialect as arguments of DuckDB's csv functions. */
export function dialectArguments(options: SourceOptions): string[] {
  const text = (name: string, value: string | undefined) =>
    value === undefined ? [] : [`${name} = ${quoteLiteral(value)}`];
  return [
    ...text('delim', options.delimiter),
    ...text('quote', options.quote),
    ...text('escape', options.escape),
    ...text('nullstr', options.nullString),
    ...(options.header === undefined ? [] : [`header = ${options.header}`]),
    ...(options.skip === undefined ? [] : [`skip = ${options.skip}`]),
  ];
}

async function sniff(connection: DuckDBConnection, path: string, dialect: readonly string[]): Promise<SniffedCsv> {
  const reader = await connection.runAndReadAll(`
    SELECT Delimiter, Quote, Escape, SkipRows, HasHeader, DateFormat, TimestampFormat,
      [c.name FOR c IN Columns] AS names, [c.type FOR c IN Columns] AS types
    FROM sniff_csv(${[quoteLiteral(path), ...dialect].join(', ')})`);
  const [row] = reader.getRowObjectsJS();
  if (!row) throw new SourceProblem(`${path} cannot be read as csv`);
  const types = Array.isArray(row.types) ? row.types.map(String) : [];
  const names = Array.isArray(row.names) ? row.names.map(String) : [];
  return { columns: names.map((name, index) => ({ name, type: types[index] ?? 'VARCHAR' })), options: dialectOf(row) };
}

function dialectOf(row: Readonly<Record<string, unknown>>): SourceOptions {
  // The sniffer spells "no such character" and "no such format" in words.
  const text = (value: unknown) => (typeof value === 'string' && value !== '(empty)' ? value : '');
  const dateFormat = text(row.DateFormat);
  const timestampFormat = text(row.TimestampFormat);
  return {
    delimiter: text(row.Delimiter),
    quote: text(row.Quote),
    escape: text(row.Escape),
    skip: Number(row.SkipRows),
    header: row.HasHeader === true,
    ...(dateFormat === '' ? {} : { dateFormat }),
    ...(timestampFormat === '' ? {} : { timestampFormat }),
  };
}
