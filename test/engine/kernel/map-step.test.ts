// Map functions: what they may yield, which columns follow from it, and how their failures read.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskResult } from '../../../src/engine/protocol/messages.ts';
import type { Column } from '../../../src/model/job-graph.ts';
import { dataset, input, step, Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.dispose());

/** A function that yields `rows` whatever it reads. */
const yields = (rows: string) => `export async function* run() { for (const row of ${rows}) yield row; }`;
const identity = 'export async function* run(rows) { for await (const row of rows) yield row; }';

async function runMap(body: string, columns: Column[] | null = null, from = 'SELECT 1 AS x'): Promise<TaskResult> {
  const map = await bench.map('grade', body, columns);
  return bench.run({ inputs: [await bench.dataset('d', from)], steps: [map], outputs: [dataset('m', step(0))] });
}

/** Column types and rows (as text) of what `runMap` wrote. */
async function written(): Promise<{ columns: Column[]; rows: unknown[][] }> {
  const sink = { name: 'out', path: bench.folder, format: 'parquet', mode: 'overwrite' } as const;
  const inputs = [{ kind: 'dataset', partitions: [bench.location('m')], subpartitions: [0, 0] }] as const;
  await bench.run({
    inputs,
    steps: [bench.sql('types', `SELECT columns(*)::VARCHAR FROM m`, { m: input(0) })],
    sinks: [{ sink, stagingFolder: bench.staging }],
    attempt: 7,
  });
  const { readDescription } = await import('../../../src/engine/partition-store/report-partitions.ts');
  const columns = (await readDescription(bench.location('m').path))?.columns ?? [];
  return { columns, rows: await bench.rows(`SELECT * FROM '${bench.staging}/part-0.a7.e1.parquet'`) };
}

const typesOf = async () => Object.fromEntries((await written()).columns.map(({ name, type }) => [name, type]));

