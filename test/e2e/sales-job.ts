// The job of the end-to-end tests: small, but with every part that recovery can touch: two sources (one broadcast),
// a chain, a combine step, two hash exchanges, a TypeScript map that takes its time, and a sink. `pauseMs` makes each
// task of the map stage last, so that a kill finds something running.
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';

export interface SalesJob {
  readonly folder: string;
  readonly jobFile: string;
  readonly home: string;
  readonly output: string;
  /** The answer of DuckDB's own single query, as sorted JSON rows. */
  readonly expected: readonly string[];
}

const rowCount = 60_000;
const files = 6;

export async function createSalesJob(
  options: { readonly pauseMs?: number; readonly mode?: string; readonly shuffle?: 'service' } = {},
): Promise<SalesJob> {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-e2e-'));
  await mkdir(join(folder, 'data'));
  await writeData(folder);
  const jobFile = join(folder, 'job.yaml');
  await writeFile(jobFile, jobText(options));
  await writeFile(join(folder, 'slow.ts'), slowFunction(options.pauseMs ?? 20));
  const output = join(folder, 'out');
  return { folder, jobFile, home: join(folder, 'home'), output, expected: await rowsOf(wholeQuery(folder)) };
}

/** The rows that the sink holds, as sorted JSON rows. */
export async function outputRows(job: SalesJob): Promise<string[]> {
  const parts = (await readdir(job.output)).filter((name) => name.startsWith('part-'));
  if (parts.length === 0) return [];
  return rowsOf(`SELECT * FROM read_parquet(${quoteLiteral(join(job.output, 'part-*.parquet'))})`);
}

async function writeData(folder: string): Promise<void> {
  await query(
    `CREATE TABLE sales AS SELECT i AS id, (hash(i) % 97)::INTEGER AS shop, (hash(i, 7) % 1000)::DECIMAL(9,2) AS amount,
    CASE WHEN i % 11 = 0 THEN NULL ELSE 'p' || (hash(i, 3) % 400) END AS product FROM range(${rowCount}) t(i)`,
    ...Array.from(
      { length: files },
      (_, file) =>
        `COPY (SELECT * FROM sales WHERE id % ${files} = ${file}) TO ${quoteLiteral(join(folder, `data/sales-${file}.parquet`))} (FORMAT parquet)`,
    ),
    `COPY (SELECT i AS shop, 'region ' || (i % 5) AS region FROM range(90) t(i)) TO ${quoteLiteral(join(folder, 'data/shops.csv'))} (FORMAT csv, HEADER)`,
  );
}

function jobText({ mode, shuffle }: { readonly mode?: string; readonly shuffle?: string }): string {
  return `name: sales
${shuffle === undefined ? '' : `shuffle: ${shuffle}\n`}sources:
  sales: { path: "data/sales-*.parquet" }
  shops: { path: data/shops.csv }
stages:
  known:
    inputs: { s: sales }
    sql: SELECT id, shop, amount, product FROM s WHERE product IS NOT NULL
  located:
    inputs: { k: known, p: { from: shops, exchange: broadcast } }
    sql: SELECT k.id, p.region, k.amount, k.product FROM k LEFT JOIN p ON k.shop = p.shop
  slow:
    inputs: { l: located }
    map: ./slow.ts#slow
    columns: { region: VARCHAR, product: VARCHAR, amount: "DECIMAL(9,2)" }
  products:
    inputs: { l: { from: slow, exchange: hash, by: [region, product] } }
    sql: SELECT region, product, count(*) AS n, sum(amount) AS total FROM l GROUP BY region, product
    parallelism: 4
  slow-again:
    inputs: { p: products }
    map: ./slow.ts#again
    columns: { region: VARCHAR, product: VARCHAR, n: BIGINT, total: "DECIMAL(38,2)" }
  best:
    inputs: { p: { from: slow-again, exchange: hash, by: [region] } }
    sql: >-
      SELECT region, product, n, total FROM p
      QUALIFY row_number() OVER (PARTITION BY region ORDER BY total DESC, product) <= 20
    parallelism: 3
sinks:
  out: { input: best, path: out/, format: parquet${mode === undefined ? '' : `, mode: ${mode}`} }
`;
}

function slowFunction(pauseMs: number): string {
  return `const pause = () => new Promise<void>((resolve) => setTimeout(resolve, ${pauseMs}));
type Row = { region: string | null; product: string; amount: unknown };
export async function* slow(rows: AsyncIterable<Row>) {
  await pause();
  for await (const { region, product, amount } of rows) yield { region, product, amount };
}
export async function* again(rows: AsyncIterable<object>) {
  await pause();
  for await (const row of rows) yield row;
}
`;
}

function wholeQuery(folder: string): string {
  const sales = quoteLiteral(join(folder, 'data/sales-*.parquet'));
  const shops = quoteLiteral(join(folder, 'data/shops.csv'));
  return `SELECT region, product, n, total FROM (
    SELECT region, product, count(*) AS n, sum(amount) AS total
    FROM read_parquet(${sales}) s LEFT JOIN read_csv(${shops}) p ON s.shop = p.shop
    WHERE product IS NOT NULL GROUP BY region, product)
    QUALIFY row_number() OVER (PARTITION BY region ORDER BY total DESC, product) <= 20`;
}

async function query(...statements: string[]): Promise<void> {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  for (const statement of statements) await connection.run(statement);
  connection.closeSync();
  database.closeSync();
}

async function rowsOf(sql: string): Promise<string[]> {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  const reader = await connection.runAndReadAll(sql);
  const rows = reader
    .getRowObjectsJson()
    .map((row) => JSON.stringify(row))
    .sort();
  connection.closeSync();
  database.closeSync();
  return rows;
}
