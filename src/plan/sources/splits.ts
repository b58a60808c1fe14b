// How a source is divided: by file, and Parquet files by runs of row groups. Invariant: the splits cover every row of
// every file exactly once.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { SourceFile, Split } from '../../model/job-graph.ts';
import { pathListLiteral } from '../../sql/source-scan.ts';

/**
 * Least compressed bytes of a split. A task costs some milliseconds to deploy and a scan some to open its file, while
 * DuckDB reads a MiB of Parquet in about ten: smaller splits would cost more than they divide.
 */
export const splitBytesMin = 2 ** 20;

/** Most splits of a source by row groups: beyond, splits grow. More tasks than this only cost the JobMaster. */
export const splitsMax = 256;

export interface RowGroup {
  readonly rows: number;
  readonly bytes: number;
}

/** One split a file (formats that cannot be cut). */
export function splitsByFile(files: readonly SourceFile[]): Split[] {
  return files.map((file, index) => ({ file: index, rows: null, bytes: file.bytes }));
}

/** Splits by runs of row groups of about equal size. */
export function splitsByRowGroup(files: readonly SourceFile[], rowGroups: readonly (readonly RowGroup[])[]): Split[] {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const target = Math.max(splitBytesMin, Math.ceil(total / splitsMax));
  return files.flatMap((file, index) => splitsOfFile(index, file, rowGroups[index] ?? [], target));
}

function splitsOfFile(index: number, file: SourceFile, groups: readonly RowGroup[], target: number): Split[] {
  const runs: { from: number; to: number; bytes: number }[] = [];
  let rows = 0;
  for (const group of groups) {
    const last = runs.at(-1);
    if (last && last.bytes < target) {
      last.to += group.rows;
      last.bytes += group.bytes;
    } else {
      runs.push({ from: rows, to: rows + group.rows, bytes: group.bytes });
    }
    rows += group.rows;
  }
  if (runs.length <= 1) return [{ file: index, rows: null, bytes: file.bytes }];
  return runs.map(({ from, to, bytes }) => ({ file: index, rows: [from, to] as const, bytes }));
}

/** The row groups of each file, in file order. Throws DuckDB's error for a file that is no Parquet file. */
export async function readRowGroups(connection: DuckDBConnection, files: readonly SourceFile[]): Promise<RowGroup[][]> {
  const reader = await connection.runAndReadAll(`
    SELECT file_name, any_value(row_group_num_rows) AS row_count, sum(total_compressed_size) AS byte_count
    FROM parquet_metadata(${pathListLiteral(files.map((file) => file.path))})
    GROUP BY file_name, row_group_id ORDER BY file_name, row_group_id`);
  const byFile = new Map<string, RowGroup[]>();
  for (const [name, rows, bytes] of reader.getRowsJS()) {
    const groups = byFile.get(String(name)) ?? [];
    byFile.set(String(name), [...groups, { rows: Number(rows), bytes: Number(bytes) }]);
  }
  return files.map((file) => byFile.get(file.path) ?? []);
}
