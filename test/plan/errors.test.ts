// What is wrong with a job is found before anything starts, with its code, its place and what was probably meant. In
// the job texts `‸` marks the place that the error must name.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/model/errors.ts';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
});
afterAll(() => folder.remove());

interface Expected {
  readonly code: ErrorCode;
  readonly message: RegExp;
  readonly hint?: RegExp;
  readonly nearest?: string;
}

type Case = readonly [string, string, Expected];

async function check(text: string, expected: Expected): Promise<void> {
  const before = text.slice(0, text.indexOf('‸')).split('\n');
  const error = await folder.errorOf(text.replace('‸', ''));
  expect(error.message).toMatch(expected.message);
  expect(error.code).toBe(expected.code);
  expect(error.data).toMatchObject({ line: before.length, column: (before.at(-1) ?? '').length + 1 });
  expect(error.message).not.toContain('\n');
  if (expected.hint) expect(error.hint).toMatch(expected.hint);
  if (expected.nearest !== undefined) expect(error.data.nearest).toBe(expected.nearest);
}

const sinks = 'sinks: { out: { input: s, path: out } }\n';

/** A job with one stage `s` over two sources; the SQL goes where the place is tested. */
function withStage(stage: string): string {
  return `name: j
sources:
  orders: { path: orders.parquet }
  people: { path: people.csv }
stages:
  s:
${stage
  .split('\n')
  .map((line) => `    ${line}`)
  .join('\n')}
${sinks}`;
}

