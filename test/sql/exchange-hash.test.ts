import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeQuery, openDatabase, quoteIdentifier, quoteLiteral } from '../../src/sql/duckdb.ts';
import { subpartitionExpression } from '../../src/sql/exchange-hash.ts';

let connection: DuckDBConnection;

beforeAll(async () => {
  connection = await (await openDatabase({ threads: 1, memoryLimitBytes: 2 ** 28, tempDirectory: null })).connect();
});
afterAll(() => connection.closeSync());

async function numbers(relation: string, expression: string): Promise<number[]> {
  const reader = await connection.runAndReadAll(`SELECT ${expression} FROM (${relation}) r`);
  return reader.getRowsJS().map((row) => Number(row[0]));
}

describe('subpartitionExpression', () => {
  it('gives 0..n-1 and uses all of them', async () => {
    const expression = subpartitionExpression([{ column: 'i', castType: null }], 5);
    const found = await numbers('SELECT i FROM range(1000) t(i)', expression);
    expect([...new Set(found)].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([
    ['1::INTEGER', '1::BIGINT', 'BIGINT'],
    ['1.50::DECIMAL(4,2)', '1.5000::DECIMAL(30,4)', 'DECIMAL(32,4)'],
    ['(-0.0)::DOUBLE', '0::FLOAT', 'DOUBLE'],
    ["'nan'::DOUBLE", "'-nan'::DOUBLE", null],
    ['NULL::INTEGER', 'NULL::BIGINT', 'BIGINT'],
    ["DATE '2020-01-01'", "TIMESTAMP '2020-01-01 00:00:00'", 'TIMESTAMP'],
    ["INTERVAL '1 month'", "INTERVAL '30 days'", null],
    ['[(-0.0)::DOUBLE]', '[0.0::DOUBLE]', null],
    ["'a'::ENUM('a', 'b')", "'a'::ENUM('b', 'a')", 'VARCHAR'],
  ])('puts the equal values %s and %s together', async (left, right, castType) => {
    const expression = subpartitionExpression([{ column: 'k', castType }], 1009);
    const [a] = await numbers(`SELECT ${left} AS k`, expression);
    expect(await numbers(`SELECT ${right} AS k`, expression)).toEqual([a]);
  });

  it('depends on the order of several keys, and on a row alias only in spelling', async () => {
    const keys = [
      { column: 'a', castType: null },
      { column: 'odd "name"', castType: null },
    ];
    const relation = 'SELECT 1 AS a, 2 AS "odd ""name"""';
    const plain = await numbers(relation, subpartitionExpression(keys, 1009));
    expect(await numbers(relation, subpartitionExpression(keys, 1009, 'r'))).toEqual(plain);
    expect(await numbers(relation, subpartitionExpression([...keys].reverse(), 1009))).not.toEqual(plain);
  });

  it('is 0 without keys and for one subpartition', async () => {
    expect(await numbers('SELECT 1 AS i', subpartitionExpression([], 7))).toEqual([0]);
    expect(await numbers('SELECT 1 AS i', subpartitionExpression([{ column: 'i', castType: null }], 1))).toEqual([0]);
  });
});

describe('duckdb', () => {
  it('describes exact types', async () => {
    const sql = "SELECT 1::HUGEINT AS h, 1::DECIMAL(38,9) AS d, [{'a': 1::UTINYINT}] AS nested";
    expect(await describeQuery(connection, sql)).toEqual([
      { name: 'h', type: 'HUGEINT' },
      { name: 'd', type: 'DECIMAL(38,9)' },
      { name: 'nested', type: 'STRUCT(a UTINYINT)[]' },
    ]);
  });

  it('quotes', async () => {
    const reader = await connection.runAndReadAll(`SELECT ${quoteLiteral("it's")} AS ${quoteIdentifier('a "b"')}`);
    expect(reader.getRowObjectsJson()).toEqual([{ 'a "b"': "it's" }]);
  });

  it('says at once when a query needs an extension', async () => {
    await expect(connection.run("SELECT * FROM 's3://bucket/x.parquet'")).rejects.toThrow(/httpfs/);
  });
});
