// The job's answer, read from the files that its sink committed, and DuckDB's own answer to the one query that the job
// computes in pieces; compared row by row.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '../../src/sql/duckdb.ts';
import { checkout } from './job-run.ts';

export interface Answer {
  readonly columns: readonly string[];
  /** By state; every value as text. */
  readonly rows: readonly (readonly string[])[];
}

export interface Answers {
  readonly job: Answer;
  readonly duckdb: Answer;
  /** Rows of one answer that the other does not have, as text. */
  readonly differences: readonly string[];
}

export async function readAnswers(sinkFolder: string): Promise<Answers> {
  // The query's paths are relative to the checkout.
  process.chdir(checkout);
  const query = await readFile(join(checkout, 'examples/flights/one-query.sql'), 'utf8');
  const instance = await openDatabase({ threads: 2, memoryLimitBytes: null, tempDirectory: null });
  const connection = await instance.connect();
  const answer = async (sql: string): Promise<Answer> => {
    const reader = await connection.runAndReadAll(`SELECT * FROM (${sql}) ORDER BY state`);
    return { columns: reader.columnNames(), rows: reader.getRows().map((row) => row.map(String)) };
  };
  const job = await answer(`SELECT * FROM '${join(sinkFolder, '*.parquet').replaceAll("'", "''")}'`);
  const duckdb = await answer(query);
  connection.closeSync();
  instance.closeSync();
  return { job, duckdb, differences: differencesOf(job, duckdb) };
}

function differencesOf(job: Answer, duckdb: Answer): string[] {
  const differences: string[] = [];
  for (let index = 0; index < Math.max(job.rows.length, duckdb.rows.length); index++) {
    const [mine, theirs] = [job.rows[index], duckdb.rows[index]].map((row) => row?.join(', ') ?? '(no row)');
    if (mine !== theirs) differences.push(`row ${index}: the job has ${mine}, DuckDB has ${theirs}`);
  }
  return differences;
}
