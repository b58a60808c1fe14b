// Sources: splits, bad rows under each policy, files that change while they are read.
import { appendFile, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TaskError } from '../../../src/engine/kernel/task-error.ts';
import type { TaskResult } from '../../../src/engine/protocol/messages.ts';
import type { SourceSpec } from '../../../src/model/job-graph.ts';
import { dataset, input, step, Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.dispose());

const columns = [
  { name: 'a', type: 'INTEGER' },
  { name: 'b', type: 'VARCHAR' },
];
const csv = 'a,b\n1,one\noops,two\n3,three\n4,four,too many\n5,five\n';
const ndjson =
  '{"a": 1, "b": "one"}\n{"a": "oops", "b": "two"}\n{"a": 3, "b": "three"}\nnot json\n{"a": 5, "b": "five"}\n';

function read(source: SourceSpec, sql = 'SELECT * FROM s'): Promise<TaskResult> {
  return bench.run({
    inputs: [{ kind: 'source', source, splits: source.splits.map((_, index) => index) }],
    steps: [bench.sql('copy', sql, { s: input(0) })],
    outputs: [dataset('d', step(0))],
    quarantine: { sink: 'out', stagingFolder: bench.staging },
  });
}

const rowsOf = () => bench.rows(`SELECT a FROM '${bench.location('d').path}' ORDER BY a`);

describe('bad rows', () => {
  it.each([
    ['csv', csv, /^source bad: \/.*bad\.csv line 3: .*oops.*onBadRow/],
    ['json', ndjson, /^source bad: \/.*bad\.json line 2: .*oops.*onBadRow/],
  ] as const)('of %s fail the attempt naming file and line', async (format, text, message) => {
    const source = await bench.source('bad', text, { format, columns });
    const failure = await read(source).catch((error: unknown) => error as TaskError);
    expect(failure).toBeInstanceOf(TaskError);
    expect((failure as TaskError).failure).toMatchObject({ kind: 'task', partition: null });
    expect((failure as TaskError).message).toMatch(message);
    expect((failure as TaskError).message).not.toContain('\n');
  });

  it.each([
    ['csv', csv],
    ['json', ndjson],
  ] as const)('of %s are left out and counted, whichever columns are used', async (format, text) => {
    const source = await bench.source('bad', text, { format, columns, onBadRow: 'skip' });
    const result = await read(source);
    expect(result).toMatchObject({ badRows: 2, parts: [], metrics: { recordsIn: 5, recordsOut: 3 } });
    expect(await rowsOf()).toEqual([[1], [3], [5]]);
    const narrow = await read(source, 'SELECT count(*) AS a FROM s x JOIN s y ON x.b = y.b');
    expect(narrow.badRows).toBe(2);
    expect(await rowsOf()).toEqual([[3n]]);
  });

  it.each([
    ['csv', csv, 'csv', 'oops,two\n4,four,too many\n'],
    ['json', ndjson, 'ndjson', '{"a": "oops", "b": "two"}\nnot json\n'],
  ] as const)(
    'of %s are staged beside the sink as they stand in the source',
    async (format, text, extension, expected) => {
      const source = await bench.source('bad', text, { format, columns, onBadRow: 'quarantine' });
      const result = await read(source);
      const file = `quarantine-bad-0.a0.e1.${extension}`;
      expect(result.badRows).toBe(2);
      expect(result.parts).toEqual([{ sink: 'out', file, rows: 0, bytes: expected.length }]);
      expect(await readFile(join(bench.staging, file), 'utf8')).toBe(expected);
    },
  );

  it.each([
    ['too short', '4'],
    ['too long', '4,four,more'],
  ])('of csv that are %s fail with their line, or are left out, whichever columns are used', async (_, row) => {
    const text = `a,b\n1,one\n${row}\n3,three\n`;
    const source = await bench.source('bad', text, { format: 'csv', columns });
    for (const sql of ['SELECT * FROM s', 'SELECT a FROM s', 'SELECT count(*) AS a FROM s']) {
      await expect(read(source, sql)).rejects.toThrow(/bad\.csv line 3: Expected Number of Columns: 2/);
      expect((await read({ ...source, onBadRow: 'skip' }, sql)).badRows).toBe(1);
    }
    await read({ ...source, onBadRow: 'quarantine' });
    expect(await readFile(join(bench.staging, 'quarantine-bad-0.a0.e1.csv'), 'utf8')).toBe(`${row}\n`);
  });

  it('of two sources in one task are told apart', async () => {
    const one = await bench.source('one', csv, { format: 'csv', columns, onBadRow: 'quarantine' });
    const two = await bench.source('two', 'a,b\nx,y\n', { format: 'csv', columns, onBadRow: 'quarantine' });
    const result = await bench.run({
      inputs: [one, two].map((source) => ({ kind: 'source', source, splits: [0] }) as const),
      steps: [bench.sql('union', 'FROM s UNION ALL FROM t', { s: input(0), t: input(1) })],
      outputs: [dataset('d', step(0))],
      quarantine: { sink: 'out', stagingFolder: bench.staging },
    });
    expect(result.badRows).toBe(3);
    expect(await readFile(join(bench.staging, 'quarantine-two-0.a0.e1.csv'), 'utf8')).toBe('x,y\n');
  });

  it('are none in a clean source: nothing is staged', async () => {
    const source = await bench.source('good', 'a,b\n1,x\n', { format: 'csv', columns, onBadRow: 'quarantine' });
    expect(await read(source)).toMatchObject({ badRows: 0, parts: [] });
  });
});

