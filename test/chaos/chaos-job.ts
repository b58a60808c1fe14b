// A drawn job on disk: data files, job file, map functions, home; DuckDB's own answer for each sink, and what the
// sinks hold. Everything lies in one temporary folder, whose path also tells the job's processes from all others.
import { mkdir, mkdtemp, readdir, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase, quoteLiteral } from '../../src/sql/duckdb.ts';
import {
  type FileFormat,
  type JobShape,
  rowColumns,
  type ShapedSink,
  type ShapedSource,
  type ShapedStage,
  singleQuery,
} from './job-shape.ts';

export interface ChaosJob {
  readonly shape: JobShape;
  readonly folder: string;
  readonly jobFile: string;
  readonly home: string;
  /** Sink name → the rows of DuckDB's single query, as sorted JSON. */
  readonly expected: ReadonlyMap<string, readonly string[]>;
}

/** In a folder of its own below `parent`. */
export async function createChaosJob(shape: JobShape, parent = tmpdir()): Promise<ChaosJob> {
  const folder = await realpath(await mkdtemp(join(parent, 'jobrec-chaos-')));
  await mkdir(join(folder, 'data'));
  const jobFile = join(folder, 'job.json');
  await writeFile(jobFile, `${JSON.stringify(jobFileOf(shape), null, 1)}\n`);
  await writeFile(join(folder, 'functions.ts'), functionsOf(shape));
  await writeFile(join(folder, 'enumerators.ts'), enumeratorsOf(shape));
  const expected = await withDatabase(async (query) => {
    for (const [index, source] of shape.sources.entries()) await writeSource(query, folder, source, index);
    const answers = new Map<string, string[]>();
    for (const sink of shape.sinks) {
      answers.set(sink.name, await query(singleQuery(shape, sink, (source) => scanOf(folder, source))));
    }
    return answers;
  });
  return { shape, folder, jobFile, home: join(folder, 'home'), expected };
}

export function sinkFolder(job: ChaosJob, sink: ShapedSink): string {
  return join(job.folder, 'out', sink.name);
}

/** The rows that a sink holds, as sorted JSON. */
export async function sinkRows(job: ChaosJob, sink: ShapedSink): Promise<string[]> {
  const folder = sinkFolder(job, sink);
  const parts = (await readdir(folder)).filter((name) => name.startsWith('part-'));
  if (parts.length === 0) return [];
  const files = join(folder, `part-*.${sink.format}`);
  return withDatabase((query) => query(`SELECT id, k, g, v FROM ${readerOf(sink.format, files)}`));
}

function jobFileOf(shape: JobShape): object {
  return {
    name: 'chaos',
    ...(shape.shuffle ? { shuffle: shape.shuffle } : {}),
    sources: Object.fromEntries(shape.sources.map((source) => [source.name, sourceEntry(source)])),
    stages: Object.fromEntries(shape.stages.map((stage) => [stage.name, stageEntry(stage)])),
    sinks: Object.fromEntries(
      shape.sinks.map(({ name, input, format, mode }) => [name, { input, path: `out/${name}/`, format, mode }]),
    ),
  };
}

function sourceEntry({ name, format, finder }: ShapedSource): object {
  if (finder !== 'planner') return { enumerator: `./enumerators.ts#${name}`, format, columns: rowColumns };
  const path = `data/${name}-*.${format}`;
  return format === 'parquet' ? { path } : { path, options: { columns: rowColumns } };
}

function stageEntry({ inputs, sql, mapAdds, parallelism, chain, name }: ShapedStage): object {
  const made = mapAdds === null ? { sql } : { map: `./functions.ts#${name}`, columns: rowColumns };
  return {
    inputs,
    ...made,
    ...(parallelism === null ? {} : { parallelism }),
    ...(chain ? {} : { chain: false }),
  };
}

function functionsOf(shape: JobShape): string {
  const functions = shape.stages.flatMap(({ name, mapAdds }) =>
    mapAdds === null
      ? []
      : [
          `export async function* ${name}(rows: AsyncIterable<Row>) {\n  await pause();\n  for await (const row of rows) yield { ...row, v: row.v + ${mapAdds}n };\n}\n`,
        ],
  );
  const head = `type Row = { id: bigint; k: number; g: string | null; v: bigint };\nconst pause = () => new Promise<void>((resolve) => setTimeout(resolve, ${shape.pauseMs}));\n`;
  return `${head}\n${functions.join('\n')}`;
}

/** Files one by one, Parquet in pieces, a little apart in time: a kill finds some handed out and some not. */
function enumeratorsOf({ sources }: JobShape): string {
  const enumerators = sources.map((source) => {
    const splits = JSON.stringify(splitsOf(source));
    const state = 'snapshot: () => at, restore(state: number) { at = state; },';
    return `export function ${source.name}() {
  const splits = ${splits};
  let at = 0;
  return {
    async next() {
      await pause();
      return splits[at++] ?? null;
    },
    ${source.finder === 'enumerator' ? state : ''}
  };
}
`;
  });
  const head = 'const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 4));\n';
  return `${head}\n${enumerators.join('\n')}`;
}

const piecesOfFile = 3;

function splitsOf({ name, format, rows, files }: ShapedSource): object[] {
  const paths = Array.from({ length: files }, (_, file) => `data/${name}-${file}.${format}`);
  if (format !== 'parquet') return paths.map((path) => ({ id: path, path }));
  const size = Math.ceil(Math.ceil(rows / files) / piecesOfFile);
  return paths.flatMap((path) =>
    Array.from({ length: piecesOfFile }, (_, piece) => {
      return { id: `${path} ${piece}`, path, rows: [piece * size, (piece + 1) * size] };
    }),
  );
}

type Query = (sql: string) => Promise<string[]>;

async function writeSource(query: Query, folder: string, source: ShapedSource, index: number): Promise<void> {
  const { name, rows, files, format } = source;
  const g = `CASE WHEN hash(i, ${index}) % 13 = 0 THEN NULL ELSE 'g' || (hash(i, 3) % 17) END`;
  const v = `(hash(i, ${index + 5}) % 10000)::BIGINT`;
  for (let file = 0; file < files; file += 1) {
    const target = quoteLiteral(join(folder, `data/${name}-${file}.${format}`));
    const options = format === 'csv' ? 'FORMAT csv, HEADER' : `FORMAT ${format}`;
    await query(
      `COPY (SELECT i::BIGINT AS id, (hash(i, 7) % 61)::INTEGER AS k, ${g} AS g, ${v} AS v
       FROM range(${rows}) t(i) WHERE i % ${files} = ${file}) TO ${target} (${options})`,
    );
  }
}

function scanOf(folder: string, { name, format }: ShapedSource): string {
  return `SELECT id, k, g, v FROM ${readerOf(format, join(folder, `data/${name}-*.${format}`))}`;
}

function readerOf(format: FileFormat, files: string): string {
  const columns = `{${Object.entries(rowColumns)
    .map(([name, type]) => `'${name}': '${type}'`)
    .join(', ')}}`;
  const path = quoteLiteral(files);
  if (format === 'parquet') return `read_parquet(${path})`;
  if (format === 'csv') return `read_csv(${path}, header = true, columns = ${columns})`;
  return `read_json(${path}, format = 'newline_delimited', columns = ${columns})`;
}

async function withDatabase<T>(work: (query: Query) => Promise<T>): Promise<T> {
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  try {
    return await work(async (sql) => {
      const reader = await connection.runAndReadAll(sql);
      return reader
        .getRowObjectsJson()
        .map((row) => JSON.stringify(row))
        .sort();
    });
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}
