// Emulates exchanges inside one DuckDB: every input as the tasks of a stage would receive it, at several numbers of
// tasks, so that a stage's SQL can be run per task and compared with its answer over the whole inputs.
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Column } from '../../../src/model/job-graph.ts';
import { hashKeysOf } from '../../../src/plan/exchanges/arrivals.ts';
import type { PlanInput, TriedExchange } from '../../../src/plan/exchanges/stage-plan.ts';
import { describeQuery, openDatabase } from '../../../src/sql/duckdb.ts';
import { subpartitionExpression } from '../../../src/sql/exchange-hash.ts';

/**
 * Variants of the data. The first is tricky by hand: NULL keys, duplicates, keys on one side only, equal numbers in
 * different types, skew. The others are pseudo-random: a right side so small that most tasks see none of it, and many
 * rows of few keys; they show that what is refused does change answers.
 */
const variants: readonly Readonly<Record<string, string>>[] = [
  {
    t: `SELECT 3::INTEGER AS k, 'n1' AS name, 2::BIGINT AS v, 0.5::DECIMAL(10,2) AS d, 101::INTEGER AS ts UNION ALL
        SELECT CASE WHEN i % 7 = 0 THEN NULL ELSE i % 6 END::INTEGER AS k,
          CASE WHEN i % 11 = 0 THEN NULL ELSE 'n' || (i % 4) END AS name,
          (i % 5)::BIGINT AS v,
          ((i % 3) / 2.0)::DECIMAL(10,2) AS d,
          i::INTEGER AS ts
        FROM range(40) r(i) UNION ALL SELECT NULL, NULL, NULL, NULL, 100
        UNION ALL SELECT 3, 'n1', 2, 0.5, 101`,
    u: `SELECT CASE WHEN i % 5 = 0 THEN NULL ELSE i % 8 END::BIGINT AS k,
          CASE WHEN i % 6 = 0 THEN NULL ELSE 'n' || (i % 5) END AS name,
          (i % 3)::SMALLINT AS w,
          ((i % 4) / 2.0)::DECIMAL(12,4) AS d,
          (i * 3)::INTEGER AS ts
        FROM range(17) r(i) UNION ALL SELECT NULL, NULL, NULL, NULL, 7 UNION ALL SELECT 3, 'n1', 2, 0.5, 101`,
  },
  {
    t: randomTable('v', 'BIGINT', 'INTEGER', 'DECIMAL(10,2)', 25, 1),
    u: randomTable('w', 'SMALLINT', 'BIGINT', 'DECIMAL(12,4)', 3, 2),
  },
  {
    t: randomTable('v', 'BIGINT', 'INTEGER', 'DECIMAL(10,2)', 40, 3),
    u: randomTable('w', 'SMALLINT', 'BIGINT', 'DECIMAL(12,4)', 30, 4),
  },
];

export const variantCount = variants.length;

function randomTable(
  value: string,
  valueType: string,
  keyType: string,
  decimalType: string,
  rows: number,
  seed: number,
): string {
  const random = (column: number, below: number) => `(hash(i * 100 + ${seed * 10 + column}) % ${below})`;
  return `SELECT CASE WHEN ${random(0, 6)} = 0 THEN NULL ELSE ${random(1, 5)} END::${keyType} AS k,
      CASE WHEN ${random(2, 6)} = 0 THEN NULL ELSE 'n' || ${random(3, 3)} END AS name,
      ${random(4, 9)}::${valueType} AS ${value},
      (${random(5, 4)} / 2.0)::${decimalType} AS d,
      ${random(6, 200)}::INTEGER AS ts
    FROM range(${rows}) r(i)`;
}

/** Every way in which the table-driven test lets an input arrive. */
export const arrivals: readonly TriedExchange[] = [
  { exchange: 'forward', by: [] },
  { exchange: 'rebalance', by: [] },
  { exchange: 'broadcast', by: [] },
  { exchange: 'hash', by: ['k'] },
  { exchange: 'hash', by: ['name'] },
  { exchange: 'hash', by: ['k', 'name'] },
  { exchange: 'hash', by: ['d'] },
];

/** The same for each of two inputs; rescale and rebalance are to the analysis what forward is. */
export const pairedArrivals: readonly TriedExchange[] = arrivals.filter((arrival) => arrival.exchange !== 'rebalance');

export function nameOf(tried: TriedExchange): string {
  return tried.by.length === 0 ? tried.exchange : `hash(${tried.by.join(',')})`;
}