describe('a source file', () => {
  it.each([
    [
      'grew',
      (path: string) => appendFile(path, '6,six\n'),
      /changed while the job runs: it had \d+ bytes and has \d+$/,
    ],
    [
      'was modified',
      (path: string) => utimes(path, new Date(), new Date(5000)),
      /it was modified after the job was planned$/,
    ],
    ['is gone', (path: string) => rm(path), /cannot be read any more$/],
  ])('that %s since the plan fails the job', async (_what, change, message) => {
    const source = await bench.source('numbers', 'a,b\n1,x\n', { format: 'csv', columns });
    await change(source.files[0]?.path ?? '');
    const failure = (await read(source).catch((error: unknown) => error)) as TaskError;
    expect(failure.failure.kind).toBe('source-changed');
    expect(failure.message).toMatch(/^source numbers: \//);
    expect(failure.message).toMatch(message);
  });

  it('that changes while it is read fails the job, and nothing is published', async () => {
    const source = await bench.source('numbers', 'a,b\n1,x\n', { format: 'csv', columns });
    const path = source.files[0]?.path ?? '';
    const map = await bench.map(
      'touch',
      `import { appendFileSync } from 'node:fs';
       export async function* run(rows) { for await (const row of rows) { appendFileSync(${JSON.stringify(path)}, '2,y\\n'); yield row; } }`,
    );
    const failed = bench.run({
      inputs: [{ kind: 'source', source, splits: [0] }],
      steps: [map],
      outputs: [dataset('d', step(0))],
    });
    await expect(failed).rejects.toMatchObject({ failure: { kind: 'source-changed' } });
  });
});

describe('splits', () => {
  it('of a Parquet file give each row once, and the rows are counted without reading them', async () => {
    const path = join(bench.folder, 'numbers.parquet');
    await bench.rows(`COPY (SELECT range::INTEGER AS a FROM range(100000)) TO '${path}' (ROW_GROUP_SIZE 20480)`);
    const splits = [
      { file: 0, rows: [0, 20480], bytes: 10 },
      { file: 0, rows: [20480, 81920], bytes: 30 },
      { file: 0, rows: [81920, 100000], bytes: 8 },
    ] as const;
    const source = await bench.sourceAt('numbers', path, { format: 'parquet', columns: columns.slice(0, 1), splits });
    const counts: number[] = [];
    for (const index of [0, 1, 2]) {
      const result = await bench.run({
        inputs: [{ kind: 'source', source, splits: [index] }],
        steps: [bench.sql('sum', 'SELECT count(*) AS n, min(a) AS low, max(a) AS high FROM s', { s: input(0) })],
        outputs: [dataset('d', step(0))],
        subtask: index,
      });
      counts.push(result.metrics.recordsIn);
    }
    expect(counts).toEqual([20480, 61440, 18080]);
    const files = [0, 1, 2].map((index) => `'${bench.location('d', index).path}'`).join(', ');
    expect(await bench.rows(`SELECT n::INT, low, high FROM read_parquet([${files}]) ORDER BY low`)).toEqual([
      [20480, 0, 20479],
      [61440, 20480, 81919],
      [18080, 81920, 99999],
    ]);
  });

  it('that are none give a typed relation without rows', async () => {
    const source = await bench.source('numbers', 'a,b\n1,x\n', { format: 'csv', columns, onBadRow: 'skip' });
    const result = await bench.run({
      inputs: [{ kind: 'source', source, splits: [] }],
      outputs: [dataset('d', input(0))],
    });
    expect(result.partitions[0]).toMatchObject({ rows: 0 });
    expect(await bench.describe(`SELECT * FROM '${bench.location('d').path}'`)).toEqual(columns);
  });
});
