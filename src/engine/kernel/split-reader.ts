// Reads one split after the other into one table: by the source's reader function, or as a file of the source's format.
// Invariant: the table's columns are exactly the source's, whatever the splits are.
import { invariant, messageOf } from '../../model/errors.ts';
import type { EnumeratorSpec, FoundSplit, SourceSpec } from '../../model/job-graph.ts';
import { sourceHeaderSql, sourceScanSql } from '../../sql/source-scan.ts';
import type { Attempt } from './attempt.ts';
import { rowMessageIn } from './bad-rows.ts';
import { loadReader } from './load-function.ts';
import { MapTable } from './map-table.ts';
import { checkSourceFiles } from './source-files.ts';
import { TaskError } from './task-error.ts';
import { TaskTable } from './task-table.ts';
import { collectRows, taskOf } from './yielded-rows.ts';

export interface SplitReader {
  /** Adds the split's rows to the table. Throws a TaskError. */
  read(split: FoundSplit): Promise<void>;
  finish(): Promise<{ readonly table: string; readonly rows: number }>;
}

export async function openSplitReader(attempt: Attempt, source: SourceSpec): Promise<SplitReader> {
  const reader = source.enumerator?.reader ?? null;
  return reader === null ? fileReader(attempt, source) : functionReader(attempt, source, reader);
}

async function functionReader(
  attempt: Attempt,
  source: SourceSpec,
  reader: NonNullable<EnumeratorSpec['reader']>,
): Promise<SplitReader> {
  const owner = `source ${source.name}`;
  const { exportName } = reader;
  const readRows = await loadReader(attempt.deployment.functionsFolder, owner, reader);
  const table = await MapTable.open(attempt, { owner, columns: source.columns }, new Map());
  return {
    read: async ({ id, file, rows, data }) => {
      const split = { id, path: file?.path ?? null, rows, data: data === null ? null : JSON.parse(data) };
      const call = () => readRows(split, taskOf(attempt));
      await collectRows(attempt, table, { owner: `${owner}, split ${id}`, exportName, call });
    },
    finish: async () => {
      const name = await table.finish();
      invariant(name, 'a table whose columns are declared has them');
      return { table: name, rows: table.rowCount };
    },
  };
}

async function fileReader(attempt: Attempt, source: SourceSpec): Promise<SplitReader> {
  const table = await TaskTable.create(attempt, source.columns);
  table.finish();
  let rows = 0;
  return {
    read: async (split) => {
      rows += await insertSplit(attempt, source, split, table.qualifiedName);
    },
    finish: async () => ({ table: table.qualifiedName, rows }),
  };
}

async function insertSplit(attempt: Attempt, source: SourceSpec, split: FoundSplit, table: string): Promise<number> {
  const { id, file, rows } = split;
  invariant(file, `split ${id} of source ${source.name} is a file`);
  const single: SourceSpec = { ...source, files: [file], splits: [{ file: 0, rows, bytes: file.bytes }] };
  try {
    await checkHeader(attempt, single, file.path);
    return await attempt.run(`INSERT INTO ${table} ${sourceScanSql(single, [0])}`);
  } catch (error) {
    attempt.throwIfStopped();
    // A file that changed or went while it was read is the cause of whatever else went wrong.
    await checkSourceFiles(source, [file]);
    if (error instanceof TaskError) throw error;
    const message = await rowMessageIn(attempt, single, [0], error).catch(() => null);
    throw new TaskError('task', message ?? `source ${source.name}, split ${id}: ${messageOf(error)}`, { cause: error });
  }
}

/** csv files are read by place: one with other columns in its header would be read wrongly, without a word. */
async function checkHeader(attempt: Attempt, single: SourceSpec, path: string): Promise<void> {
  const sql = sourceHeaderSql(single);
  if (sql === null) return;
  const [header = []] = await attempt.rows(sql);
  const expected = single.columns.map(({ name }) => name);
  const found = header.map((name) => String(name ?? ''));
  if (expected.every((name, index) => name.toLowerCase() === (found[index] ?? '').toLowerCase())) return;
  const message = `source ${single.name}: the header of ${path} is ${found.join(', ')}; its columns are ${expected.join(', ')}`;
  throw new TaskError('task', message);
}
