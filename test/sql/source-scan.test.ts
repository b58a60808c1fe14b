import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceSpec } from '../../src/model/job-graph.ts';
import { describeQuery, openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';
import { badJsonLinesSql, sourceScanSql } from '../../src/sql/source-scan.ts';

let connection: DuckDBConnection;
const folder = mkdtempSync(join(tmpdir(), 'jobrec-scan-'));

beforeAll(async () => {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  connection = await database.connect();
});
afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true });
});

async function rows(sql: string): Promise<unknown[]> {
  return (await connection.runAndReadAll(sql)).getRowsJson();
}

function source(overrides: Partial<SourceSpec> & Pick<SourceSpec, 'format' | 'columns'>, paths: string[]): SourceSpec {
  const files = paths.map((path) => ({ path, bytes: 1, modifiedMs: 0 }));
  const splits = files.map((_, file) => ({ file, rows: null, bytes: 1 }));
  return { name: 's', files, options: {}, onBadRow: 'fail', splits, ...overrides };
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('Parquet', () => {
  const columns = [
    { name: 'i', type: 'BIGINT' },
    { name: 'd', type: 'DECIMAL(10,2)' },
  ];

  async function parquet(): Promise<SourceSpec> {
    const first = join(folder, 'first[1]*.parquet');
    const second = join(folder, 'second.parquet');
    const copy = (sql: string, path: string) =>
      connection.run(`COPY (${sql}) TO ${quoteLiteral(path)} (FORMAT parquet, ROW_GROUP_SIZE 2048)`);
    await copy('SELECT i::BIGINT AS i, (i / 4)::DECIMAL(10,2) AS d, 7 AS other FROM range(10000) t(i)', first);
    await copy('SELECT (-1)::INTEGER AS i, 2::DECIMAL(6,1) AS d', second);
    const whole = source({ format: 'parquet', columns }, [first, second]);
    const range = (from: number, to: number) => ({ file: 0, rows: [from, to] as const, bytes: 1 });
    return {
      ...whole,
      splits: [range(0, 2048), range(2048, 4096), range(6144, 10000), { file: 1, rows: null, bytes: 1 }],
    };
  }

  it('reads row ranges and whole files, each row once, with the exact columns', async () => {
    const spec = await parquet();
    for (const splits of [[], [0], [3], [0, 1, 3], [2, 0]]) {
      expect(await describeQuery(connection, sourceScanSql(spec, splits))).toEqual(columns);
    }
    const summary = (splits: number[]) => rows(`SELECT count(*), min(i), max(i) FROM (${sourceScanSql(spec, splits)})`);
    expect(await summary([1])).toEqual([['2048', '2048', '4095']]);
    expect(await summary([0, 1])).toEqual([['4096', '0', '4095']]);
    expect(await summary([2, 0, 3])).toEqual([[String(2048 + 3856 + 1), '-1', '9999']]);
    expect(await summary([])).toEqual([['0', null, null]]);
  });

  it('merges neighbouring ranges into one scan', async () => {
    const spec = await parquet();
    expect(sourceScanSql(spec, [1, 0])).not.toContain('UNION');
    expect(sourceScanSql(spec, [0, 2])).toContain('UNION ALL');
  });
});

describe('CSV', () => {
  const columns = [
    { name: 'n', type: 'INTEGER' },
    { name: 't', type: 'VARCHAR' },
  ];

  it('applies delimiter, quote, null string and header', async () => {
    const path = write('dialect.csv', "n;t\n1;'a;b'\nNA;NA\n");
    const spec = source({ format: 'csv', columns, options: { delimiter: ';', quote: "'", nullString: 'NA' } }, [path]);
    expect(await rows(sourceScanSql(spec, [0]))).toEqual([
      [1, 'a;b'],
      [null, null],
    ]);
    const headless = source({ format: 'csv', columns, options: { header: false } }, [write('headless.csv', '5,x\n')]);
    expect(await rows(sourceScanSql(headless, [0]))).toEqual([[5, 'x']]);
  });

  it('fails on a bad row with its line, or leaves it out and lists it', async () => {
    const path = write('bad.csv', 'n,t\n1,a\nzz,b\n3,c\n');
    const spec = source({ format: 'csv', columns }, [path]);
    await expect(rows(sourceScanSql(spec, [0]))).rejects.toThrow(/Line: 3/);
    expect(await rows(sourceScanSql({ ...spec, onBadRow: 'skip' }, [0]))).toEqual([
      [1, 'a'],
      [3, 'c'],
    ]);
    expect(await rows('SELECT line, csv_line FROM reject_errors')).toEqual([['3', 'zz,b']]);
  });
});

describe('NDJSON', () => {
  const columns = [
    { name: 'n', type: 'HUGEINT' },
    { name: 's', type: 'STRUCT(a INTEGER)' },
  ];
  const text = '{"n":1,"s":{"a":2}}\n{"n":2,\n\n{"n":"x"}\n{"n":4,"s":null,"more":1}\n';

  it('fails on a bad line', async () => {
    const spec = source({ format: 'json', columns }, [write('bad.json', text)]);
    await expect(rows(sourceScanSql(spec, [0]))).rejects.toThrow(/bad\.json/);
  });

  it('leaves bad lines out and can list them', async () => {
    const spec = source({ format: 'json', columns, onBadRow: 'skip' }, [write('bad.json', text)]);
    expect(await describeQuery(connection, sourceScanSql(spec, [0]))).toEqual(columns);
    expect(await rows(sourceScanSql(spec, [0]))).toEqual([
      ['1', { a: 2 }],
      ['4', null],
    ]);
    expect(await rows(`SELECT line, text FROM (${badJsonLinesSql(spec, [0])})`)).toEqual([
      ['2', '{"n":2,'],
      ['4', '{"n":"x"}'],
    ]);
  });
});
