// Writes one sink's share of a task into the sink's staging folder; the JobMaster's commit gives it its final name.

import { join } from 'node:path';
import type { StagedPart } from '../../model/job-events.ts';
import type { SinkFormat, SinkSpec } from '../../model/job-graph.ts';
import { quoteLiteral } from '../../sql/duckdb.ts';
import { parquetSinkExpressions } from '../../sql/stored-types.ts';
import type { Attempt } from './attempt.ts';
import { type Relation, relationError } from './relation.ts';
import { stagedName, syncStaged } from './staged-file.ts';

const copyOptions: Readonly<Record<SinkFormat, string>> = {
  parquet: 'FORMAT parquet',
  csv: 'FORMAT csv, HEADER true',
  json: 'FORMAT json',
};

/** One part, or none where a map function yielded no rows and nobody knows its columns. */
export async function writeSink(
  attempt: Attempt,
  sink: SinkSpec,
  stagingFolder: string,
  relation: Relation,
): Promise<StagedPart[]> {
  if (!relation.hasColumns) return [];
  const file = stagedName('part', attempt.deployment, sink.format);
  try {
    const list =
      sink.format === 'parquet' ? parquetSinkExpressions(await attempt.describe(relation.sql)).join(', ') : '*';
    const path = quoteLiteral(join(stagingFolder, file));
    const rows = await attempt.run(
      `COPY (SELECT ${list} FROM (\n${relation.sql}\n)) TO ${path} (${copyOptions[sink.format]})`,
    );
    attempt.throwIfStopped();
    return [{ sink: sink.name, file, rows, bytes: await syncStaged(stagingFolder, file) }];
  } catch (error) {
    throw relationError(relation, error);
  }
}
