// A data set as a relation: the partitions' files, the consumer's subpartitions of them, exact types, no helper column.
// Each partition is checked to be whole and the expected one before anything is read from it (invariant 7).
import { formatPartitionId } from '../../model/ids.ts';
import type { Column } from '../../model/job-graph.ts';
import { quoteIdentifier } from '../../sql/duckdb.ts';
import { escapedPath } from '../../sql/source-scan.ts';
import { readExpressions } from '../../sql/stored-types.ts';
import { PartitionVerifier } from '../partition-store/partition-verifier.ts';
import type { PartitionDescription } from '../partition-store/sidecar.ts';
import { subpartitionColumn } from '../partition-store/subpartition-column.ts';
import type { PartitionLocation, TaskInput } from '../protocol/messages.ts';
import type { Attempt } from './attempt.ts';
import { TaskError } from './task-error.ts';
import type { TaskInputRelation } from './task-input.ts';

type DatasetInput = Extract<TaskInput, { kind: 'dataset' }>;
type Described = PartitionDescription & { readonly columns: Column[] };
type Range = readonly [number, number];

interface Partition {
  readonly location: PartitionLocation;
  readonly description: PartitionDescription;
}

/** Throws a TaskError of kind `partition` for the first partition that is not whole. */
export async function datasetInput(attempt: Attempt, input: DatasetInput): Promise<TaskInputRelation> {
  const verifier = attempt.environment.verifier ?? new PartitionVerifier();
  const partitions = await verifyAll(verifier, input.partitions);
  const described = partitions.filter(hasColumns);
  const amount = amountOf(partitions, input.subpartitions);
  const relation = { ...amount, isScan: true, stages: [], badRows: 0, parts: [] };
  const recheck = async () => void (await verifyAll(verifier, input.partitions));
  if (described.length === 0) return { ...relation, sql: 'SELECT 0 WHERE false', hasColumns: false, recheck };
  return { ...relation, sql: scanSql(described, input.subpartitions), hasColumns: true, recheck };
}

async function verifyAll(verifier: PartitionVerifier, locations: readonly PartitionLocation[]): Promise<Partition[]> {
  const partitions: Partition[] = [];
  for (const location of locations) {
    const description = await verifier.verify(location);
    if (description === null) {
      const message = `partition ${formatPartitionId(location)} is missing or damaged: ${location.path}`;
      throw new TaskError('partition', message, { partition: location });
    }
    partitions.push({ location, description });
  }
  return partitions;
}

function hasColumns(partition: Partition): partition is Partition & { readonly description: Described } {
  return partition.description.columns !== null;
}

function amountOf(partitions: readonly Partition[], range: Range): { recordsIn: number; bytesIn: number } {
  let recordsIn = 0;
  let bytesIn = 0;
  for (const { description } of partitions) {
    const rows = rowsIn(description, range);
    recordsIn += rows;
    bytesIn += description.rows === 0 ? 0 : Math.round((description.bytes * rows) / description.rows);
  }
  return { recordsIn, bytesIn };
}

function rowsIn(description: PartitionDescription, [first, last]: Range): number {
  return description.subpartitionRows.slice(first, last + 1).reduce((sum, rows) => sum + rows, 0);
}

function scanSql(partitions: readonly (Partition & { description: Described })[], range: Range): string {
  const columns = commonColumns(partitions.map(({ description }) => description));
  // Files without rows for this task are left out; one is kept for the types.
  const filled = partitions.filter(({ description }) => rowsIn(description, range) > 0);
  const read = filled.length === 0 ? partitions.slice(0, 1) : filled;
  const uniform = read.every(({ description }) => description.columns.length === columns.length);
  const files = read.map(({ location }) => escapedPath(location.path)).join(', ');
  const options = uniform ? '' : ', union_by_name = true';
  const helper = quoteIdentifier(subpartitionColumn(columns));
  const list = columns.length === 0 ? helper : readExpressions(columns).join(', ');
  const missing = uniform || filled.length > 0 ? '' : nullColumns(columns, read[0]?.description.columns ?? []);
  const from = `read_parquet([${files}], hive_partitioning = false${options})`;
  return `SELECT ${list} FROM ${missing === '' ? from : `(SELECT *${missing} FROM ${from})`}${filter(read, range, helper, filled.length)}`;
}

/** NULLs for columns that the one file that is read for its types does not have. */
function nullColumns(all: readonly Column[], present: readonly Column[]): string {
  const names = new Set(present.map(({ name }) => name));
  const absent = all.filter(({ name }) => !names.has(name));
  return absent.map(({ name, type }) => `, NULL::${type} AS ${quoteIdentifier(name)}`).join('');
}

function filter(read: readonly Partition[], [first, last]: Range, helper: string, filled: number): string {
  if (filled === 0) return ' WHERE false';
  const subpartitions = read[0]?.description.subpartitionRows.length ?? 1;
  return first === 0 && last >= subpartitions - 1 ? '' : ` WHERE ${helper} BETWEEN ${first} AND ${last}`;
}

/**
 * The columns of all partitions. They differ only where a map function that declares none gave different rows in its
 * tasks: a missing column is NULL, but a column of two types has no meaning that all tasks share.
 */
function commonColumns(descriptions: readonly Described[]): Column[] {
  const columns = new Map<string, Column>();
  for (const { columns: own } of descriptions) {
    for (const column of own) {
      const known = columns.get(column.name);
      if (known !== undefined && known.type !== column.type) {
        throw new TaskError(
          'task',
          `column ${column.name} is ${known.type} in some tasks of its producer and ${column.type} in others: give the map stage that makes it 'columns'`,
        );
      }
      columns.set(column.name, known ?? column);
    }
  }
  return [...columns.values()];
}
