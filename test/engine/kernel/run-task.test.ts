// Tasks from real files to real partitions and sink parts, compared with DuckDB's own answer over the same rows.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';
import { dataset, input, step, Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.dispose());

describe('a task over a source', () => {
  it('runs a chain as one query into a partition that the next task reads back exactly', async () => {
    const text = `a,b\n${Array.from({ length: 1000 }, (_, i) => `${i % 7},${i}`).join('\n')}\n`;
    const source = await bench.source('numbers', text, {
      format: 'csv',
      columns: [
        { name: 'a', type: 'INTEGER' },
        { name: 'b', type: 'BIGINT' },
      ],
    });
    const result = await bench.run({
      inputs: [{ kind: 'source', source, splits: [0] }],
      steps: [
        bench.sql('big', 'SELECT * FROM f WHERE b >= 100; -- most of them', { f: input(0) }),
        bench.sql('sums', 'SELECT a, sum(b) AS s FROM big GROUP BY a', { big: step(0) }),
      ],
      outputs: [dataset('d', step(1), { exchange: 'hash', by: [{ column: 'a', castType: null }], subpartitions: 3 })],
    });
    expect(result.partitions[0]).toMatchObject({ datasetId: 'd', partitionIndex: 0, rows: 7 });
    expect(result.partitions[0]?.subpartitionRows?.reduce((sum, rows) => sum + rows, 0)).toBe(7);

    const merged: unknown[] = [];
    for (const part of [0, 1, 2]) {
      const sink = { name: 'out', path: bench.folder, format: 'csv', mode: 'overwrite' } as const;
      const consumer = await bench.run({
        inputs: [{ kind: 'dataset', partitions: [bench.location('d')], subpartitions: [part, part] }],
        steps: [bench.sql('typed', 'SELECT a, s, typeof(s) AS t FROM d', { d: input(0) })],
        sinks: [{ sink, stagingFolder: bench.staging }],
        subtask: part,
      });
      expect(consumer.metrics.recordsIn).toBe(result.partitions[0]?.subpartitionRows?.[part]);
      expect(consumer.parts[0]?.file).toBe(`part-${part}.a0.e1.csv`);
      merged.push(
        ...(await bench.rows(`SELECT a::INT, s::VARCHAR, t FROM read_csv('${bench.staging}/part-${part}.a0.e1.csv')`)),
      );
    }
    const expected = await bench.rows(
      `SELECT (i % 7)::INT AS a, sum(i)::VARCHAR, 'HUGEINT' FROM range(100, 1000) r(i) GROUP BY a ORDER BY a`,
    );
    expect(merged.sort((left, right) => Number((left as number[])[0]) - Number((right as number[])[0]))).toEqual(
      expected,
    );
  });

  it('reports what it wrote, and leaves nothing in the database', async () => {
    await bench.dataset('d', 'SELECT range AS x FROM range(10)');
    expect(await reportPartitions(bench.workerFolder)).toEqual([
      { datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1, bytes: expect.any(Number) as number },
    ]);
    expect(await bench.rows('SELECT count(*)::INT FROM duckdb_tables()')).toEqual([[0]]);
    expect(await bench.rows(`SELECT count(*)::INT FROM duckdb_schemas() WHERE schema_name LIKE 'task%'`)).toEqual([
      [0],
    ]);
  });
});

describe('a map step', () => {
  it('streams rows through the function and infers what is unambiguous', async () => {
    const map = await bench.map(
      'twice',
      `export async function* run(rows, task) {
         for await (const row of rows) yield { id: row.id, twice: row.id * 2n, label: task.vertexName + row.id, half: Number(row.id) / 2, none: row.small };
       }`,
    );
    const source = await bench.dataset('d', 'SELECT range AS id, 1::TINYINT AS small FROM range(5000)');
    await bench.run({ inputs: [source], steps: [map], outputs: [dataset('m', step(0))] });
    const sink = { name: 'out', path: bench.folder, format: 'parquet', mode: 'overwrite' } as const;
    await bench.run({
      inputs: [{ kind: 'dataset', partitions: [bench.location('m')], subpartitions: [0, 0] }],
      steps: [bench.sql('all', 'SELECT * FROM m ORDER BY id', { m: input(0) })],
      sinks: [{ sink, stagingFolder: bench.staging }],
    });
    const path = join(bench.staging, 'part-0.a0.e1.parquet');
    expect(await bench.rows(`SELECT count(*)::INT, sum(twice)::INT FROM '${path}'`)).toEqual([[5000, 24995000]]);
    expect(await bench.describe(`SELECT * FROM '${path}'`)).toEqual([
      { name: 'id', type: 'BIGINT' },
      { name: 'twice', type: 'BIGINT' },
      { name: 'label', type: 'VARCHAR' },
      { name: 'half', type: 'DOUBLE' },
      { name: 'none', type: 'DOUBLE' },
    ]);
  });
});
