// Bad rows that a batch job leaves out are said, whether they are skipped or put aside.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { runCli } from './cli.ts';

vi.setConfig({ testTimeout: 60_000 });

async function jobWith(onBadRow: string): Promise<{ readonly folder: string; readonly jobFile: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-bad-rows-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'data'));
  for (const file of [1, 2]) await writeFile(join(folder, `data/${file}.csv`), 'a,b\n1,2\n3\n4,5,6\n7,8\n');
  const jobFile = join(folder, 'job.yaml');
  const source = `{ path: "data/*.csv", onBadRow: ${onBadRow}, options: { columns: { a: BIGINT, b: BIGINT } } }`;
  const stage = '{ inputs: { r: rows }, sql: "SELECT a, b FROM r" }';
  await writeFile(
    jobFile,
    `name: bad\nsources: { rows: ${source} }\nstages: { all: ${stage} }\nsinks: { out: { input: all, path: out, format: json } }\n`,
  );
  return { folder, jobFile };
}

it.each(['skip', 'quarantine'])('onBadRow: %s says how many', async (onBadRow) => {
  const { folder, jobFile } = await jobWith(onBadRow);
  const { code, stderr } = await runCli(['run', jobFile, '--home', join(folder, 'home')]);
  expect([code, stderr]).toMatchObject([
    0,
    expect.stringContaining('note: all: 4 bad row(s) left out, as onBadRow says'),
  ]);
  const parts = (await readdir(join(folder, 'out'))).filter((name) => name.startsWith('part-'));
  const rows = await Promise.all(parts.map((name) => readFile(join(folder, 'out', name), 'utf8')));
  expect(rows.join('').trim().split('\n')).toHaveLength(4);
});
