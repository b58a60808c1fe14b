// From the sources of a job file to SourceSpecs: files, format, columns, splits, all as they are now. Whatever is wrong
// with a source is found here, before anything starts, and named with its place in the job file.
import type { DuckDBConnection } from '@duckdb/node-api';
import { JobrecError, messageOf } from '../../model/errors.ts';
import type { Column, SourceFile, SourceFormat, SourceOptions, SourceSpec } from '../../model/job-graph.ts';
import { statedColumns } from '../column-types.ts';
import type { Places } from '../job-file/places.ts';
import type { SourceEntry } from '../job-file/schema.ts';
import { sqlErrorOf } from '../sql-analysis/parse-select.ts';
import { findFiles, SourceProblem } from './find-files.ts';
import { csvColumns, jsonColumns, parquetColumns, type SourceColumns } from './source-columns.ts';
import { readRowGroups, splitsByFile, splitsByRowGroup } from './splits.ts';

interface SourceRequest {
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly name: string;
  readonly entry: SourceEntry;
  readonly places: Places;
}

/** The specification of one source. Throws SOURCE_UNREADABLE or JOB_FILE_INVALID. */
export async function resolveSource(request: SourceRequest): Promise<SourceSpec> {
  const { connection, folder, name, entry } = request;
  const files = await reading(request, () => findFiles(connection, folder, [entry.path ?? []].flat()));
  const format = entry.format ?? formatOf(files, request);
  checkOptions(format, request);
  const stated = await statedOf(request);
  const { columns, options } = await reading(request, () => columnsOf(request, format, files, stated));
  const splits = await reading(request, async () =>
    format === 'parquet' ? splitsByRowGroup(files, await readRowGroups(connection, files)) : splitsByFile(files),
  );
  return { name, format, files, options, onBadRow: entry.onBadRow ?? 'fail', columns, splits };
}

/** Runs a step that reads files; whatever fails there is the source's fault. */
async function reading<T>(request: SourceRequest, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof JobrecError) throw error;
    const message = error instanceof SourceProblem ? error.message : sqlErrorOf(error, 0).message;
    const hint = error instanceof SourceProblem ? error.hint : null;
    throw request.places.error(
      'SOURCE_UNREADABLE',
      ['sources', request.name, 'path'],
      `source ${request.name}: ${messageOf(message)}`,
      { cause: error, data: { source: request.name }, ...(hint === null ? {} : { hint }) },
    );
  }
}

const formatsByExtension: readonly (readonly [RegExp, SourceFormat])[] = [
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(csv|tsv)(\.(gz|zst))?$/i, 'csv'],
  [/\.(json|ndjson|jsonl)(\.(gz|zst))?$/i, 'json'],
];

function formatOf(files: readonly SourceFile[], request: SourceRequest): SourceFormat {
  const path = files[0]?.path ?? '';
  const found = formatsByExtension.find(([pattern]) => pattern.test(path))?.[1];
  if (found) return found;
  const message = `cannot tell the format of source ${request.name} from ${path}: state format: parquet, csv or json`;
  throw request.places.error('JOB_FILE_INVALID', ['sources', request.name, 'path'], message);
}

function checkOptions(format: SourceFormat, { name, entry, places }: SourceRequest): void {
  const given = Object.keys(entry.options ?? {});
  const wrong = given.find((option) => format === 'parquet' || (format === 'json' && option !== 'columns'));
  if (wrong !== undefined) {
    const path = ['sources', name, 'options', wrong];
    throw places.error('JOB_FILE_INVALID', path, `option ${wrong} does not apply to ${format} files`, { atKey: true });
  }
  if (format === 'parquet' && entry.onBadRow !== undefined && entry.onBadRow !== 'fail') {
    const message = 'onBadRow does not apply to parquet files: their rows have types already';
    throw places.error('JOB_FILE_INVALID', ['sources', name, 'onBadRow'], message);
  }
}

async function statedOf({ connection, name, entry, places }: SourceRequest): Promise<Column[] | null> {
  const stated = entry.options?.columns;
  return stated ? statedColumns(connection, stated, ['sources', name, 'options', 'columns'], places) : null;
}

async function columnsOf(
  request: SourceRequest,
  format: SourceFormat,
  files: readonly SourceFile[],
  stated: readonly Column[] | null,
): Promise<SourceColumns> {
  const { connection, entry } = request;
  const options = optionsOf(entry);
  switch (format) {
    case 'parquet':
      return { columns: await parquetColumns(connection, files), options };
    case 'csv':
      return csvColumns(connection, files, options, stated);
    case 'json':
      return { columns: stated ?? (await jsonColumns(connection, files)), options };
  }
}

function optionsOf({ options }: SourceEntry): SourceOptions {
  return {
    ...(options?.delimiter === undefined ? {} : { delimiter: options.delimiter }),
    ...(options?.header === undefined ? {} : { header: options.header }),
    ...(options?.quote === undefined ? {} : { quote: options.quote }),
    ...(options?.nullString === undefined ? {} : { nullString: options.nullString }),
    ...(options?.columns === undefined ? {} : { columns: options.columns }),
  };
}