const shape: readonly Case[] = [
  ['no YAML', 'name: j\nsources: [a\n‸sinks: {', { code: 'JOB_FILE_INVALID', message: /job\.yaml:\d+:\d+: / }],
  ['a key twice', 'name: j\n‸name: k\nsinks: {}\n', { code: 'JOB_FILE_INVALID', message: /stands here twice/ }],
  [
    'a stage twice',
    withStage('inputs: { o: orders }\nsql: SELECT 1\n‸sql: SELECT 2'),
    { code: 'JOB_FILE_INVALID', message: /stands here twice/ },
  ],
  ['no map at all', '‸- a\n- b\n', { code: 'JOB_FILE_INVALID', message: /a job file must be a map/ }],
  [
    'a list of sources',
    `name: j\nsources: ‸[{ path: orders.parquet }]\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /sources must be a map, not a list/ },
  ],
  ['no name', `‸sources: {}\n${sinks}`, { code: 'JOB_FILE_INVALID', message: /name is missing/ }],
  ['a name that is a path', `name: ‸a/b\n${sinks}`, { code: 'JOB_FILE_INVALID', message: /must not contain slashes/ }],
  [
    'no sinks',
    '‸name: j\nsources: { o: { path: orders.parquet } }\n',
    { code: 'JOB_FILE_INVALID', message: /sinks is missing/ },
  ],
  ['empty sinks', 'name: j\n‸sinks: {}\n', { code: 'JOB_FILE_INVALID', message: /at least one sink/ }],
  [
    'an unknown key',
    `name: j\n‸stagess: {}\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /unknown key "stagess"/, hint: /did you mean stages\?/, nearest: 'stages' },
  ],
  [
    'an unknown key of a source',
    `name: j\nsources:\n  o: { path: orders.parquet, ‸fromat: csv }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /unknown key "fromat"/, nearest: 'format' },
  ],
  [
    'an unknown source option',
    `name: j\nsources:\n  p: { path: people.csv, options: { ‸delimeter: ";" } }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /delimeter/, nearest: 'delimiter' },
  ],
  [
    'an unknown key of a stage',
    withStage('inputs: { o: orders }\n‸parallelisme: 2\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /parallelisme/, nearest: 'parallelism' },
  ],
  [
    'an unknown key of an input',
    withStage('inputs:\n  o: { from: orders, ‸exchnage: hash }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /exchnage/, nearest: 'exchange' },
  ],
  [
    'an unknown key of a sink',
    'name: j\nsinks:\n  out:\n    input: s\n    ‸pth: out\n',
    { code: 'JOB_FILE_INVALID', message: /pth/, nearest: 'path' },
  ],
  [
    'an unknown exchange',
    withStage('inputs:\n  o: { from: orders, exchange: ‸shuffle }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /must be one of forward, rescale, rebalance, hash/ },
  ],
  [
    'parallelism 0',
    withStage('inputs: { o: orders }\nparallelism: ‸0\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /at least 1/ },
  ],
  [
    'parallelism in words',
    withStage('inputs: { o: orders }\nparallelism: ‸many\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /whole number/ },
  ],
  [
    'an unknown format',
    `name: j\nsources:\n  o: { path: orders.parquet, format: ‸orc }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /must be one of parquet, csv, json/ },
  ],
  [
    'an unknown option',
    `name: j\nconfig:\n  ‸restart-strategy.tpye: none\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /unknown option restart-strategy\.tpye/, nearest: 'restart-strategy.type' },
  ],
  [
    'an option that is a list',
    `name: j\nconfig:\n  restart-strategy.type: ‸[1]\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /config\.restart-strategy\.type must be text, a number, true or false/ },
  ],
  [
    'a bad option value',
    `name: j\nconfig:\n  task.timeout: ‸soon\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /a duration such as/ },
  ],
];

const references: readonly Case[] = [
  [
    'a missing input',
    withStage('inputs: { o: ‸ordres }\nsql: SELECT * FROM o'),
    {
      code: 'JOB_FILE_INVALID',
      message: /no source or stage "ordres"/,
      hint: /did you mean orders\?/,
      nearest: 'orders',
    },
  ],
  [
    'a missing from',
    withStage('inputs:\n  o: { from: ‸ordres, exchange: gather }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /no source or stage/, nearest: 'orders' },
  ],
  [
    'a sink over nothing',
    'name: j\nsources: { orders: { path: orders.parquet } }\nsinks:\n  out: { input: ‸totals, path: out }\n',
    { code: 'JOB_FILE_INVALID', message: /no source or stage "totals"/ },
  ],
  [
    'a source and a stage of one name',
    `name: j\nsources: { s: { path: orders.parquet } }\nstages:\n  ‸s: { inputs: { s: s }, sql: SELECT * FROM s }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /name of a source and of a stage/ },
  ],
  [
    'a cycle',
    `name: j\nstages:\n  s: { inputs: { t: ‸t }, sql: SELECT * FROM t }\n  t: { inputs: { s: s }, sql: SELECT * FROM s }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /in a circle: s <- t <- s/ },
  ],
  [
    'a stage that reads itself',
    `name: j\nstages:\n  s: { inputs: { t: ‸s }, sql: SELECT * FROM t }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /in a circle: s <- s/ },
  ],
  [
    'two inputs of one name',
    withStage('inputs:\n  o: orders\n  ‸O: people\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /upper from lower case/ },
  ],
  [
    'hash without by',
    withStage('inputs:\n  o: { from: orders, exchange: ‸hash }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /needs by/ },
  ],
  [
    'by without hash',
    withStage('inputs:\n  o: { from: orders, ‸by: id }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /by belongs to exchange: hash/ },
  ],
  [
    'by an unknown column',
    withStage('inputs:\n  o: { from: orders, exchange: hash, by: ‸citty }\nsql: SELECT * FROM o'),
    { code: 'JOB_FILE_INVALID', message: /no column citty/, nearest: 'city' },
  ],
  [
    'neither sql nor map',
    `name: j\nsources: { orders: { path: orders.parquet } }\nstages:\n  ‸s:\n    inputs: { o: orders }\n${sinks}`,
    { code: 'JOB_FILE_INVALID', message: /needs sql or map/ },
  ],
  [
    'sql and map',
    withStage('inputs: { o: orders }\nsql: SELECT 1\n‸map: ./functions.ts#clean'),
    { code: 'JOB_FILE_INVALID', message: /it takes one/ },
  ],
  [
    'columns of a SQL stage',
    withStage('inputs: { o: orders }\nsql: SELECT 1\n‸columns: { a: INT }'),
    { code: 'JOB_FILE_INVALID', message: /columns belong to map stages/ },
  ],
  [
    'two sinks in one folder',
    'name: j\nsources: { o: { path: orders.parquet } }\nsinks:\n  a: { input: o, path: out }\n  b: { input: o, path: ‸out/b }\n',
    { code: 'JOB_FILE_INVALID', message: /folder of its own/ },
  ],
  [
    'a sink in a source',
    'name: j\nsources: { o: { path: "par*/*.csv" }, p: { path: people.csv } }\nsinks:\n  a: { input: p, path: ‸parties, format: csv }\n',
    { code: 'JOB_FILE_INVALID', message: /sink a writes where source o reads/ },
  ],
  [
    'a sink around a source',
    'name: j\nsources: { o: { path: parts/people.csv } }\nsinks:\n  a: { input: o, path: ‸parts }\n',
    { code: 'JOB_FILE_INVALID', message: /sink a writes where source o reads/ },
  ],
  [
    'a sink that is the file of its source',
    'name: j\nsources: { o: { path: parts/people.csv } }\nsinks:\n  a: { input: o, path: ‸parts/people.csv }\n',
    { code: 'JOB_FILE_INVALID', message: /sink a writes into a folder, and .*people\.csv is a file/, hint: /folder/ },
  ],
  [
    'a sink below a file',
    'name: j\nsources: { o: { path: orders.parquet } }\nsinks:\n  a: { input: o, path: ‸people.csv/a/b }\n',
    { code: 'JOB_FILE_INVALID', message: /and .*people\.csv is a file/ },
  ],
];

const sources: readonly Case[] = [
  [
    'a missing file',
    `name: j\nsources:\n  o: { path: ‸nowhere.csv }\n${sinks.replace('s,', 'o,')}`,
    { code: 'SOURCE_UNREADABLE', message: /there is no file .*nowhere\.csv/ },
  ],
  [
    'an empty glob',
    `name: j\nsources:\n  o: { path: ‸"empty/*.csv" }\n${sinks.replace('s,', 'o,')}`,
    { code: 'SOURCE_UNREADABLE', message: /no file matches/ },
  ],
  [
    'a folder',
    `name: j\nsources:\n  o: { path: ‸empty }\n${sinks.replace('s,', 'o,')}`,
    { code: 'SOURCE_UNREADABLE', message: /is a folder/, hint: /empty\/\*\.parquet/ },
  ],
  [
    'a corrupt file',
    `name: j\nsources:\n  o: { path: ‸broken.parquet }\n${sinks.replace('s,', 'o,')}`,
    { code: 'SOURCE_UNREADABLE', message: /source o: .*broken\.parquet/ },
  ],
  [
    'one bad file of a list',
    `name: j\nsources:\n  o: { path: ‸[orders.parquet, gone.parquet] }\n${sinks.replace('s,', 'o,')}`,
    { code: 'SOURCE_UNREADABLE', message: /gone\.parquet/ },
  ],
  [
    'no format to be told',
    `name: j\nsources:\n  o: { path: ‸functions.ts }\n${sinks.replace('s,', 'o,')}`,
    { code: 'JOB_FILE_INVALID', message: /state format/ },
  ],
  [
    'a csv option of a Parquet source',
    `name: j\nsources:\n  o: { path: orders.parquet, options: { ‸header: true } }\n${sinks.replace('s,', 'o,')}`,
    { code: 'JOB_FILE_INVALID', message: /does not apply to parquet/ },
  ],
  [
    'onBadRow of a Parquet source',
    `name: j\nsources:\n  o: { path: orders.parquet, onBadRow: ‸skip }\n${sinks.replace('s,', 'o,')}`,
    { code: 'JOB_FILE_INVALID', message: /does not apply to parquet/ },
  ],
  [
    'a bad column type',
    `name: j\nsources:\n  p:\n    path: people.csv\n    options:\n      columns:\n        id: ‸INTEGRE\n${sinks.replace('s,', 'p,')}`,
    { code: 'JOB_FILE_INVALID', message: /"INTEGRE" is no column type/ },
  ],
  [
    'a column type that is more',
    `name: j\nsources:\n  p: { path: people.csv, options: { columns: { id: ‸"INT) AS a, (1" } } }\n${sinks.replace('s,', 'p,')}`,
    { code: 'JOB_FILE_INVALID', message: /no column type/ },
  ],
  [
    'a column that the header lacks',
    `name: j\nsources:\n  p: { path: ‸people.csv, options: { columns: { nmae: VARCHAR } } }\n${sinks.replace('s,', 'p,')}`,
    { code: 'SOURCE_UNREADABLE', message: /nmae/, hint: /name/ },
  ],
];

const sql: readonly Case[] = [
  [
    'a syntax error on one line',
    withStage('inputs: { o: orders }\nsql: SELECT id FORM ‸o'),
    { code: 'SQL_INVALID', message: /syntax error at or near "o"/ },
  ],
  [
    'an unknown column in a block',
    withStage('inputs: { o: orders }\nsql: |\n  SELECT id,\n    ‸nosuch\n  FROM o'),
    { code: 'SQL_INVALID', message: /Referenced column "nosuch" not found/ },
  ],
  [
    'in a folded block',
    withStage('inputs: { o: orders }\nsql: >-\n  SELECT id,\n  ‸nosuch\n\n  FROM o'),
    { code: 'SQL_INVALID', message: /nosuch/ },
  ],
  [
    'in quotes',
    withStage('inputs: { o: orders }\nsql: "SELECT id, ‸nosuch FROM o"'),
    { code: 'SQL_INVALID', message: /nosuch/ },
  ],
  [
    'behind letters of several bytes',
    withStage("inputs: { o: orders }\nsql: SELECT 'äöü€' AS x, ‸nosuch FROM o"),
    { code: 'SQL_INVALID', message: /nosuch/ },
  ],
  [
    'an unknown function',
    withStage('inputs: { o: orders }\nsql: SELECT ‸frobnicate(id) AS x FROM o'),
    { code: 'SQL_INVALID', message: /frobnicate/ },
  ],
  [
    'a table that is no input',
    withStage('inputs: { orders: orders }\nsql: SELECT * FROM ‸oders'),
    { code: 'SQL_INVALID', message: /oders/ },
  ],
  [
    'a file instead of an input',
    withStage("inputs: { o: orders }\nsql: SELECT * FROM o, ‸'broken.parquet' b"),
    { code: 'SQL_INVALID', message: /broken\.parquet/ },
  ],
  [
    'a table function that reads files',
    withStage("inputs: { o: orders }\nsql: SELECT o.id FROM o, ‸glob('*') g"),
    { code: 'SQL_INVALID', message: /table function glob may not be used/ },
  ],
  [
    'two statements',
    withStage('inputs: { o: orders }\nsql: ‸SELECT 1; SELECT 2'),
    { code: 'SQL_INVALID', message: /one SELECT, not 2/ },
  ],
  [
    'no SELECT',
    withStage('inputs: { o: orders }\nsql: ‸DELETE FROM o'),
    { code: 'SQL_INVALID', message: /one SELECT/ },
  ],
  [
    'a parameter',
    withStage('inputs: { o: orders }\nsql: ‸SELECT id FROM o WHERE id = ?'),
    { code: 'SQL_INVALID', message: /parameter/ },
  ],
  [
    'two columns of one name',
    withStage('inputs: { o: orders }\nsql: ‸SELECT id, city AS ID FROM o'),
    { code: 'SQL_INVALID', message: /two columns named/ },
  ],
];

const exchanges: readonly Case[] = [
  [
    'GROUP BY over forward',
    withStage(
      'inputs:\n  o: { from: orders, exchange: ‸forward }\nsql: SELECT city, count(*) AS n FROM o GROUP BY city',
    ),
    { code: 'EXCHANGE_REFUSED', message: /would change the answer: GROUP BY/, hint: /perTask/ },
  ],
  [
    'a join of unlike keys',
    withStage(
      'inputs:\n  o: { from: orders, exchange: ‸hash, by: city }\n  p: { from: people, exchange: hash, by: name }\nsql: SELECT o.id FROM o JOIN p ON o.city = p.name',
    ),
    { code: 'EXCHANGE_REFUSED', message: /o\.city is INTEGER, p\.name is VARCHAR/ },
  ],
  [
    'ORDER BY on several tasks',
    withStage('inputs: { o: orders }\nparallelism: ‸4\nsql: SELECT * FROM o ORDER BY id'),
    { code: 'EXCHANGE_REFUSED', message: /ORDER BY needs all rows on one task/ },
  ],
  [
    'gather on several tasks',
    withStage('inputs:\n  o: { from: orders, exchange: ‸gather }\nparallelism: 4\nsql: SELECT * FROM o'),
    { code: 'EXCHANGE_REFUSED', message: /gather means one task, but parallelism is 4/ },
  ],
  [
    'everything broadcast to several tasks',
    withStage('inputs:\n  o: { from: orders, exchange: ‸broadcast }\nparallelism: 2\nsql: SELECT * FROM o'),
    { code: 'EXCHANGE_REFUSED', message: /every task would give all rows/ },
  ],
];

const functions: readonly Case[] = [
  [
    'no export named',
    withStage('inputs: { o: orders }\nmap: ‸./functions.ts'),
    { code: 'FUNCTION_INVALID', message: /a file and an export/ },
  ],
  [
    'a missing export',
    withStage('inputs: { o: orders }\nmap: ‸./functions.ts#claen'),
    { code: 'FUNCTION_INVALID', message: /no export "claen"/, nearest: 'clean' },
  ],
  [
    'a missing file',
    withStage('inputs: { o: orders }\nmap: ‸./nowhere.ts#clean'),
    { code: 'FUNCTION_INVALID', message: /there is no file/ },
  ],
  [
    'a strange extension',
    withStage('inputs: { o: orders }\nmap: ‸./functions.py#clean'),
    { code: 'FUNCTION_INVALID', message: /takes \.ts/ },
  ],
  [
    'two inputs of a function',
    withStage('‸inputs: { o: orders, p: people }\nmap: ./functions.ts#clean'),
    { code: 'JOB_FILE_INVALID', message: /exactly one input/ },
  ],
  [
    'a bad column type',
    withStage('inputs: { o: orders }\nmap: ./functions.ts#clean\ncolumns: { a: ‸BIGGINT }'),
    { code: 'JOB_FILE_INVALID', message: /"BIGGINT" is no column type/ },
  ],
];

describe.each([
  ['shape', shape],
  ['references', references],
  ['sources', sources],
  ['SQL', sql],
  ['exchanges', exchanges],
  ['functions', functions],
] as const)('%s', (_, cases) => {
  it.each(cases)('%s', (_name, text, expected) => check(text, expected));
});

describe('elsewhere', () => {
  it('names file, line and column of a syntax error in a function', async () => {
    const error = await folder.errorOf(withStage('inputs: { o: orders }\nmap: ./broken.ts#clean'));
    expect(error.code).toBe('FUNCTION_INVALID');
    expect(error.data).toMatchObject({ line: 2, file: 'broken.ts' });
    expect(error.message).toMatch(/^broken\.ts:2:\d+: /);
  });

  it('says that a job file cannot be read', async () => {
    const { planJob } = await import('../../src/plan/plan-job.ts');
    await expect(planJob({ path: '/nowhere/job.yaml', overrides: {}, totalSlots: 1 })).rejects.toMatchObject({
      code: 'JOB_FILE_UNREADABLE',
    });
  });

  it('refuses an option that was given beside the file', async () => {
    const job = withStage('inputs: { o: orders }\nsql: SELECT * FROM o');
    await expect(folder.plan(job, { 'task.timeot': '1 s' })).rejects.toMatchObject({
      data: { nearest: 'task.timeout' },
    });
  });

  it('takes JSON, and names places in it', async () => {
    const error = await folder.errorOf('{\n  "name": "j",\n\t"sinks": {},\n  "sorces": {}\n}');
    expect(error.data).toMatchObject({ line: 4, column: 3, nearest: 'sources' });
  });
});
