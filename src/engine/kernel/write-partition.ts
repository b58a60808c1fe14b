// Writes one data set's share of a task: rows with their stored types, sorted by subpartition, in one Parquet file that
// becomes a whole partition at once. The row order inside a subpartition is not kept where there are several.
import type { ProducedPartition } from '../../model/job-events.ts';
import type { Column, DataSet } from '../../model/job-graph.ts';
import { quoteIdentifier, quoteLiteral } from '../../sql/duckdb.ts';
import { subpartitionExpression } from '../../sql/exchange-hash.ts';
import { escapedPath } from '../../sql/source-scan.ts';
import { writeExpressions } from '../../sql/stored-types.ts';
import type { PartitionName } from '../partition-store/partition-path.ts';
import { discardPartition, preparePartition, publishPartition } from '../partition-store/partition-writer.ts';
import type { PartitionDescription } from '../partition-store/sidecar.ts';
import { subpartitionColumn } from '../partition-store/subpartition-column.ts';
import type { Attempt } from './attempt.ts';
import { type Relation, relationError } from './relation.ts';
import { TaskError } from './task-error.ts';

// Measured: as small as snappy, and faster to write; writing is what an exchange costs.
const parquetOptions = 'FORMAT parquet, COMPRESSION lz4_raw';

interface Written {
  readonly rows: number;
  readonly subpartitionRows: readonly number[];
  readonly columns: PartitionDescription['columns'];
}

export async function writePartition(
  attempt: Attempt,
  dataset: DataSet,
  relation: Relation,
): Promise<ProducedPartition> {
  const { jobId, epoch, execution } = attempt.deployment;
  const { workerFolder } = attempt.environment;
  const name = { datasetId: dataset.id, partitionIndex: execution.subtask, attempt: execution.attempt, epoch };
  try {
    const written = await writeData(attempt, dataset, relation, await preparePartition(workerFolder, name));
    attempt.throwIfStopped();
    return produced(await publishPartition(workerFolder, { ...name, ...written, jobId }));
  } catch (error) {
    await discard(workerFolder, name);
    throw relationError(relation, error);
  }
}

async function writeData(attempt: Attempt, dataset: DataSet, relation: Relation, path: string): Promise<Written> {
  const columns = relation.hasColumns ? outputColumns(dataset, await attempt.describe(relation.sql)) : [];
  const helper = quoteIdentifier(subpartitionColumn(columns));
  const rows = await attempt.run(copySql(attempt, dataset, relation, columns, helper, path));
  const subpartitionRows =
    dataset.subpartitions === 1 ? [rows] : await countSubpartitions(attempt, path, helper, dataset.subpartitions);
  return { rows, subpartitionRows, columns: relation.hasColumns ? columns : null };
}

function outputColumns(dataset: DataSet, all: readonly Column[]): Column[] {
  if (dataset.columns === null) return [...all];
  return dataset.columns.map((wanted) => {
    const column = all.find(({ name }) => name === wanted);
    if (column === undefined) throw new TaskError('task', `there is no column ${wanted} to hand on`);
    return column;
  });
}

function copySql(
  attempt: Attempt,
  dataset: DataSet,
  relation: Relation,
  columns: readonly Column[],
  helper: string,
  path: string,
): string {
  const withHelper = dataset.subpartitions > 1 || columns.length === 0;
  const subpartition = relation.hasColumns
    ? rowSubpartition(dataset, attempt.deployment.execution.subtask)
    : '0::INTEGER';
  const list = [...writeExpressions(columns), ...(withHelper ? [`${subpartition} AS ${helper}`] : [])].join(', ');
  const order = dataset.subpartitions > 1 ? ` ORDER BY ${helper}` : '';
  return `COPY (SELECT ${list} FROM (\n${relation.sql}\n) AS "row"${order}) TO ${quoteLiteral(path)} (${parquetOptions})`;
}

function rowSubpartition(dataset: DataSet, subtask: number): string {
  const { exchange, by, subpartitions } = dataset;
  if (exchange === 'hash') return subpartitionExpression(by, subpartitions, 'row');
  if (subpartitions === 1) return '0::INTEGER';
  // Round robin; tasks start at different places, so that few rows each do not all go to the first consumer.
  return `((row_number() OVER () + ${subtask}) % ${subpartitions})::INTEGER`;
}

async function countSubpartitions(
  attempt: Attempt,
  path: string,
  helper: string,
  subpartitions: number,
): Promise<number[]> {
  const counts = new Array<number>(subpartitions).fill(0);
  const rows = await attempt.rows(`SELECT ${helper}, count(*) FROM read_parquet(${escapedPath(path)}) GROUP BY 1`);
  for (const [subpartition, count] of rows) counts[Number(subpartition)] = Number(count);
  return counts;
}

async function discard(workerFolder: string, name: PartitionName): Promise<void> {
  // The failure that brought us here is what matters; a temporary file that stays is removed with the folder.
  await discardPartition(workerFolder, name).catch(() => {});
}

function produced({
  datasetId,
  partitionIndex,
  bytes,
  rows,
  subpartitionRows,
}: PartitionDescription): ProducedPartition {
  return { datasetId, partitionIndex, bytes, rows, subpartitionRows };
}