export class Emulation {
  private readonly connection: DuckDBConnection;
  readonly columns: ReadonlyMap<string, readonly Column[]>;
  private readonly made = new Set<string>();
  private readonly expectedBySql = new Map<string, string>();

  private constructor(connection: DuckDBConnection, columns: ReadonlyMap<string, readonly Column[]>) {
    this.connection = connection;
    this.columns = columns;
  }

  static async create(variant: number): Promise<Emulation> {
    const database = await openDatabase({ threads: 1, memoryLimitBytes: 2 ** 29, tempDirectory: null });
    const connection = await database.connect();
    const columns = new Map<string, Column[]>();
    for (const [name, sql] of Object.entries(variants[variant] ?? {})) {
      await connection.run(`CREATE TABLE ${name} AS SELECT *, row_number() OVER () - 1 AS place FROM (${sql})`);
      columns.set(name, await describeQuery(connection, `SELECT * EXCLUDE (place) FROM ${name}`));
    }
    return new Emulation(connection, columns);
  }

  close(): void {
    this.connection.closeSync();
  }

  input(name: string, tried: TriedExchange | null): PlanInput {
    return {
      alias: name,
      from: name,
      fromKind: 'stage',
      columns: this.columns.get(name) ?? null,
      bytes: 1000,
      keys: [],
      stated: tried?.exchange ?? null,
      by: tried?.by ?? [],
    };
  }

  /** Whether the tasks' answers together differ, as multisets, from the answer over the whole inputs. */
  async differs(
    sql: string,
    inputs: readonly string[],
    exchanges: readonly TriedExchange[],
    tasks: number,
  ): Promise<boolean> {
    const perTask: string[] = [];
    for (let task = 0; task < tasks; task += 1) perTask.push(await this.taskQuery(sql, inputs, exchanges, tasks, task));
    return (await this.digest(perTask.join(' UNION ALL '))) !== (await this.expected(sql, inputs));
  }

  /** Number of rows and sum of the rows' hashes: equal multisets have equal digests, others hardly ever. */
  private async digest(sql: string): Promise<string> {
    const reader = await this.connection.runAndReadAll(
      `SELECT count(*), sum(hash(r)::HUGEINT)::VARCHAR FROM (${sql}) r`,
    );
    return JSON.stringify(reader.getRowsJson()[0]);
  }

  private async expected(sql: string, inputs: readonly string[]): Promise<string> {
    const known = this.expectedBySql.get(sql);
    if (known !== undefined) return known;
    const whole = overTables(
      sql,
      inputs.map((name) => ({ name, table: `(SELECT * EXCLUDE (place) FROM ${name})` })),
    );
    const digest = await this.digest(whole);
    this.expectedBySql.set(sql, digest);
    return digest;
  }

  private async taskQuery(
    sql: string,
    inputs: readonly string[],
    exchanges: readonly TriedExchange[],
    tasks: number,
    task: number,
  ): Promise<string> {
    const keys = hashKeysOf(
      inputs.map((name, index) => this.input(name, exchanges[index] ?? null)),
      exchanges,
    );
    const tables = [];
    for (const [index, name] of inputs.entries()) {
      const exchange = exchanges[index]?.exchange ?? 'gather';
      const by = keys[index] ?? [];
      const total = (this.columns.get(name) ?? []).length;
      const taskOf = {
        forward: `(place * ${tasks} // (SELECT count(*) FROM ${name}))`,
        rescale: `(place * ${tasks} // (SELECT count(*) FROM ${name}))`,
        rebalance: `(place % ${tasks})`,
        hash: subpartitionExpression(by, tasks),
        broadcast: String(task),
        gather: '0',
      }[exchange];
      const table = `${name}_${exchange}_${by
        .map((key) => `${key.column}_${key.castType ?? ''}`)
        .join('_')
        .replace(/\W/g, '_')}_${tasks}_${task}_${total}`;
      if (!this.made.has(table)) {
        this.made.add(table);
        await this.connection.run(
          `CREATE TABLE ${table} AS SELECT * EXCLUDE (place) FROM ${name} WHERE ${taskOf} = ${task}`,
        );
      }
      tables.push({ name, table });
    }
    return overTables(sql, tables);
  }
}

function overTables(sql: string, tables: readonly { readonly name: string; readonly table: string }[]): string {
  const definitions = tables.map(({ name, table }) => `${name} AS (FROM ${table})`).join(', ');
  return `SELECT * FROM (WITH ${definitions} SELECT * FROM (${sql}))`;
}
