// Sources as the planner finds them: files, formats, columns, splits.
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SourceSpec } from '../../src/model/job-graph.ts';
import { matchesGlob } from '../../src/plan/sources/find-files.ts';
import { splitBytesMin, splitsByRowGroup, splitsMax } from '../../src/plan/sources/splits.ts';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
});
afterAll(() => folder.remove());

async function sourceOf(definition: string): Promise<SourceSpec> {
  const text = `name: j\nsources: { s: ${definition} }\nsinks: { out: { input: s, path: out } }\n`;
  const [source] = (await folder.plan(text)).graph.sources;
  if (!source) throw new Error('no source');
  return source;
}

function namesOf(source: SourceSpec): string[] {
  return source.files.map((file) => file.path.slice(folder.path.length + 1));
}

describe('files', () => {
  it('come from globs by name, from lists in their order, each once', async () => {
    for (const name of ['b', 'a', 'c']) folder.write(`many/${name}.csv`, 'x,y\n1,2\n');
    folder.write('many/deep/d.csv', 'x,y\n1,2\n');
    expect(namesOf(await sourceOf('{ path: "many/*.csv" }'))).toEqual(['many/a.csv', 'many/b.csv', 'many/c.csv']);
    expect(namesOf(await sourceOf('{ path: [many/c.csv, "many/*.csv"] }'))).toEqual([
      'many/c.csv',
      'many/a.csv',
      'many/b.csv',
    ]);
    expect(namesOf(await sourceOf('{ path: "many/**/*.csv" }'))).toContain('many/deep/d.csv');
  });

  it('may have glob characters in their names', async () => {
    folder.write('odd[1]*.csv', 'x,y\n1,2\n');
    expect(namesOf(await sourceOf('{ path: "odd[1]*.csv" }'))).toEqual(['odd[1]*.csv']);
  });

  it('are known by size and time', async () => {
    const [file] = (await sourceOf('{ path: people.csv }')).files;
    expect(file?.bytes).toBe(29);
    expect(Math.abs(Date.now() - (file?.modifiedMs ?? 0))).toBeLessThan(3_600_000);
  });
});

describe('formats and columns', () => {
  it('are told by the extension and sniffed once', async () => {
    expect(await sourceOf('{ path: people.csv }')).toMatchObject({
      format: 'csv',
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'name', type: 'VARCHAR' },
        { name: 'city', type: 'BIGINT' },
      ],
      options: { delimiter: ',', header: true },
    });
    expect((await sourceOf('{ path: events.json }')).columns).toEqual([
      { name: 'id', type: 'BIGINT' },
      { name: 'at', type: 'DATE' },
    ]);
    expect((await sourceOf('{ path: orders.parquet }')).columns).toEqual([
      { name: 'id', type: 'BIGINT' },
      { name: 'city', type: 'INTEGER' },
      { name: 'amount', type: 'DECIMAL(18,2)' },
    ]);
  });

  it('can be stated', async () => {
    folder.write('raw.data', "1;'a;b'\nNA;x\n");
    const source = await sourceOf(
      `{ path: raw.data, format: csv, options: { delimiter: ";", quote: "'", header: false, nullString: NA, columns: { n: INT, t: text } } }`,
    );
    expect(source.columns).toEqual([
      { name: 'n', type: 'INTEGER' },
      { name: 't', type: 'VARCHAR' },
    ]);
    expect(source.options).toMatchObject({ delimiter: ';', quote: "'", header: false, nullString: 'NA' });
    const partly = await sourceOf('{ path: people.csv, options: { columns: { id: SMALLINT } } }');
    expect(partly.columns.map((column) => column.type)).toEqual(['SMALLINT', 'VARCHAR', 'BIGINT']);
    expect((await sourceOf('{ path: events.json, options: { columns: { id: HUGEINT } } }')).columns).toEqual([
      { name: 'id', type: 'HUGEINT' },
    ]);
  });

  it('read compressed csv', async () => {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(`${folder.path}/packed.csv.gz`, gzipSync('x,y\n1,2\n'));
    expect((await sourceOf('{ path: packed.csv.gz }')).columns).toHaveLength(2);
  });

  it('are wide enough for all files', async () => {
    folder.write('wide/a.csv', 'x\n1\n');
    folder.write('wide/b.csv', 'x\n1.5\n');
    expect((await sourceOf('{ path: "wide/*.csv" }')).columns).toEqual([{ name: 'x', type: 'DOUBLE' }]);
    await folder.parquet('wide-a.parquet', 'SELECT 1::INTEGER AS x');
    await folder.parquet('wide-b.parquet', 'SELECT 1::BIGINT AS x');
    expect((await sourceOf('{ path: "wide-*.parquet" }')).columns).toEqual([{ name: 'x', type: 'BIGINT' }]);
  });

  it('of a csv file without a quoted value in its sample still take quotes, unless it is stated that there are none', async () => {
    folder.write('plain.csv', ['a,b', ...Array.from({ length: 30 }, (_, i) => `${i},x${i}`), ''].join('\n'));
    expect((await sourceOf('{ path: plain.csv }')).options).toMatchObject({ quote: '"', escape: '"' });
    expect((await sourceOf('{ path: plain.csv, options: { quote: "" } }')).options).toMatchObject({ quote: '' });
  });

  describe('of a csv file with one row of the wrong width', () => {
    const good = Array.from({ length: 40 }, (_, i) => `${i},name${i},${i * 2}`);
    const bad: readonly (readonly [string, string])[] = [
      ['too short', '7,x'],
      ['too long', '7,x,9,more'],
    ];
    const places = [0, 20, 40];
    const cases = bad.flatMap(([what, row]) => places.map((at) => [what, at, row] as const));
    const lines = (row: string, at: number) => [...good.slice(0, at), row, ...good.slice(at)];
    const types = (source: SourceSpec) => source.columns.map(({ name, type }) => `${name} ${type}`);

    it.each(cases)('are those of the others: %s, after %i rows', async (_, at, row) => {
      folder.write('odd-row.csv', ['id,name,amount', ...lines(row, at), ''].join('\n'));
      for (const options of ['{}', '{ delimiter: ",", header: true }', '{ columns: { id: BIGINT } }']) {
        const source = await sourceOf(`{ path: odd-row.csv, options: ${options} }`);
        expect(types(source)).toEqual(['id BIGINT', 'name VARCHAR', 'amount BIGINT']);
        expect(source.options).toMatchObject({ delimiter: ',', header: true, skip: 0 });
      }
    });

    it.each(cases)('are as stated without a header: %s, after %i rows', async (_, at, row) => {
      folder.write('headless-row.csv', [...lines(row, at), ''].join('\n'));
      const options = '{ header: false, columns: { a: INTEGER, b: VARCHAR, c: INTEGER } }';
      const source = await sourceOf(`{ path: headless-row.csv, options: ${options} }`);
      expect(types(source)).toEqual(['a INTEGER', 'b VARCHAR', 'c INTEGER']);
      expect(source.options).toMatchObject({ delimiter: ',', header: false, skip: 0 });
    });

    it('are found in every one of several files', async () => {
      folder.write('odd/a.csv', ['id;name', '1;a;b', '2;c', '3;d', ''].join('\n'));
      folder.write('odd/b.csv', ['id;name', '1.5;a', '2', '3;d', ''].join('\n'));
      expect(types(await sourceOf('{ path: "odd/*.csv" }'))).toEqual(['id DOUBLE', 'name VARCHAR']);
    });
  });

  it('of a csv file begin below the lines before its header', async () => {
    folder.write('titled.csv', ['# from the till', '# in euro', 'id,amount', '1,2', '3,4', ''].join('\n'));
    const source = await sourceOf('{ path: titled.csv }');
    expect(source.columns.map(({ name }) => name)).toEqual(['id', 'amount']);
    expect(source.options).toMatchObject({ header: true, skip: 2 });
  });

  it('of a csv file are one where its text has commas', async () => {
    folder.write('texts.csv', ['text', 'hello world', 'hello, world', 'hello again', ''].join('\n'));
    const source = await sourceOf('{ path: texts.csv }');
    expect(source.columns).toEqual([{ name: 'text', type: 'VARCHAR' }]);
    expect(source.options.delimiter).not.toBe(',');
  });

  it('are refused where the files of a source do not agree', async () => {
    folder.write('unlike/a.csv', 'x,y\n1,2\n');
    folder.write('unlike/b.csv', 'y,x\n1,2\n');
    await expect(sourceOf('{ path: "unlike/*.csv" }')).rejects.toThrow(/another header/);
    await folder.parquet('unlike-a.parquet', 'SELECT 1 AS x, 2 AS y');
    await folder.parquet('unlike-b.parquet', 'SELECT 1 AS x');
    await expect(sourceOf('{ path: "unlike-*.parquet" }')).rejects.toThrow(/unlike-b\.parquet has no column y/);
  });
});

