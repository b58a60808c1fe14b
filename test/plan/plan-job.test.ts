// The planner as a whole: what a run gets, fingerprints, functions, warnings, time.
import { utimesSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobFolder } from './job-folder.ts';

let folder: JobFolder;
beforeAll(async () => {
  folder = await JobFolder.create();
});
afterAll(() => folder.remove());

const job = `name: j
config: { restart-strategy.type: fixed-delay, restart-strategy.fixed-delay.attempts: 5 }
sources:
  orders: { path: orders.parquet }
stages:
  clean: { inputs: { o: orders }, map: "./functions.ts#clean", columns: { id: BIGINT, city: INT } }
  totals:
    inputs: { c: clean }
    sql: SELECT city, count(*) AS n FROM c GROUP BY city
sinks:
  out: { input: totals, path: out/, format: csv, mode: overwrite }
`;

describe('a planned job', () => {
  it('has graph, effective configuration, modules, edges and sinks', async () => {
    const planned = await folder.plan(job, { 'restart-strategy.fixed-delay.attempts': '7' });
    expect(planned.graph).toMatchObject({ name: 'j', duckdbVersion: expect.stringMatching(/^v\d/) });
    expect(planned.config).toEqual({
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': '7',
    });
    expect(planned.modules).toHaveLength(1);
    expect(planned.edges).toEqual([
      { from: 'orders', to: 'clean', exchange: 'forward', by: [], why: expect.stringContaining('one by one') },
      { from: 'clean', to: 'totals', exchange: 'hash', by: ['city'], why: expect.stringContaining('GROUP BY') },
    ]);
    expect(planned.graph.sinks).toEqual([
      { name: 'out', path: `${folder.path}/out`, format: 'csv', mode: 'overwrite' },
    ]);
    expect(planned.warnings).toEqual([]);
    expect(JSON.parse(JSON.stringify(planned.graph))).toEqual(planned.graph);
  });

  it('warns of what is read by nothing', async () => {
    const text = job
      .replace('sources:', 'sources:\n  people: { path: people.csv }')
      .replace('inputs: { c: clean }', 'inputs: { c: clean, o: { from: orders, exchange: broadcast } }');
    expect((await folder.plan(text)).warnings).toEqual([
      'nothing reads source people',
      'stage totals does not read its input o',
    ]);
  });

  it('needs no sources where SQL generates its rows', async () => {
    const { graph } = await folder.plan(
      'name: j\nstages: { s: { sql: "SELECT i FROM range(10) r(i)" } }\nsinks: { out: { input: s, path: out } }',
    );
    expect(graph.vertices).toMatchObject([{ name: 's', parallelism: 1, inputs: [] }]);
  });
});

describe('the fingerprint', () => {
  it('does not change with the wording of the file', async () => {
    const first = (await folder.plan(job)).fingerprint;
    const reworded = `# a comment\n${job.replace('format: csv, mode: overwrite', 'mode: overwrite, format: csv')}`;
    expect((await folder.plan(reworded)).fingerprint).toEqual(first);
    expect((await folder.plan(job.replace('attempts: 5', 'attempts: 6'))).fingerprint).toEqual(first);
  });

  it.each([
    ['SQL', (text: string) => text.replace('count(*)', 'count(id)')],
    ['an exchange', (text: string) => text.replace('{ c: clean }', '{ c: { from: clean, exchange: gather } }')],
    ['parallelism', (text: string) => text.replace('  totals:', '  totals:\n    parallelism: 3')],
    ['a sink', (text: string) => text.replace('format: csv', 'format: json')],
    ['chaining', (text: string) => text.replace('  totals:', '  totals:\n    chain: false')],
  ])('changes its plan with %s', async (_, change) => {
    const first = (await folder.plan(job)).fingerprint;
    const { plan, functions, inputs } = (await folder.plan(change(job))).fingerprint;
    expect({ functions, inputs }).toEqual({ functions: first.functions, inputs: first.inputs });
    expect(plan).not.toBe(first.plan);
  });

  it('changes its functions with their code', async () => {
    folder.write('other.ts', 'export async function* clean(rows) { yield* rows; }');
    const text = job.replace('functions.ts', 'other.ts');
    const first = (await folder.plan(text)).fingerprint;
    folder.write('other.ts', 'export async function* clean(rows) { for await (const row of rows) yield row; }');
    const second = (await folder.plan(text)).fingerprint;
    expect(second).toMatchObject({ plan: first.plan, inputs: first.inputs });
    expect(second.functions).not.toBe(first.functions);
  });

  it('changes its inputs with size or time of a file', async () => {
    const first = (await folder.plan(job)).fingerprint;
    utimesSync(`${folder.path}/orders.parquet`, new Date(), new Date(Date.now() - 60_000));
    const second = (await folder.plan(job)).fingerprint;
    expect(second).toMatchObject({ plan: first.plan, functions: first.functions });
    expect(second.inputs).not.toBe(first.inputs);
  });
});

describe('functions', () => {
  async function load(code: string): Promise<Record<string, unknown>> {
    const path = folder.write(`loaded-${Math.random()}.mjs`, code);
    return import(/* @vite-ignore */ pathToFileURL(path).href);
  }

  it('are bundled with what they import, and run away from their packages', async () => {
    folder.write(
      'node_modules/shout/package.json',
      '{ "name": "shout", "version": "1.0.0", "type": "module", "exports": { "import": "./index.js" } }',
    );
    folder.write('node_modules/shout/index.js', 'export const shout = (text) => text.toUpperCase();');
    folder.write('lib/helper.ts', "export const suffix: string = '!';");
    folder.write(
      'uses.ts',
      "import { basename } from 'node:path';\nimport { shout } from 'shout';\nimport { suffix } from './lib/helper';\nexport const clean = (text: string) => shout(basename(text)) + suffix;\n",
    );
    const { modules } = await folder.plan(job.replace('functions.ts', 'uses.ts'));
    expect(modules[0]?.fileName).toMatch(/^[0-9a-f]{32}\.mjs$/);
    expect(modules[0]?.code).toContain(pathToFileURL(`${folder.path}/node_modules/shout/index.js`).href);
    const { clean } = await load(modules[0]?.code ?? '');
    expect(typeof clean === 'function' && clean('a/b')).toBe('B!');
  });

  it('are not run while planning', async () => {
    folder.write(
      'loud.ts',
      'globalThis.planned = true; throw new Error("run");\nexport async function* clean(rows) { yield* rows; }',
    );
    await folder.plan(job.replace('functions.ts', 'loud.ts'));
    expect('planned' in globalThis).toBe(false);
  });

  it('of one file are one module', async () => {
    const text = job
      .replace('  totals:', '  again: { inputs: { o: orders }, map: "./functions.ts#clean" }\n  totals:')
      .replace('sinks:', 'sinks:\n  more: { input: again, path: more }');
    expect((await folder.plan(text)).modules).toHaveLength(1);
  });

  it('that import a missing package are refused at the import', async () => {
    folder.write('lost.ts', "\nimport nothing from 'no-such-package';\nexport const clean = nothing;\n");
    const error = await folder.errorOf(job.replace('functions.ts', 'lost.ts'));
    expect(error).toMatchObject({ code: 'FUNCTION_INVALID', data: { file: 'lost.ts', line: 2 } });
    expect(error.message).toContain('no-such-package');
  });
});