describe('columns that are not declared', () => {
  it('follow from one kind of values', async () => {
    await runMap(
      yields(`[{ i: 1n, h: 2n ** 70n, n: 1.5, s: 'a', b: true, t: new Date(0), y: new Uint8Array([1]), o: null },
               { i: null, h: 1n, n: 2, o: 4n }]`),
    );
    expect(await typesOf()).toEqual({
      i: 'BIGINT',
      h: 'HUGEINT',
      n: 'DOUBLE',
      s: 'VARCHAR',
      b: 'BOOLEAN',
      t: 'TIMESTAMP',
      y: 'BLOB',
      o: 'BIGINT',
    });
    expect((await written()).rows).toEqual([
      ['1', '1180591620717411303424', '1.5', 'a', 'true', '1970-01-01 00:00:00', '\\x01', null],
      [null, '1', '2.0', null, null, null, null, '4'],
    ]);
  });

  it('have the type of the input column of that name while all values fit it', async () => {
    const from = `SELECT 1::SMALLINT AS small, 1.25::DECIMAL(9,2) AS price, 'x'::ENUM('x', 'y') AS e, DATE '2024-01-02' AS day,
      [1::TINYINT] AS list, {'a': 1::HUGEINT} AS struct, MAP {'k': 1} AS map, TIME '12:00:00' AS time, INTERVAL 1 DAY AS span,
      uuid() AS id, '{}'::JSON AS j, TIMESTAMPTZ '2024-01-02 00:00:00+00' AS z, union_value(u := 1) AS u, '01'::BIT AS bits, 'nan'::FLOAT AS f`;
    await runMap(identity, null, from);
    const columns = await bench.describe(from);
    expect((await written()).columns).toEqual(columns);
    const exact = await bench.rows(`SELECT columns(* EXCLUDE id)::VARCHAR FROM (${from})`);
    const without = (await written()).rows.map((row) => row.filter((_, index) => columns[index]?.name !== 'id'));
    expect(without).toEqual(exact);
  });

  it('are widened when a later value does not fit the input column, over chunks', async () => {
    const body = `export async function* run(rows) { let i = 0; for await (const row of rows) { i++; yield { x: i > 4000 ? 2 ** 40 : i, big: i > 4000 ? 2n ** 80n : BigInt(i), late: i > 3000 ? 'late' : undefined }; } }`;
    await runMap(body, null, 'SELECT range::INTEGER AS x FROM range(5000)');
    expect(await typesOf()).toEqual({ x: 'DOUBLE', big: 'HUGEINT', late: 'VARCHAR' });
    const { rows } = await written();
    expect(rows).toHaveLength(5000);
    expect(rows[0]).toEqual(['1.0', '1', null]);
    expect(rows[4999]).toEqual(['1099511627776.0', '1208925819614629174706176', 'late']);
  });

  it.each([
    ['no value but NULL', '[{ a: null }, {}]', 'column a is unclear: it has no value but NULL'],
    ['several kinds', '[{ a: 1 }, { a: "x" }]', 'column a is unclear: it has values of several kinds (number, string)'],
    [
      'bigints and numbers',
      '[{ a: 1 }, { a: 1n }]',
      'column a is unclear: it has values of several kinds (number, bigint)',
    ],
    [
      'numbers and bigints',
      '[{ a: 1n }, { a: 1 }]',
      'column a is unclear: it has values of several kinds (bigint, number)',
    ],
    ['lists', '[{ a: [1] }]', 'column a is unclear: the type of its values is not plain'],
    ['an integer wider than 128 bits', '[{ a: 2n ** 130n }]', 'column a is unclear: the value'],
  ])('are asked for where values are %s', async (_what, rows, message) => {
    await expect(runMap(yields(rows))).rejects.toThrow(`stage grade: the type of ${message}`);
    await expect(runMap(yields(rows))).rejects.toThrow("'columns'");
  });

  it('are waited for: rows without a value in the first chunks are rows all the same', async () => {
    const body = `export async function* run() { for (let i = 0; i < 5000; i++) yield i < 4500 ? { a: null } : { a: 1n }; }`;
    await runMap(body);
    const { rows } = await written();
    expect([rows.length, rows[0], rows[4499], rows[4500]]).toEqual([5000, [null], [null], ['1']]);
  });

  it('are asked for where rows have none', async () => {
    await expect(runMap(yields('[{}]'))).rejects.toThrow("stage grade: its rows have no columns; declare 'columns'");
  });

  it('are asked for by the consumer only where no task yielded a row', async () => {
    await runMap(yields('[]'));
    const filled = await bench.map('grade', yields('[{ a: 1n }]'));
    await bench.run({
      inputs: [await bench.dataset('d', 'SELECT 1 AS x')],
      steps: [filled],
      outputs: [dataset('m', step(0))],
      subtask: 1,
    });
    const consume = (partitions: number[]) =>
      bench.run({
        inputs: [
          { kind: 'dataset', partitions: partitions.map((index) => bench.location('m', index)), subpartitions: [0, 0] },
        ],
        steps: [bench.sql('sum', 'SELECT sum(a) AS s FROM m', { m: input(0) })],
        outputs: [dataset('s', step(0))],
      });
    await expect(consume([0])).rejects.toThrow(/stage sum: its input m has no rows here .* 'columns'/);
    expect((await consume([0, 1])).partitions[0]?.rows).toBe(1);
  });

  it('of two types in two tasks are an error that names both', async () => {
    for (const [subtask, rows] of ['[{ a: 1n }]', '[{ a: "x" }]'].entries()) {
      const map = await bench.map('grade', yields(rows));
      await bench.run({
        inputs: [await bench.dataset('d', 'SELECT 1 AS x')],
        steps: [map],
        outputs: [dataset('m', step(0))],
        subtask,
      });
    }
    const partitions = [bench.location('m', 0), bench.location('m', 1)];
    const consume = bench.run({
      inputs: [{ kind: 'dataset', partitions, subpartitions: [0, 0] }],
      steps: [bench.sql('all', 'SELECT * FROM m', { m: input(0) })],
      outputs: [dataset('s', step(0))],
    });
    await expect(consume).rejects.toThrow('column a is BIGINT in some tasks of its producer and VARCHAR in others');
  });
});

describe('declared columns', () => {
  const columns = [
    { name: 'n', type: 'INTEGER' },
    { name: 'd', type: 'DECIMAL(10,2)' },
    { name: 'l', type: 'STRUCT(a BIGINT[], b VARCHAR)' },
  ];

  it('take numbers and bigints where they fit, and have their order', async () => {
    await runMap(yields(`[{ l: { a: [1, 2n], b: null }, d: 5n, n: 7n }, { d: 1.25, n: 7 }, {}]`), columns);
    expect(await written()).toEqual({
      columns,
      rows: [
        ['7', '5.00', "{'a': [1, 2], 'b': NULL}"],
        ['7', '1.25', null],
        [null, null, null],
      ],
    });
  });

  it('hold for a function that yields nothing', async () => {
    await runMap(yields('[]'), columns);
    expect(await written()).toEqual({ columns, rows: [] });
  });

  it.each([
    ['[{ n: 1.5 }]', 'column n is INTEGER, but its function yielded the number 1.5'],
    ['[{ n: 2 ** 31 }]', 'column n is INTEGER, but its function yielded the number 2147483648'],
    ['[{ n: "1" }]', 'column n is INTEGER, but its function yielded the string "1"'],
    ['[{ d: 1.234 }]', 'column d is DECIMAL(10,2), but its function yielded the number 1.234'],
    ['[{ d: 10n ** 9n }]', 'column d is DECIMAL(10,2), but its function yielded the bigint 1000000000'],
    ['[{ l: { a: 1 } }]', 'column l is STRUCT(a BIGINT[], b VARCHAR), but its function yielded Object'],
    ['[{ n: 1, extra: 2 }]', "its function yielded a column extra, which 'columns' does not declare"],
    ['[[1]]', 'its function yielded Array'],
    ['[null]', 'its function yielded the object null, not a row object'],
  ])('refuse %s', async (rows, message) => {
    await expect(runMap(yields(rows), columns)).rejects.toThrow(`stage grade: ${message}`);
  });
});