describe('splits', () => {
  it('are files, and for Parquet runs of row groups of a MiB or more', async () => {
    await folder.parquet('cut.parquet', 'SELECT i AS id, hash(i) AS a FROM range(300000) r(i)', 20_480);
    const { splits } = await sourceOf('{ path: cut.parquet }');
    expect(splits.length).toBeGreaterThan(2);
    const ranges = splits.map((split) => split.rows ?? [0, 0]);
    expect(ranges[0]?.[0]).toBe(0);
    expect(ranges.at(-1)?.[1]).toBe(300_000);
    for (const [index, [from]] of ranges.entries()) if (index > 0) expect(from).toBe(ranges[index - 1]?.[1]);
    for (const split of splits.slice(0, -1)) expect(split.bytes).toBeGreaterThanOrEqual(splitBytesMin);
    expect((await sourceOf('{ path: orders.parquet }')).splits).toEqual([
      { file: 0, rows: null, bytes: expect.any(Number) },
    ]);
    expect((await sourceOf('{ path: "many/?.csv" }')).splits.map((split) => [split.file, split.rows])).toEqual([
      [0, null],
      [1, null],
      [2, null],
    ]);
  });

  it('grow instead of getting too many', () => {
    const groups = Array.from({ length: 4000 }, () => ({ rows: 10, bytes: 3 * splitBytesMin }));
    const files = [{ path: 'x', bytes: groups.length * 3 * splitBytesMin, modifiedMs: 0 }];
    const splits = splitsByRowGroup(files, [groups]);
    expect(splits.length).toBeLessThanOrEqual(splitsMax);
    expect(splits.reduce((sum, split) => sum + (split.rows ? split.rows[1] - split.rows[0] : 0), 0)).toBe(40_000);
  });
});

describe('globs of sinks', () => {
  it.each([
    ['/d/part-0.csv', '/d/*.csv', true],
    ['/d/out/part-0.csv', '/d/*.csv', false],
    ['/d/out/part-0.csv', '/d/**/*.csv', true],
    ['/d/part-0.csv', '/d/part-[0-9].csv', true],
    ['/d/part-0.csv', '/d/part-?.parquet', false],
    ['/d/part-0.csv', '/d/[!p]*.csv', false],
  ])('%s against %s: %s', (path, pattern, expected) => expect(matchesGlob(path, pattern)).toBe(expected));
});
