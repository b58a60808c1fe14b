// Enumerators that fail under a running job, and files that are not what they were: the restart strategy decides, the
// JobMaster goes on, and the answer is right or the cause is named.
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/services/run-report.ts';
import { openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';
import { eventually, parseJson, pause, runCli } from './cli.ts';
import {
  allRows,
  emptyFeedJob,
  endOf,
  type FeedJob,
  feedJob,
  folderOf,
  hasBegun,
  killMaster,
  openGates,
  readsOf,
  rowsBySplit,
  sourceHasFinished,
  splitIds,
  startFeed,
} from './feed-job.ts';

/** Six splits to whoever asks; `trouble` runs before the fourth one is given, once: a file says that it has. */
function troubled(trouble: string, snapshots: boolean): string {
  return `import { existsSync, writeFileSync } from 'node:fs';
export function feed(context: { folder: string }) {
  let given = 0;
  const had = context.folder + '/had-trouble';
  return {
    async next() {
      if (given === 3 && !existsSync(had)) {
        writeFileSync(had, '');
        ${trouble}
      }
      return given < 6 ? { id: 's' + given, data: { first: 50 * given++ } } : null;
    },
    ${snapshots ? 'snapshot: () => given, restore(state: number) { given = state; },' : ''}
  };
}
`;
}

async function failures(job: FeedJob): Promise<{ cause: string; counted: boolean }[]> {
  const args = ['inspect', await folderOf(job), '--events', '--type', 'execution-failed', '--json'];
  const { stdout } = await runCli(args);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

describe('an enumerator that fails once', () => {
  it.each([
    ['throws, with snapshots', `throw new Error('no answer');`, true],
    ['throws, without snapshots', `throw new Error('no answer');`, false],
    ['burns its processor, with snapshots', 'for (;;);', true],
  ])('%s: the attempt that asked has failed, and the answer is right', async (_what, trouble, snapshots) => {
    const config = { 'source.enumerator.timeout': '1 s' };
    const job = await feedJob({ snapshots, config, enumerator: troubled(trouble, snapshots) });
    await openGates(job, ...splitIds, 'hold');
    const report = await endOf(startFeed(job));
    expect([report.state, report.failure]).toEqual(['FINISHED', undefined]);
    expect(await rowsBySplit(job)).toEqual(allRows);
    const counted = (await failures(job)).filter((failure) => failure.counted);
    expect(counted.map(({ cause }) => cause)).toEqual([
      expect.stringMatching(
        trouble === 'for (;;);'
          ? /^source feed: enumerator feed did not answer within source\.enumerator\.timeout \(1 s\)$/
          : /^source feed: enumerator feed: no answer \(.*feed\.ts:9:\d+\)$/,
      ),
    ]);
    // Without snapshots nobody knows what had been handed out: the first three are read again.
    expect((await readsOf(job)).s0 ?? 0).toBeGreaterThanOrEqual(snapshots ? 1 : 2);
  });
});

it('an enumerator that always fails ends the job by its restart strategy, with file and line', async () => {
  const enumerator = `export function* feed() {\n  yield { id: 's0', data: { first: 0 } };\n  throw new RangeError('no such table');\n}\n`;
  const config = { 'restart-strategy.fixed-delay.attempts': '2' };
  const job = await feedJob({ snapshots: false, config, enumerator });
  await openGates(job, ...splitIds, 'hold');
  const result = await startFeed(job).result;
  const report = parseJson<RunReport>(result);
  expect([result.code, report.state]).toEqual([7, 'FAILED']);
  expect(report.failure?.message).toMatch(
    /feed#\d: source feed: enumerator feed: RangeError: no such table \(.*feed\.ts:3:9\)/,
  );
  const counted = (await failures(job)).filter((failure) => failure.counted);
  expect(counted).toHaveLength(3);
});

it('the example of the documentation runs as it is', async () => {
  const job = await emptyFeedJob();
  const { folder } = job;
  await cp(fileURLToPath(new URL('../../examples/sensor-days', import.meta.url)), folder, { recursive: true });
  expect((await endOf(startFeed(job))).state).toBe('FINISHED');
  const rows = await query(`SELECT * FROM read_csv(${quoteLiteral(join(folder, 'out/part-*.csv'))}) ORDER BY mean`);
  expect(rows).toEqual(
    [9, 13, 17].map((mean, at) => {
      const readings = String(90 * 24);
      return { sensor: ['cellar', 'kitchen', 'roof'][at], readings, mean, warmest: mean + 7 };
    }),
  );
});

describe('splits that are files', () => {
  const columns = '{ id: BIGINT, name: VARCHAR, price: "DECIMAL(9,2)" }';

  async function filesJob(enumerator: string, source: string): Promise<FeedJob & { readonly data: string }> {
    const job = await emptyFeedJob();
    const { folder } = job;
    const data = join(folder, 'data');
    await mkdir(data);
    await writeFile(join(folder, 'files.ts'), enumerator);
    const text = `name: files
config: { restart-strategy.type: none }
sources: { items: { enumerator: ./files.ts#files, columns: ${columns}, parallelism: 3, ${source} } }
stages:
  sums:
    inputs: { i: items }
    sql: SELECT name, count(*) AS n, sum(id) AS ids, sum(price) AS total FROM i GROUP BY name
sinks: { out: { input: sums, path: out/, format: parquet } }
`;
    await writeFile(job.jobFile, text);
    return { ...job, data };
  }

  const rows = (where: string) =>
    `SELECT i::BIGINT AS id, 'n' || (i % 7) AS name, (i % 1000 / 4)::DECIMAL(9,2) AS price FROM range(20000) t(i) WHERE ${where}`;
  const answer = (from: string) =>
    `SELECT name, count(*) AS n, sum(id) AS ids, sum(price) AS total FROM ${from} GROUP BY name ORDER BY name`;

  it.each([
    ['parquet', 'FORMAT parquet, ROW_GROUP_SIZE 2048'],
    ['csv', `FORMAT csv, HEADER, DELIMITER ';'`],
    ['json', 'FORMAT json'],
  ])('of %s give the answer of DuckDB', async (format, options) => {
    const source = `format: ${format}${format === 'csv' ? `, options: { delimiter: ";" }` : ''}`;
    const pieces = format === 'parquet' ? '[[0, 3000], [3000, 9000], [9000, 10000]]' : '[undefined]';
    const enumerator = `export async function* files() {
  for (const file of ['a', 'b']) for (const rows of ${pieces} as [number, number][]) yield { id: file + rows, path: 'data/' + file + '.${format}', rows };
}\n`;
    const job = await filesJob(enumerator, source);
    for (const [file, where] of Object.entries({ a: 'i % 2 = 0', b: 'i % 2 = 1' })) {
      await query(`COPY (${rows(where)}) TO ${quoteLiteral(join(job.data, `${file}.${format}`))} (${options})`);
    }
    const report = await endOf(startFeed(job));
    expect([report.state, report.failure]).toEqual(['FINISHED', undefined]);
    const found = await query(
      `SELECT * FROM read_parquet(${quoteLiteral(join(job.folder, 'out/part-*.parquet'))}) ORDER BY name`,
    );
    expect(found).toEqual(await query(answer(`(${rows('true')})`)));
  });

  it('are refused where they are not what the source says, naming file and line', async () => {
    const enumerator = `export const files = () => [{ id: 'a', path: 'data/a.csv' }];\n`;
    const failureOf = async (text: string) => {
      const job = await filesJob(enumerator, 'format: csv');
      await writeFile(join(job.data, 'a.csv'), text);
      return (await endOf(startFeed(job))).failure?.message ?? '';
    };
    expect(await failureOf('id,name,price\n1,x,2.5\nzwei,y,3\n')).toMatch(/source items: .*a\.csv line 3: .*zwei/);
    expect(await failureOf('id,price,name\n1,2.5,x\n')).toMatch(
      /the header of .*a\.csv is id, price, name; its columns are id, name, price/,
    );
  });

  it('that are not there fail the attempt that asked; those that changed since they were found fail the job', async () => {
    const missing = await filesJob(`export const files = () => [{ id: 'a', path: 'data/none.csv' }];\n`, 'format: csv');
    expect((await endOf(startFeed(missing))).failure?.message).toMatch(
      /its enumerator gave split a: cannot read .*none\.csv: ENOENT/,
    );
    const slow = `export async function* files(context: { folder: string }) {
  yield { id: 'a', path: 'data/a.csv' };
  const { existsSync } = await import('node:fs');
  while (!existsSync(context.folder + '/go')) await new Promise((resolve) => setTimeout(resolve, 5));
  yield { id: 'b', path: 'data/a.csv' };
}\n`;
    const job = await filesJob(slow, 'format: csv');
    await writeFile(join(job.data, 'a.csv'), 'id,name,price\n1,x,2.5\n');
    const run = startFeed(job);
    await begunToRead(job);
    await writeFile(join(job.data, 'a.csv'), 'id,name,price\n1,x,2.5\n2,y,3\n');
    await writeFile(join(job.folder, 'go'), '');
    const { failure } = await endOf(run);
    expect(failure?.message).toMatch(/source items: .*a\.csv changed while the job runs: it had 22 bytes and has 28/);
  });
});

it('a file that changed while no JobMaster lived is noticed by the next one', async () => {
  const enumerator = `export function feed(context: { folder: string }) {
  let given = [0, 0, 0];
  return {
    next(subtask: number) {
      const place = given[subtask] ?? 0;
      if (place >= 2) return null;
      given = given.with(subtask, place + 1);
      const number = 2 * subtask + place;
      return { id: 's' + number, path: 'input-' + number + '.txt', data: { first: 50 * number } };
    },
    snapshot: () => given,
    restore(state: number[]) { given = state; },
  };
}\n`;
  const job = await feedJob({ snapshots: true, enumerator });
  for (const number of splitIds.keys()) await writeFile(join(job.folder, `input-${number}.txt`), 'as it was');
  await openGates(job, 's0', 's1', 'hold');
  startFeed(job);
  await sourceHasFinished(job, 1);
  await hasBegun(job, 's0', 's1', 's2', 's4');
  await killMaster(job);
  // Its rows are among those that are kept.
  await writeFile(join(job.folder, 'input-1.txt'), 'as it is now');
  await openGates(job, ...splitIds);
  const report = await endOf(startFeed(job));
  expect(report.state).toBe('FAILED');
  expect(report.failure?.message).toMatch(/source feed: .*input-1\.txt changed since a split of it was found/);
  expect((await readsOf(job)).s1).toBe(1);
});

/** Waits until a split was handed out and the enumerator is asked for the next. */
async function begunToRead(job: FeedJob): Promise<void> {
  const log = await eventually('the job', async () => folderOf(job));
  await eventually('a coordinator that has started', async () => {
    const { stdout } = await runCli(['inspect', log, '--json']);
    await pause(50);
    return /"coordinator-snapshot":\s*1/.test(stdout) ? true : null;
  });
  await pause(300);
}

async function query(sql: string): Promise<unknown> {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  const reader = await connection.runAndReadAll(sql);
  const found = reader.getRowObjectsJson();
  connection.closeSync();
  database.closeSync();
  return found;
}