describe('a function that fails', () => {
  it('is named with its stage and the place in its code', async () => {
    const body =
      'export async function* run(rows) {\n  for await (const row of rows)\n    throw new RangeError("bad\\nrow");\n}';
    await expect(runMap(body)).rejects.toThrow(
      /^stage grade: function run threw RangeError: bad row \(.*grade-\w+\.mjs:3:11\)$/,
    );
  });

  it.each([
    ['no function under that name', 'export const other = 1;', 'stage grade: its module exports no function run'],
    ['a module that does not load', 'import "nowhere";', 'stage grade: its module cannot be loaded: '],
    [
      'no rows',
      'export const run = async () => 5;',
      'function run threw TypeError: it must be an async function* that yields rows',
    ],
    ['something that is no Error', 'export async function* run() { throw "text"; }', 'function run threw text'],
  ])('with %s', async (_what, body, message) => {
    await expect(runMap(body)).rejects.toThrow(message);
  });

  it('is not blamed for what its input throws', async () => {
    const map = await bench.map('grade', identity);
    const steps = [
      bench.sql('cast', `SELECT x::INTEGER AS x FROM d`, { d: input(0) }),
      { ...map, input: step(0) } as typeof map,
    ];
    const inputs = [await bench.dataset('d', `SELECT 'abc' AS x`)];
    const failed = bench.run({ inputs, steps, outputs: [dataset('m', step(1))] });
    await expect(failed).rejects.toThrow(/^stage cast: Conversion Error: Could not convert string 'abc'/);
  });

  it('is told to stop by the signal, and is not waited for', async () => {
    // Long enough for the function to have been called, however busy the machine is.
    const body = `export async function* run(rows, task) { await new Promise((resolve) => task.signal.addEventListener('abort', () => { globalThis.stopped = true; })); yield {}; }`;
    const map = await bench.map('grade', body);
    const inputs = [await bench.dataset('d', `SELECT 1 AS x`)];
    const failed = bench.run({ inputs, steps: [map], outputs: [dataset('m', step(0))], timeoutMs: 2_000 });
    await expect(failed).rejects.toThrow('the attempt took longer than task.timeout (2 s)');
    expect((globalThis as { stopped?: boolean }).stopped).toBe(true);
  });
});

describe('a map function and its rows', () => {
  it('gets every row once, in order, with the JavaScript values of the types', async () => {
    const body = `export async function* run(rows, task) {
      let previous = -1n, count = 0;
      for await (const row of rows) { if (row.i !== previous + 1n) throw new Error('order'); previous = row.i; count++; }
      yield { count, subtask: task.subtask, parallelism: task.parallelism, attempt: task.attempt, name: task.vertexName, aborted: task.signal.aborted };
    }`;
    await runMap(body, null, 'SELECT range AS i FROM range(10000)');
    expect((await written()).rows).toEqual([['10000.0', '0.0', '1.0', '0.0', 'grade', 'false']]);
  });

  it('may stop reading early, be a plain generator, and follow another map', async () => {
    const first = await bench.map('first', `export function* run() { yield { a: 1n }; yield { a: 2n }; }`);
    const second = await bench.map(
      'second',
      `export async function* run(rows) { for await (const row of rows) { yield { b: row.a }; return; } }`,
    );
    const inputs = [await bench.dataset('d', 'SELECT range AS i FROM range(100000)')];
    const steps = [first, { ...second, input: step(0) } as typeof second];
    await bench.run({ inputs, steps, outputs: [dataset('m', step(1))] });
    expect((await written()).rows).toEqual([['1']]);
  });
});
