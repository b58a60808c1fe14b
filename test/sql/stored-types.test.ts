// Every DuckDB type through a real Parquet file and back: the same type, the same value, extreme values included.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import { describeQuery, openDatabase } from '../../src/sql/duckdb.ts';
import { parquetSinkExpressions, readExpressions, storedType, writeExpressions } from '../../src/sql/stored-types.ts';

let database: DuckDBInstance;
let connection: DuckDBConnection;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-types-'));
  database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  connection = await database.connect();
});
afterAll(async () => {
  connection.closeSync();
  database.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function first(sql: string): Promise<unknown[]> {
  return (await connection.runAndReadAll(sql)).getRowsJson()[0] ?? [];
}

/** Values by their type: each is written with a NULL beside it. */
const values: readonly (readonly [type: string, ...values: string[]])[] = [
  ['BOOLEAN', 'true', 'false'],
  ['TINYINT', '-128', '127'],
  ['SMALLINT', '-32768', '32767'],
  ['INTEGER', '-2147483648', '2147483647'],
  ['BIGINT', '-9223372036854775808', '9223372036854775807'],
  ['HUGEINT', "'-170141183460469231731687303715884105728'", '170141183460469231731687303715884105727'],
  ['UTINYINT', '255'],
  ['USMALLINT', '65535'],
  ['UINTEGER', '4294967295'],
  ['UBIGINT', '18446744073709551615'],
  ['UHUGEINT', '340282366920938463463374607431768211455'],
  ['BIGNUM', `'${'9'.repeat(400)}'`, `'-1${'0'.repeat(399)}1'`],
  ['FLOAT', "'nan'", "'-inf'", '-0.0', '3.4e38', '1.4e-45'],
  ['DOUBLE', "'nan'", "'inf'", '-0.0', '1.7976931348623157e308', '5e-324', '0.1'],
  ['DECIMAL(4,1)', '-999.9'],
  ['DECIMAL(18,3)', '123456789012345.678'],
  ['DECIMAL(38,10)', "'-1234567890123456789012345678.0123456789'"],
  ['VARCHAR', "''", "'ä😀'", "'a' || chr(0) || 'b'"],
  ['BLOB', "'\\x00\\xFF'", "''"],
  ['BIT', "'0101'", "'1'", "repeat('01', 500)"],
  ['UUID', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  ['JSON', `'{"a":  [1, null]}'`, `'"text"'`, `'null'`],
  ['DATE', "'infinity'", "'-infinity'", "'5881580-07-10'", "'5877642-06-25 (BC)'"],
  ['TIME', "'24:00:00'", "'00:00:00.000001'"],
  ['TIME_NS', "'23:59:59.999999999'"],
  ['TIME WITH TIME ZONE', "'12:34:56.789123+05:30:15'", "'24:00:00-15:59:59'", "'00:00:00+15:59:59'"],
  ['TIMESTAMP', "'infinity'", "'-infinity'", "'290000-12-31 00:00:00.000001'", "'290000-01-01 (BC)'"],
  ['TIMESTAMP_S', "'infinity'", "'1969-12-31 23:59:59'", "'290000-01-01'"],
  ['TIMESTAMP_MS', "'-infinity'", "'2024-01-01 00:00:01.123'", "'5000-01-01 (BC)'"],
  ['TIMESTAMP_NS', "'infinity'", "'2024-01-01 00:00:01.123456789'", "'1678-01-01'"],
  ['TIMESTAMP WITH TIME ZONE', "'infinity'", "'290000-12-31 00:00:00+00'", "'2024-01-01 00:00:01.123456+05:30'"],
  ['INTERVAL', 'to_months(-13) + to_days(5) + to_microseconds(-1)', 'to_months(2147483647)', 'to_days(-2147483648)'],
  ["ENUM('a', 'b''c', 'd, e)')", "'b''c'", "'d, e)'"],
  ['INTEGER[]', '[]', '[1, NULL]'],
  ['INTEGER[3]', '[1, 2, NULL]'],
  ['HUGEINT[2][3][]', '[[[1, 2], [3, 4], NULL]]'],
  ['STRUCT(a HUGEINT, "b ""c" ENUM(\'x\'), d STRUCT(e INTERVAL))', "row(1, 'x', row(INTERVAL 1 MICROSECOND))"],
  ['STRUCT(a TIME WITH TIME ZONE, b TIMESTAMP WITH TIME ZONE)', "row('12:00:00+01', '2024-01-01 00:00:00+00')"],
  ['MAP(VARCHAR, HUGEINT[2])', "MAP {'k': [1::HUGEINT, NULL]}", 'MAP {}'],
  ['MAP(INTERVAL, STRUCT(a BIT)[])', "MAP {INTERVAL 1 DAY: [{'a': '01'::BIT}]}"],
  ['UNION(a INTEGER, b VARCHAR)', "union_value(b := '1')", 'union_value(a := 1)'],
  [
    'UNION(n HUGEINT, "t u" TIMESTAMP_S)[]',
    '[union_value(n := 1::HUGEINT)]',
    '[union_value("t u" := TIMESTAMP_S \'2024-01-01\')]',
  ],
  ['GEOMETRY', "'POINT(1.1111111111111112 2)'"],
  ['VARIANT', "{'a': 1, 'b': ['x', NULL]}::VARIANT", '1.50::DECIMAL(5,2)::VARIANT'],
];
const cases = values.flatMap(([type, ...texts]) => texts.map((text) => [type, text] as const));

describe('a column through a partition file', () => {
  it.each(cases)('keeps %s %s', async (type, text) => {
    await connection.run(
      `CREATE OR REPLACE TEMP TABLE t AS SELECT unnest([CAST(${text} AS ${type}), NULL]) AS "the ""column", range(2) AS i`.replace(
        'range(2) AS i',
        'unnest(range(2)) AS i',
      ),
    );
    const columns = await describeQuery(connection, 'SELECT "the ""column" FROM t');
    const path = join(folder, 'x.parquet');
    await connection.run(`COPY (SELECT ${writeExpressions(columns).join(', ')} FROM t ORDER BY i) TO '${path}'`);
    const read = `SELECT ${readExpressions(columns).join(', ')} FROM read_parquet('${path}')`;
    expect(await describeQuery(connection, read)).toEqual(columns);
    const equal = `"the ""column" IS NOT DISTINCT FROM (SELECT "the ""column" FROM t WHERE i = 0)`;
    const texts = `list("the ""column"::VARCHAR) = (SELECT list("the ""column"::VARCHAR ORDER BY i) FROM t)`;
    expect(await first(`SELECT count(*) FILTER (${equal}), ${texts} FROM (${read})`)).toEqual(['1', true]);
  });

  it('keeps the tag of a union and the types inside a variant', async () => {
    const columns = [{ name: 'u', type: 'UNION(a INTEGER, b VARCHAR)' }];
    const path = join(folder, 'u.parquet');
    await connection.run(
      `COPY (SELECT ${writeExpressions(columns).join(', ')} FROM (SELECT union_value(b := '1')::UNION(a INTEGER, b VARCHAR) AS u)) TO '${path}'`,
    );
    expect(
      await first(`SELECT union_tag(u) FROM (SELECT ${readExpressions(columns).join(', ')} FROM '${path}')`),
    ).toEqual(['b']);
  });

  it('keeps a struct without field names where nothing inside needs a cast', async () => {
    const columns = await describeQuery(connection, `SELECT row(1, 'a') AS r`);
    expect(columns).toEqual([{ name: 'r', type: 'STRUCT(INTEGER, VARCHAR)' }]);
    const path = join(folder, 'r.parquet');
    await connection.run(
      `COPY (SELECT ${writeExpressions(columns).join(', ')} FROM (SELECT row(1, 'a') AS r)) TO '${path}'`,
    );
    const read = `SELECT ${readExpressions(columns).join(', ')} FROM '${path}'`;
    expect(await describeQuery(connection, read)).toEqual(columns);
    expect(await first(`SELECT r = row(1, 'a') FROM (${read})`)).toEqual([true]);
  });

  it('refuses a struct without field names where something inside would be lost', () => {
    const refused = () => writeExpressions([{ name: 'r', type: 'STRUCT(HUGEINT, TIME WITH TIME ZONE)' }]);
    expect(refused).toThrow(JobrecError);
    expect(refused).toThrow('column r has the type STRUCT(HUGEINT, TIME WITH TIME ZONE), which cannot be stored');
  });

  it('leaves types alone that Parquet keeps, so that reading pushes filters down', () => {
    for (const type of ['BIGINT', 'VARCHAR', 'DECIMAL(18,3)', 'STRUCT(a INTEGER, b VARCHAR)', 'MAP(VARCHAR, DATE[])']) {
      expect(storedType(type)).toBe(type);
      expect(writeExpressions([{ name: 'x', type }])).toEqual(['"x"']);
    }
  });
});

describe('a column of a Parquet sink', () => {
  it('is a decimal, not a double, where DuckDB has a 128-bit integer', async () => {
    const columns = [
      { name: 'h', type: 'HUGEINT' },
      { name: 'n', type: 'STRUCT(a HUGEINT[2])' },
      { name: 'b', type: 'BIGINT' },
    ];
    const path = join(folder, 's.parquet');
    const rows = `SELECT 9007199254740993::HUGEINT AS h, {'a': [1::HUGEINT, 2]::HUGEINT[2]} AS n, 1::BIGINT AS b`;
    await connection.run(`COPY (SELECT ${parquetSinkExpressions(columns).join(', ')} FROM (${rows})) TO '${path}'`);
    expect(await first(`SELECT h::VARCHAR, typeof(h), typeof(b) FROM '${path}'`)).toEqual([
      '9007199254740993',
      'DECIMAL(38,0)',
      'BIGINT',
    ]);
  });
});
