// Sources whose splits an enumerator finds while the job runs: what is refused, what the plan says of them, and when they
// are a vertex of their own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
  folder.write('feed.ts', 'export function* days() {}\nexport async function* read() {}\n');
});
afterAll(() => folder.remove());

const source = 'enumerator: ./feed.ts#days, read: ./feed.ts#read, columns: { id: BIGINT, k: VARCHAR }';
const one = 'one: { inputs: { f: feed }, sql: SELECT id FROM f WHERE id > 1 }';

function job(entry: string, stages = one, sinks = 'out: { input: one, path: out }', sources = ''): string {
  return `name: j\nsources:\n  feed: { ${entry} }\n${sources}stages:\n  ${stages}\nsinks:\n  ${sinks}\n`;
}

describe('refused', () => {
  it.each([
    ['‸path: people.csv, enumerator: ./feed.ts#days', /source feed has path and enumerator; it takes one/],
    ['format: ‸csv', /sources\.feed\.path is missing/],
    [
      '‸enumerator: ./feed.ts#days, format: csv',
      /source feed needs columns: its splits are known only when the job runs/,
    ],
    ['‸enumerator: ./feed.ts#days, columns: { id: BIGINT }', /needs format \(parquet, csv or json\), or read: /],
    ['enumerator: ./feed.ts#days, columns: { id: ‸BIGITN }, format: csv', /is no column type/],
    [
      'enumerator: ./feed.ts#days, columns: { id: BIGINT }, read: ./feed.ts#read, ‸format: csv',
      /format says how files are read; read does that here/,
    ],
    [
      'enumerator: ./feed.ts#days, columns: { id: BIGINT }, format: json, ‸options: { header: true }',
      /options do not apply to json files/,
    ],
    [
      'enumerator: ./feed.ts#days, columns: { id: BIGINT }, format: csv, ‸options: { columns: { id: BIGINT } }',
      /stand beside it/,
    ],
    ['enumerator: ./feed.ts#days, columns: { id: BIGINT }, format: csv, onBadRow: ‸skip', /takes onBadRow: fail only/],
    ['enumerator: ‸./feed.ts#dayz, columns: { id: BIGINT }, format: csv', /\.\/feed\.ts has no export "dayz"/],
    ['enumerator: ‸feed.ts, columns: { id: BIGINT }, format: csv', /enumerator must name a file and an export/],
    [
      'enumerator: ./feed.ts#days, read: ‸./feed.py#read, columns: { id: BIGINT }',
      /read takes \.ts, \.mts, \.js and \.mjs files/,
    ],
    ['path: people.csv, ‸parallelism: 3', /parallelism belongs to sources with an enumerator/],
    [
      'path: people.csv, ‸columns: { id: BIGINT }',
      /columns belongs to sources with an enumerator; for files state them under options/,
    ],
  ])('%s', async (entry, message) => {
    const text = job(entry);
    const before = text.slice(0, text.indexOf('‸')).split('\n');
    const error = await folder.errorOf(text.replace('‸', ''));
    expect(error.message).toMatch(message);
    expect(['JOB_FILE_INVALID', 'FUNCTION_INVALID']).toContain(error.code);
    // A missing key is told where its map begins.
    const isMissing = /path is missing/.test(error.message);
    if (!isMissing) expect(error.data).toMatchObject({ line: before.length, column: (before.at(-1) ?? '').length + 1 });
  });
});

describe('planned', () => {
  it('with what is known: columns, functions, folder, no files', async () => {
    const { graph, modules } = await folder.plan(job(source));
    const [module] = modules;
    const named = (exportName: string) => ({ module: module?.fileName, exportName });
    expect(modules).toHaveLength(1);
    expect(graph.sources[0]).toMatchObject({
      files: [],
      splits: [],
      columns: [
        { name: 'id', type: 'BIGINT' },
        { name: 'k', type: 'VARCHAR' },
      ],
      enumerator: { ...named('days'), reader: named('read'), parallelism: 4, folder: folder.path },
    });
  });

  it.each([
    ['', {}, 4],
    [', parallelism: 7', {}, 7],
    ['', { 'execution.batch.adaptive.auto-parallelism.default-source-parallelism': '2' }, 2],
    [', parallelism: 7', { 'execution.batch.adaptive.auto-parallelism.default-source-parallelism': '2' }, 7],
  ])('parallelism: as stated%s, else the option %o, else the slots', async (stated, overrides, expected) => {
    const { graph } = await folder.plan(job(source + stated), overrides);
    expect(graph.vertices.map(({ name, parallelism }) => [name, parallelism])).toEqual([['one', expected]]);
  });

  it('the stage that reads it may state another', async () => {
    const stages = 'one: { inputs: { f: feed }, sql: SELECT id FROM f, parallelism: 3 }';
    expect((await folder.plan(job(source, stages))).graph.vertices[0]?.parallelism).toBe(3);
  });

  it.each([
    ['one reader', one, 'out: { input: one, path: out }', ['one']],
    [
      'two readers',
      `${one}\n  two: { inputs: { f: feed }, sql: SELECT k FROM f }`,
      'out: { input: one, path: out }\n  more: { input: two, path: more }',
      ['feed', 'one', 'two'],
    ],
    [
      'a reader and a sink',
      one,
      'out: { input: one, path: out }\n  more: { input: feed, path: more }',
      ['feed', 'one'],
    ],
    [
      'a join with itself',
      'one: { inputs: { f: feed, g: feed }, sql: SELECT f.id FROM f JOIN g ON f.id = g.id }',
      'out: { input: one, path: out }',
      ['feed', 'one'],
    ],
    [
      'twice in one stage',
      'one: { inputs: { f: feed, g: feed }, sql: SELECT id FROM f UNION ALL SELECT id FROM g }',
      'out: { input: one, path: out }',
      ['one'],
    ],
  ])('is one coordinator, whoever reads it: %s', async (_what, stages, sinks, vertices) => {
    const { graph } = await folder.plan(job(source, stages, sinks));
    expect(graph.vertices.map(({ name }) => name)).toEqual(vertices);
    const readers = graph.vertices.flatMap(({ inputs }) => inputs.filter(({ kind }) => kind === 'source'));
    expect(readers).toHaveLength(1);
  });

  it('is never taken for small: the other side of a join is', async () => {
    const stages = 'one: { inputs: { f: feed, p: people }, sql: SELECT p.name FROM f JOIN p ON f.id = p.id }';
    const { edges } = await folder.plan(job(source, stages, undefined, '  people: { path: people.csv }\n'));
    expect(edges.map(({ from, exchange }) => [from, exchange])).toEqual([
      ['feed', 'forward'],
      ['people', 'broadcast'],
    ]);
  });

  it('a change of the code is a change of the functions, and none of the plan', async () => {
    const before = (await folder.plan(job(source))).fingerprint;
    folder.write('other/feed.ts', 'export function* days() { yield 1; }\nexport async function* read() {}\n');
    const after = (await folder.plan(job(source.replaceAll('./feed.ts', './other/feed.ts')))).fingerprint;
    expect([after.plan === before.plan, after.functions === before.functions]).toEqual([true, false]);
    const renamed = (await folder.plan(job(source.replace('#days', '#read')))).fingerprint;
    expect([renamed.plan === before.plan, renamed.functions === before.functions]).toEqual([false, true]);
  });
});
