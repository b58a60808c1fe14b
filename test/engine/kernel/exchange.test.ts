// Data sets between tasks: every row reaches exactly one subpartition's reader, with its exact type.
import { readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskError } from '../../../src/engine/kernel/task-error.ts';
import { reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';
import type { PartitionLocation, TaskResult } from '../../../src/engine/protocol/messages.ts';
import type { DataSet } from '../../../src/model/job-graph.ts';
import { dataset, input, step, Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.dispose());

/** What a task reads of the partitions, in one CSV part; rows as text. */
async function consume(
  partitions: PartitionLocation[],
  range: [number, number],
  sql = 'SELECT * FROM d',
): Promise<unknown[][]> {
  const sink = { name: 'out', path: bench.folder, format: 'csv', mode: 'overwrite' } as const;
  await bench.run({
    inputs: [{ kind: 'dataset', partitions, subpartitions: range }],
    steps: [bench.sql('read', sql, { d: input(0) })],
    sinks: [{ sink, stagingFolder: bench.staging }],
    attempt: range[0] + 10,
  });
  return bench.rows(`SELECT * FROM read_csv('${bench.staging}/part-0.a${range[0] + 10}.e1.csv', all_varchar = true)`);
}

async function produce(options: Partial<DataSet>, sql: string, subtasks = 3): Promise<PartitionLocation[]> {
  for (let subtask = 0; subtask < subtasks; subtask++)
    await bench.dataset('d', sql.replaceAll('$task', String(subtask)), options, subtask);
  return Array.from({ length: subtasks }, (_, index) => bench.location('d', index));
}

describe('a hash exchange', () => {
  it('sends equal keys of all producers to one reader, each row once', async () => {
    const options = { exchange: 'hash', by: [{ column: 'k', castType: 'BIGINT' }], subpartitions: 4 } as const;
    const partitions = await produce(
      options,
      'SELECT (range % 11)::SMALLINT AS k, range + 1000 * $task AS v FROM range(500)',
    );
    const keys: string[][] = [];
    let rows = 0;
    for (const part of [0, 1, 2, 3]) {
      const read = await consume(partitions, [part, part], 'SELECT k, count(*) AS n FROM d GROUP BY k');
      keys.push(read.map(([k]) => String(k)));
      rows += read.reduce((sum, [, n]) => sum + Number(n), 0);
    }
    expect(rows).toBe(1500);
    expect(keys.flat().sort()).toEqual(Array.from({ length: 11 }, (_, k) => String(k)).sort());
    expect(await consume(partitions, [1, 3], 'SELECT count(DISTINCT k) FROM d')).toEqual([
      [String(keys.slice(1).flat().length)],
    ]);
  });

  it('hashes by a column that consumers do not read', async () => {
    const options = {
      exchange: 'hash',
      by: [{ column: 'k', castType: null }],
      subpartitions: 2,
      columns: ['v'],
    } as const;
    const partitions = await produce(options, 'SELECT range AS k, range AS v FROM range(10)', 1);
    const all = [...(await consume(partitions, [0, 0])), ...(await consume(partitions, [1, 1]))];
    expect(all.map(([v]) => Number(v)).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a rebalance exchange', () => {
  it('spreads rows evenly, also where each producer has few', async () => {
    const partitions = await produce({ exchange: 'rebalance', subpartitions: 3 }, 'SELECT $task AS v', 3);
    const counts = await Promise.all([0, 1, 2].map(async (part) => (await consume(partitions, [part, part])).length));
    expect(counts).toEqual([1, 1, 1]);
    const [one] = await produce({ exchange: 'rebalance', subpartitions: 3 }, 'SELECT range AS v FROM range(30)', 1);
    expect(await consume([one as PartitionLocation], [2, 2])).toHaveLength(10);
  });
});

describe('an exchange without subpartitions', () => {
  it('keeps the order of the rows', async () => {
    const partitions = await produce({}, 'SELECT range AS v FROM range(5000) ORDER BY v DESC', 1);
    const read = await consume(partitions, [0, 0]);
    expect(read.map(([v]) => Number(v))).toEqual(Array.from({ length: 5000 }, (_, index) => 4999 - index));
  });
});

describe('an input without rows', () => {
  it.each([
    ['of a producer that had none', 'SELECT 1::HUGEINT AS v, INTERVAL 1 DAY AS i WHERE false', [0, 0]],
    ['of an empty range', 'SELECT 1::HUGEINT AS v, INTERVAL 1 DAY AS i', [0, -1]],
  ] as const)('%s keeps its columns and types', async (_what, sql, range) => {
    const partitions = await produce({}, sql, 1);
    expect(await consume(partitions, [...range], 'SELECT count(*) AS n, any_value(typeof(v)) AS t FROM d')).toEqual([
      ['0', null],
    ]);
    expect(await consume(partitions, [...range], 'SELECT typeof(sum(v)), typeof(max(i)) FROM d')).toEqual([
      ['HUGEINT', 'INTERVAL'],
    ]);
  });
});

describe('a data set of which consumers read no column', () => {
  it.each([1, 3])('keeps the number of rows with %i subpartitions', async (subpartitions) => {
    const partitions = await produce(
      { columns: [], exchange: 'rebalance', subpartitions },
      'SELECT range AS v FROM range(9)',
      2,
    );
    expect(await consume(partitions, [0, subpartitions - 1], 'SELECT count(*) AS n FROM d')).toEqual([['18']]);
    expect(await consume(partitions, [0, 0], 'SELECT count(*) AS n FROM d')).toEqual([[String(18 / subpartitions)]]);
  });
});

describe('odd names', () => {
  it('of columns survive, the helper column gives way', async () => {
    const options = { exchange: 'hash', by: [{ column: '__subpartition', castType: null }], subpartitions: 2 } as const;
    const partitions = await produce(options, `SELECT 1 AS "__subpartition", 2 AS "a ""b", 3 AS "select"`, 1);
    const all = [...(await consume(partitions, [0, 0])), ...(await consume(partitions, [1, 1]))];
    expect(all).toEqual([['1', '2', '3']]);
  });
});

describe('a partition that is not whole', () => {
  const read = (partitions: PartitionLocation[]): Promise<TaskResult> =>
    bench.run({
      inputs: [{ kind: 'dataset', partitions, subpartitions: [0, 0] }],
      steps: [bench.sql('read', 'SELECT * FROM d', { d: input(0) })],
      outputs: [dataset('e', step(0))],
    });

  it.each([
    ['missing', (path: string) => rm(path)],
    ['cut', (path: string) => truncate(path, 100)],
  ])('and %s is named in a failure of its own kind', async (_what, damage) => {
    const partitions = await produce({}, 'SELECT $task AS v', 2);
    await damage((partitions[1] as PartitionLocation).path);
    const failure = ((await read(partitions).catch((error: unknown) => error)) as TaskError).failure;
    expect(failure).toMatchObject({ kind: 'partition', partition: { datasetId: 'd', partitionIndex: 1 } });
    expect(failure.message).toContain('partition d#1@0 is missing or damaged');
  });

  it('that goes while a task reads it is the failure, not what DuckDB says of it', async () => {
    const partitions = await produce({}, 'SELECT range AS v FROM range(300000)', 1);
    const path = (partitions[0] as PartitionLocation).path;
    const map = await bench.map(
      'remove',
      `import { truncateSync } from 'node:fs';
       export async function* run(rows) { let first = true; for await (const row of rows) { if (first) truncateSync(${JSON.stringify(path)}, 9); first = false; yield row; } }`,
    );
    const failed = bench.run({
      inputs: [{ kind: 'dataset', partitions, subpartitions: [0, 0] }],
      steps: [map],
      outputs: [dataset('e', step(0))],
    });
    await expect(failed).rejects.toMatchObject({ failure: { kind: 'partition', partition: { datasetId: 'd' } } });
  });
});

describe('several outputs', () => {
  it('of one step are computed once and all have the same rows', async () => {
    const sink = { name: 'out', path: bench.folder, format: 'json', mode: 'overwrite' } as const;
    const result = await bench.run({
      steps: [bench.sql('dice', 'SELECT random() AS v FROM range(20)', {})],
      outputs: [dataset('d', step(0)), dataset('e', step(0), { exchange: 'rebalance', subpartitions: 2 })],
      sinks: [{ sink, stagingFolder: bench.staging }],
    });
    expect(result.partitions.map(({ rows }) => rows)).toEqual([20, 20]);
    const sums = [
      `SELECT sum(v) FROM '${bench.location('d').path}'`,
      `SELECT sum(v) FROM '${bench.location('e').path}'`,
      `SELECT sum(v) FROM '${bench.staging}/part-0.a0.e1.json'`,
    ];
    const [d, e, s] = await Promise.all(sums.map(async (sql) => Number((await bench.rows(sql))[0]?.[0])));
    expect(e).toBeCloseTo(d ?? -1, 9);
    expect(s).toBeCloseTo(d ?? -1, 9);
    expect(result.metrics).toMatchObject({ recordsIn: 0, recordsOut: 60 });
  });
});

describe('a failed attempt', () => {
  it('leaves no partition, no temporary file and no table', async () => {
    const failed = bench.run({
      steps: [bench.sql('boom', `SELECT CASE WHEN range = 4000 THEN error('boom') END AS v FROM range(5000)`, {})],
      outputs: [dataset('d', step(0)), dataset('e', step(0))],
    });
    await expect(failed).rejects.toThrow(/^stage boom: .*boom/);
    expect(await reportPartitions(bench.workerFolder)).toEqual([]);
    const late = bench.run({
      steps: [
        bench.sql('late', `SELECT range AS v FROM range(10)`, {}),
        bench.sql('boom', `SELECT error('boom') AS x FROM late`, { late: step(0) }),
      ],
      outputs: [dataset('d', step(0)), dataset('e', step(1))],
    });
    await expect(late).rejects.toThrow(/^stage boom: /);
    expect(await readdir(join(bench.workerFolder, 'partitions', 'e'))).toEqual([]);
    expect(await bench.rows('SELECT count(*)::INT FROM duckdb_tables()')).toEqual([[0]]);
  });
});
