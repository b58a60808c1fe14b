import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import {
  claimSinkFolder,
  commitParts,
  dropStaged,
  foreignParts,
  rollBackParts,
} from '../../../src/engine/streaming/sinks/part-commit.ts';
import { partName, stagedName } from '../../../src/engine/streaming/sinks/part-names.ts';

const [ours, other] = ['a'.repeat(32), 'b'.repeat(32)];
const staged = (jobId: string, serial: number) =>
  stagedName({ jobId, epoch: 1, attempt: 0, sinkName: 'ou t/', subtask: 0 }, serial);

async function sinkFolder(...names: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-parts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const name of names) await writeFile(join(folder, name), name);
  return folder;
}

const listed = async (folder: string) => (await readdir(folder)).sort();

it('makes parts visible, and can be done again', async () => {
  const folder = await sinkFolder(staged(ours, 1));
  const final = join(folder, partName(ours, 3, 0));
  const parts = [{ sink: 'out', staged: join(folder, staged(ours, 1)), final, rows: 1, bytes: 1 }];
  await commitParts(parts);
  await commitParts(parts);
  expect(await listed(folder)).toEqual([partName(ours, 3, 0)]);
});

it.each([
  [null, [partName(other, 9, 0)], 2],
  [3, [partName(ours, 3, 0), partName(other, 9, 0)], 1],
  [4, [partName(ours, 3, 0), partName(ours, 4, 1), partName(other, 9, 0)], 0],
])('takes back what lies behind checkpoint %s, of this job alone', async (checkpointId, left, takenBack) => {
  const own = [partName(ours, 3, 0), partName(ours, 4, 1), staged(ours, 1)];
  const folder = await sinkFolder(...own, partName(other, 9, 0), staged(other, 1));
  expect(await rollBackParts([folder], ours, checkpointId)).toBe(takenBack);
  expect(await listed(folder)).toEqual([...left, staged(other, 1)].sort());
});

it('drops what is staged, and leaves parts', async () => {
  const folder = await sinkFolder(partName(ours, 1, 0), staged(ours, 1));
  await dropStaged([folder, join(folder, 'none')], ours);
  expect(await listed(folder)).toEqual([partName(ours, 1, 0)]);
});

it('knows whose a folder is', async () => {
  const folder = await sinkFolder(partName(ours, 1, 0));
  expect(await foreignParts(folder, 'job')).toEqual([partName(ours, 1, 0)]);
  await claimSinkFolder(folder, 'job', false);
  expect([await foreignParts(folder, 'job'), (await foreignParts(folder, 'another')).length]).toEqual([[], 2]);
  // The words of the owner's file are nobody's name.
  await claimSinkFolder(folder, 'another', false);
  expect(await foreignParts(folder, 'job')).toHaveLength(2);
  await claimSinkFolder(folder, 'job', false);
  await writeFile(join(folder, 'notes.txt'), '');
  expect(await foreignParts(folder, 'job')).toEqual(['notes.txt']);
  await claimSinkFolder(folder, 'job', true);
  expect((await listed(folder)).includes(partName(ours, 1, 0))).toBe(false);
});
