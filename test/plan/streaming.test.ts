// Planning a job of `mode: streaming`: what is chained, how rows move, and where an error stands in the file.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import { planJob } from '../../src/plan/plan-job.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jobrec-plan-stream-'));
  await writeFile(join(folder, 'f.ts'), 'export const f = (row: object) => row;\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const plan = (text: string, overrides: Record<string, string> = {}) =>
  planJob({ path: join(folder, 'job.yaml'), text, overrides, totalSlots: 2 });

const head = 'name: j\nmode: streaming\n';
const source = 'sources: { s: { log: in } }\n';
const sink = 'sinks: { out: { input: m, print: true } }\n';
const stages = (text: string) => `stages: { ${text} }\n`;

async function streamingOf(text: string, overrides: Record<string, string> = {}) {
  const { graph } = await plan(text, overrides);
  if (!graph.streaming) throw new Error('a streaming plan was expected');
  return { graph, vertices: graph.streaming.vertices };
}

describe('chaining', () => {
  it('joins what is read row by row by as many tasks, and cuts at a hash', async () => {
    const { vertices, graph } = await streamingOf(
      `${head}${source}${stages('p: { inputs: { s: s }, map: ./f.ts#f }, m: { inputs: { p: p }, sum: n, keyBy: k }')}${sink}`,
    );
    expect(vertices.map(({ name }) => name)).toEqual(['Source: s -> p', 'm -> Sink: out']);
    expect(vertices[0]?.outputs).toMatchObject([{ operator: 1, exchange: 'hash', by: ['k'] }]);
    expect(vertices[1]?.inputs).toEqual([
      { datasetId: vertices[0]?.outputs[0]?.datasetId, producerVertexId: vertices[0]?.vertexId },
    ]);
    expect(graph.edges).toMatchObject([{ exchange: 'hash', producerVertexId: graph.vertices[0]?.id }]);
    expect(graph.vertices.map((vertex) => vertex.stages)).toEqual([['p'], ['m']]);
  });

  it('keeps a tree of operators in one vertex, and two inputs apart', async () => {
    const { vertices } = await streamingOf(
      `${head}sources: { s: { log: in }, t: { log: in2 } }\n` +
        stages('a: { inputs: { s: s }, map: ./f.ts#f }, m: { inputs: { a: a, t: t }, map: ./f.ts#f }') +
        'sinks: { out: { input: m, print: true }, raw: { input: s, print: true } }\n',
    );
    expect(vertices.map(({ name }) => name)).toEqual(['Source: s -> a -> Sink: raw', 'Source: t', 'm -> Sink: out']);
    expect(vertices[0]?.operators.map(({ input }) => input)).toEqual([null, 0, 0]);
    expect(vertices[2]?.inputs.length).toBe(2);
  });

  it('puts watermarks where the rows come from', async () => {
    const window = 'window: { tumbling: 1 min, time: ts, lateness: 5 s }';
    const { vertices } = await streamingOf(
      `${head}${source}${stages(`m: { inputs: { s: s }, sum: n, keyBy: k, ${window} }`)}${sink}`,
    );
    expect(vertices.map(({ name }) => name)).toEqual(['Source: s -> watermarks of m', 'm -> Sink: out']);
    expect(vertices[1]?.operators[0]?.spec).toMatchObject({
      window: { sizeMs: 60_000, time: 'ts', latenessMs: 5_000 },
    });
  });

  it('rebalances between parallelisms, and takes the default of the job', async () => {
    const { vertices } = await streamingOf(
      `${head}${source}${stages('m: { inputs: { s: s }, map: ./f.ts#f, parallelism: 3 }')}${sink}`,
      { 'parallelism.default': '2' },
    );
    expect(vertices.map(({ parallelism }) => parallelism)).toEqual([2, 3]);
    expect(vertices[0]?.outputs[0]?.exchange).toBe('rebalance');
  });

  it('names state by uid alone: another name, another place in the job, the same operator', async () => {
    const first = await streamingOf(
      `${head}${source}${stages('m: { inputs: { s: s }, sum: n, keyBy: k, uid: Sum }')}${sink}`,
    );
    const second = await streamingOf(
      `${head}${source}${stages('p: { inputs: { s: s }, map: ./f.ts#f }, m2: { inputs: { p: p }, sum: n, keyBy: k, uid: Sum }')}sinks: { out: { input: m2, print: true } }\n`,
    );
    const idOf = ({ vertices }: typeof first) =>
      vertices.flatMap(({ operators }) => operators).find(({ uid }) => uid === 'Sum')?.operatorId;
    expect(idOf(first)).toBe(idOf(second));
  });
});

describe('errors name file, line and column', () => {
  const m = (text: string) => `${head}${source}${stages(`m: { inputs: { s: s }, ${text} }`)}${sink}`;
  it.each([
    ['unknown key', m('summ: n'), 4, 'unknown key "summ"'],
    ['no kind', m('parallelism: 2'), 4, 'stage m needs one of map'],
    ['two kinds', m('sum: n, map: ./f.ts#f, keyBy: k'), 4, 'it takes one'],
    ['no key', m('sum: n'), 4, 'sum needs keyBy'],
    ['a key for nothing', m('map: ./f.ts#f, keyBy: k'), 4, 'keyBy belongs to'],
    ['no such export', m('map: ./f.ts#g'), 4, 'has no export "g"'],
    ['a window of a map', m('map: ./f.ts#f, window: { tumbling: 1 s, time: t }'), 4, 'window belongs to'],
    ['no duration', m('sum: n, keyBy: k, window: { tumbling: soon, time: t }'), 4, 'must be a duration'],
    ['no source kind', `${head}sources: { m: { format: json } }\n${sink}`, 3, 'needs one of log, kafka'],
    ['two source kinds', `${head}sources: { m: { log: a, socket: "h:1" } }\n${sink}`, 3, 'it takes one of'],
    ['a bad socket', `${head}sources: { m: { socket: "h:99999" } }\n${sink}`, 3, 'socket takes host:port'],
    ['no sink kind', `${head}sources: { m: { log: a } }\nsinks: { out: { input: m } }\n`, 4, 'needs one of print'],
    [
      'a file for a sink',
      `${head}sources: { m: { log: a } }\nsinks:\n  out: { input: m, path: f.ts/x }\n`,
      5,
      'f.ts is a file',
    ],
    ['SQL', m('sql: SELECT 1'), 4, 'unknown key "sql"'],
    ['an unknown reference', `${head}${source}${sink}`, 4, 'there is no source or stage "m"'],
    ['an unknown mode', 'name: j\nmode: stream\n', 2, 'must be batch or streaming'],
    [
      'an exchange of batch jobs',
      m('map: ./f.ts#f').replace('s: s }', 's: { from: s, exchange: gather } }'),
      4,
      'not gather',
    ],
    ['a uid twice', m('map: ./f.ts#f, uid: s'), 4, 'uid s is that of source s, too'],
    [
      'forward between parallelisms',
      m('map: ./f.ts#f, parallelism: 2').replace('s: s }', 's: { from: s, exchange: forward } }'),
      4,
      'forward needs equal parallelism',
    ],
    ['more tasks than key groups', m('sum: n, keyBy: k, parallelism: 200'), 4, 'more than pipeline.max-parallelism'],
    [
      'a start that is no time',
      `${head}sources: { m: { generator: { columns: { at: { time: { start: "2026-01-31T12:00", step: 1 } } } } } }\n${sink}`,
      3,
      'must be whole milliseconds since 1970, or a time such as',
    ],
    [
      'a bad option',
      `name: j\nmode: streaming\nconfig: { execution.checkpointing.interval: often }\nsources: { m: { log: in } }\n${sink}`,
      3,
      'is not a duration',
    ],
  ])('%s', async (_what, text, line, message) => {
    const error = await plan(text).then(
      () => null,
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(JobrecError);
    expect((error as JobrecError).message).toContain(message);
    expect((error as JobrecError).data).toMatchObject({ line });
    expect((error as JobrecError).message).toMatch(/job\.yaml:\d+:\d+: /);
  });
});

describe('folders of file sinks', () => {
  const twoSinks = (first: string, second: string) =>
    `${head}sources: { s: { log: in } }\nsinks:\n  a: { input: s, path: ${first} }\n  b: { input: s, path: ${second} }\n`;
  const refusal = (text: string) =>
    plan(text).then(
      () => null,
      (error: unknown) => error as JobrecError,
    );
  const twice = 'sink b writes into the folder of sink a: each needs a folder of its own';

  it.each([
    ['one folder twice', 'out', './out/', twice],
    ['a folder in the other', 'out', 'out/late', twice],
    ['the other in a folder', 'out/late', 'out', twice],
    ['the folder of a log', 'out', 'in', 'sink b writes where source s reads'],
    ['a folder in that of a log', 'out', 'in/parts', 'sink b writes where source s reads'],
  ])('%s is refused at the second sink', async (_what, first, second, message) => {
    const error = await refusal(twoSinks(first, second));
    expect(error).toMatchObject({ code: 'JOB_FILE_INVALID', data: { line: 6, column: 24 } });
    expect(error?.message).toContain(message);
  });

  it('are told by what they are, not by what they are called', async () => {
    await mkdir(join(folder, 'real/deep'), { recursive: true });
    await mkdir(join(folder, 'real/in'));
    await symlink('real', join(folder, 'link'));
    expect((await refusal(twoSinks('real/deep', 'link/deep')))?.message).toContain(twice);
    // Neither is there yet.
    expect((await refusal(twoSinks('real/new/out', 'link/new/out')))?.message).toContain(twice);
    const linked = twoSinks('out', 'real/in').replace('log: in', 'log: link/in');
    expect((await refusal(linked))?.message).toContain('sink b writes where source s reads');
  });

  it('may lie side by side, also where one name begins with the other', async () => {
    expect(await refusal(twoSinks('out', 'out2'))).toBeNull();
    expect(await refusal(twoSinks('out', 'input'))).toBeNull();
  });
});

describe('a log at whose path nothing is', () => {
  const job = (log: string) => `${head}sources: { m: { log: ${log} } }\n${sink}`;
  const refusal = (log: string) =>
    plan(job(log)).then(
      () => null,
      (error: unknown) => error as JobrecError,
    );

  it('is refused where it is bounded, at its place in the file', async () => {
    const error = await refusal('{ path: nowhere, bounded: true }');
    expect(error).toMatchObject({ code: 'SOURCE_UNREADABLE', data: { source: 'm', line: 3, column: 30 } });
    expect(error?.message).toContain(`job.yaml:3:30: source m: there is no folder or file ${join(folder, 'nowhere')}`);
  });

  it.each(['nowhere', '{ path: nowhere }'])('is waited for where it is not, and said (%s)', async (log) => {
    const expected = `source m: ${join(folder, 'nowhere')} is not there yet: it is waited for`;
    expect((await plan(job(log))).warnings).toEqual([expected]);
  });

  it('is fine as soon as there is a folder or a file', async () => {
    await mkdir(join(folder, 'empty'));
    for (const path of ['empty', 'f.ts']) {
      expect((await plan(job(`{ path: ${path}, bounded: true }`))).warnings).toEqual([]);
    }
  });

  it('is refused where it cannot be looked at', async () => {
    const error = await refusal('f.ts/below');
    expect(error).toMatchObject({ code: 'SOURCE_UNREADABLE', data: { line: 3, column: 22 } });
    expect(error?.message).toContain(`source m: cannot read ${join(folder, 'f.ts/below')}: ENOTDIR`);
  });
});

it('says plainly what cannot be replayed, and what appears only at the end', async () => {
  const { warnings } = await plan(
    `${head}sources: { m: { socket: "localhost:9999" } }\nsinks: { out: { input: m, path: out } }\n`,
  );
  expect(warnings).toEqual([expect.stringContaining('cannot be replayed'), expect.stringContaining('at the end')]);
});

it.each([
  ['1700000000000', 1_700_000_000_000],
  ['"2026-01-31T12:00:00.250+01:00"', Date.UTC(2026, 0, 31, 11, 0, 0, 250)],
  ['2026-01-31', Date.UTC(2026, 0, 31)],
])('reads the start of made times: %s', async (start, startMs) => {
  const columns = `{ at: { time: { start: ${start}, step: 1 s } } }`;
  const { vertices } = await streamingOf(`${head}sources: { m: { generator: { columns: ${columns} } } }\n${sink}`);
  expect(vertices[0]?.operators[0]?.spec).toMatchObject({
    connector: { columns: { at: { kind: 'time', startMs, stepMs: 1_000 } } },
  });
});

it('takes folders relative to the job file, and old names of options', async () => {
  const { config } = await plan(
    `name: j\nmode: streaming\nconfig: { state.checkpoints.dir: chk }\nsources: { m: { log: in } }\n${sink}`,
  );
  expect(config['state.checkpoints.dir']).toBe(join(folder, 'chk'));
});
