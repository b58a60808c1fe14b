// Users' SQL inside larger queries: what it ends with and which names it uses must not matter.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statementBody, withRelations } from '../../../src/engine/kernel/sql-text.ts';
import { openDatabase } from '../../../src/sql/duckdb.ts';

let database: DuckDBInstance;
let connection: DuckDBConnection;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-sql-text-'));
  database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  connection = await database.connect();
});
afterAll(async () => {
  connection.closeSync();
  database.closeSync();
  await rm(folder, { recursive: true, force: true });
});

async function rows(sql: string): Promise<unknown[][]> {
  return (await connection.runAndReadAll(sql)).getRowsJson();
}

describe('the body of a statement', () => {
  it.each([
    ['SELECT 1', 'SELECT 1'],
    ['SELECT 1;', 'SELECT 1'],
    ['SELECT 1 ; ;\n', 'SELECT 1'],
    ['SELECT 1 -- one\n; -- two', 'SELECT 1'],
    ['SELECT 1 /* ; */ ; /* x', 'SELECT 1 /* ; */ ; /* x'],
    ['SELECT 1; /* all */', 'SELECT 1'],
    ["SELECT ';' -- '", "SELECT ';'"],
    ["SELECT '--'';--'", "SELECT '--'';--'"],
    ["SELECT E'\\';--';", "SELECT E'\\';--'"],
    ['SELECT 1 AS ";--" ;', 'SELECT 1 AS ";--"'],
    ['SELECT $$;--$$;', 'SELECT $$;--$$'],
    ["SELECT $tag$';$tag$ -- end", "SELECT $tag$';$tag$"],
  ])('of %j is %j', (sql, body) => {
    expect(statementBody(sql)).toBe(body);
  });
});

describe('a statement over named relations', () => {
  const f = { name: 'f', sql: 'SELECT range AS a FROM range(4)', isScan: true };

  it.each([
    ['SELECT sum(a)::INT FROM f; -- done', [[6]]],
    ['FROM f SELECT a::INT WHERE a > 2', [[3]]],
    ['WITH f AS (SELECT a + 10 AS a FROM f) SELECT max(a)::INT FROM f', [[13]]],
    [
      'WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t WHERE x < 3) SELECT count(*)::INT FROM t, f',
      [[12]],
    ],
    ['VALUES (1)', [[1]]],
    ['SELECT a::INT FROM f ORDER BY a DESC LIMIT 2', [[3], [2]]],
    ['SELECT x.a::INT FROM f x JOIN f y ON x.a = y.a + 1 ORDER BY ALL', [[1], [2], [3]]],
  ])('%s', async (sql, expected) => {
    expect(await rows(withRelations([f], sql))).toEqual(expected);
  });

  it('nests: an inner stage may have the name of an outer input', async () => {
    const inner = withRelations([f], 'SELECT a * 2 AS a FROM f;');
    const outer = withRelations([{ name: 'f', sql: inner, isScan: false }], 'SELECT sum(a)::INT FROM f -- outer');
    const odd = withRelations([{ name: 'odd "name"', sql: outer, isScan: false }], 'SELECT * FROM "odd ""name"""');
    expect(await rows(odd)).toEqual([[12]]);
  });

  it('pushes filters and columns through the chain into the scan', async () => {
    await connection.run(`COPY (SELECT range AS a, range AS b FROM range(10)) TO '${folder}/x.parquet'`);
    const scan = { name: 's', sql: `SELECT a, b FROM '${folder}/x.parquet'`, isScan: true };
    const inner = withRelations([scan], 'SELECT a, b AS unused FROM s');
    const plan = await rows(
      `EXPLAIN ${withRelations([{ name: 'i', sql: inner, isScan: false }], 'SELECT a FROM i WHERE a > 5')}`,
    );
    expect(String(plan[0]?.[1])).toMatch(/Filters:\s+a>5/);
    expect(String(plan[0]?.[1])).not.toContain('unused');
  });
});
