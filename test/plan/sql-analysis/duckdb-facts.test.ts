// What the analysis takes for granted about DuckDB, asked of the DuckDB that is installed: a new version that brings an
// aggregate function or compares types differently fails here.
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregateFunctions } from '../../../src/plan/sql-analysis/aggregate-functions.ts';
import { commonHashType, hashAgrees } from '../../../src/plan/sql-analysis/hash-type.ts';
import { openDatabase } from '../../../src/sql/duckdb.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null })).connect();
});
afterAll(() => connection.closeSync());

async function rows(sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRowsJson();
}

describe('aggregate functions', () => {
  it('are all listed', async () => {
    const known = await rows("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'aggregate'");
    const missing = known.map(([name]) => String(name)).filter((name) => !aggregateFunctions.has(name));
    expect(missing).toEqual([]);
  });

  it('include the macros that call one', async () => {
    const macros = await rows(`
      SELECT DISTINCT function_name, macro_definition FROM duckdb_functions() WHERE function_type = 'macro'`);
    const calls = (definition: string) => [...definition.matchAll(/\b(\w+)\(/g)].map((match) => match[1] ?? '');
    const missing = macros
      .filter(([, definition]) => calls(String(definition)).some((name) => aggregateFunctions.has(name)))
      .map(([name]) => String(name))
      .filter((name) => !aggregateFunctions.has(name));
    expect(missing).toEqual([]);
  });
});

const types = [
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'DECIMAL(4,1)',
  'DECIMAL(10,2)',
  'DECIMAL(18,6)',
  'FLOAT',
  'DOUBLE',
  'DATE',
  'TIMESTAMP',
  'VARCHAR',
  "ENUM('1', '2')",
  "ENUM('2', '1')",
  'BOOLEAN',
  'TIMESTAMP WITH TIME ZONE',
  'UUID',
  'BLOB',
];

/** Values that meet across types, and values that only some types tell apart. */
const literals = [
  '1',
  '2',
  '0',
  '-1',
  '1.5',
  '100',
  '16777216',
  '16777217',
  '9007199254740993',
  '9007199254740992',
  '2020-01-01',
  '2020-01-01 00:00:00',
  '2020-01-01 12:00:00',
  'true',
];

async function valuesOf(type: string): Promise<string[]> {
  const found = await rows(
    `SELECT v FROM (SELECT unnest(${JSON.stringify(literals).replaceAll('"', "'")}) AS v) WHERE TRY_CAST(v AS ${type}) IS NOT NULL`,
  );
  return found.map(([value]) => String(value));
}

describe('hash types', () => {
  const pairs = types.flatMap((a) => types.map((b) => [a, b] as const));

  it.each(pairs.filter(([a, b]) => commonHashType(a, b) !== null))(
    'equal values of %s and %s hash alike',
    async (a, b) => {
      const common = commonHashType(a, b);
      expect(commonHashType(b, a)).toBe(common);
      expect(hashAgrees(a, b, common)).toBe(true);
      const left = await valuesOf(a);
      const right = await valuesOf(b);
      const list = (values: readonly string[]) => `[${values.map((value) => `'${value}'`).join(', ')}]`;
      const apart = await rows(`
      SELECT l::VARCHAR, r::VARCHAR
      FROM (SELECT unnest(${list(left)})::${a} AS l), (SELECT unnest(${list(right)})::${b} AS r)
      WHERE l = r AND hash(TRY_CAST(l AS ${common})) <> hash(TRY_CAST(r AS ${common}))`);
      expect(apart).toEqual([]);
    },
  );

  it('has no common type where values of unlike kinds would be compared', () => {
    for (const [a, b] of [
      ['VARCHAR', 'INTEGER'],
      ['DATE', 'VARCHAR'],
      ['BOOLEAN', 'INTEGER'],
      ['TIMESTAMP', 'TIMESTAMP WITH TIME ZONE'],
      ['UUID', 'VARCHAR'],
    ] as const) {
      expect(commonHashType(a, b)).toBeNull();
    }
  });

  it('does not let a wider floating type stand for a narrower comparison', () => {
    // 16777217 = 16777216::FLOAT in DuckDB, because FLOAT is compared; as DOUBLE they differ.
    expect(hashAgrees('INTEGER', 'FLOAT', 'FLOAT')).toBe(true);
    expect(hashAgrees('INTEGER', 'FLOAT', 'DOUBLE')).toBe(false);
    expect(hashAgrees('INTEGER', 'BIGINT', 'HUGEINT')).toBe(true);
    expect(hashAgrees('INTEGER', null, 'INTEGER')).toBe(false);
  });
});
