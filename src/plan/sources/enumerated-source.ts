// A source whose splits a user-written enumerator finds while the job runs: what can be known before is its columns, its
// bundled functions and its parallelism.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceSpec } from '../../model/job-graph.ts';
import { statedColumns } from '../column-types.ts';
import type { BundledFunction } from '../functions/bundle-functions.ts';
import type { Places } from '../job-file/places.ts';
import type { SourceEntry } from '../job-file/schema.ts';

export interface EnumeratedRequest {
  readonly connection: DuckDBConnection;
  readonly folder: string;
  readonly name: string;
  readonly entry: SourceEntry;
  readonly places: Places;
  readonly enumerator: BundledFunction;
  /** null: the source's format reads its splits. */
  readonly read: BundledFunction | null;
  /** Tasks, unless the source says how many. */
  readonly parallelism: number;
}

/** Throws JOB_FILE_INVALID for a column type that does not exist. */
export async function enumeratedSource(request: EnumeratedRequest): Promise<SourceSpec> {
  const { connection, folder, name, entry, places, enumerator, read } = request;
  const columns = await statedColumns(connection, entry.columns ?? {}, ['sources', name, 'columns'], places);
  const { delimiter, header, quote, nullString } = entry.options ?? {};
  return {
    name,
    // Without meaning where a function reads.
    format: entry.format ?? 'parquet',
    files: [],
    options: {
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(header === undefined ? {} : { header }),
      ...(quote === undefined ? {} : { quote }),
      ...(nullString === undefined ? {} : { nullString }),
    },
    onBadRow: 'fail',
    columns,
    splits: [],
    enumerator: {
      ...functionRef(enumerator),
      reader: read === null ? null : functionRef(read),
      parallelism: entry.parallelism ?? request.parallelism,
      folder,
    },
  };
}

function functionRef({ module, exportName }: BundledFunction): { module: string; exportName: string } {
  return { module: module.fileName, exportName };
}
