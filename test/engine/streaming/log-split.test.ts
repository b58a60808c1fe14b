// A log's lines: whole ones only, with exact byte positions, whatever the cuts in which they were appended and read.
import { appendFile, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LogSource } from '../../../src/engine/streaming/sources/log-source.ts';
import { LogSplit } from '../../../src/engine/streaming/sources/log-split.ts';
import { RowDecoder } from '../../../src/engine/streaming/sources/row-format.ts';
import { seeded } from '../../replay/random.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'jobrec-log-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

describe('a split of a log', () => {
  it('gives a line when its newline is there', async () => {
    const file = join(await folder(), '0');
    await writeFile(file, 'one\ntw');
    const split = new LogSplit(file, 0, null);
    expect(await split.read()).toEqual([{ text: 'one', begin: 0, end: 4 }]);
    expect(await split.read()).toEqual([]);
    await appendFile(file, 'o\r\n\nthree');
    expect(await split.read()).toEqual([
      { text: 'two', begin: 4, end: 9 },
      { text: '', begin: 9, end: 10 },
    ]);
    await split.close();
  });

  it('ends where a bounded log ended, with or without a last newline', async () => {
    const file = join(await folder(), '0');
    await writeFile(file, 'one\ntwo');
    const split = new LogSplit(file, 0, 7);
    await appendFile(file, '!\nlater\n');
    expect((await split.read()).map(({ text }) => text)).toEqual(['one', 'two']);
    expect(split.isAtEnd).toBe(true);
    expect(await split.read()).toEqual([]);
    await split.close();
  });

  it('refuses a log that was cut', async () => {
    const file = join(await folder(), '0');
    await writeFile(file, 'one\ntwo\n');
    const split = new LogSplit(file, 8, null);
    await truncate(file, 4);
    await expect(split.read()).rejects.toThrow(/has 4 bytes, and was read up to byte 8/);
    await split.close();
  });

  it.each(Array.from({ length: 10 }, (_, seed) => seed))(
    'goes on at any position that it gave (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const file = join(await folder(), '0');
      const lines = Array.from({ length: 300 }, (_, index) => `${index} ${'ä€𝄞x'.repeat(random.below(400))}`);
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      await writeFile(file, '');
      const read: string[] = [];
      let [written, position] = [0, 0];
      let split = new LogSplit(file, 0, null);
      while (read.length < lines.length) {
        const next = Math.min(bytes.length, written + random.below(60_000));
        await appendFile(file, bytes.subarray(written, next));
        written = next;
        for (const { text, begin, end } of await split.read()) {
          expect(begin).toBe(position);
          read.push(text);
          position = end;
        }
        if (!random.chance(0.3)) continue;
        await split.close();
        split = new LogSplit(file, position, null);
      }
      await split.close();
      expect(read).toEqual(lines);
      expect(position).toBe(bytes.length);
    },
  );
});

describe('a log source', () => {
  const source = (path: string, changes = {}, onBadRow: 'fail' | 'skip' = 'fail') =>
    new LogSource({
      connector: { kind: 'log', path, startingOffsets: 'earliest', bounded: false, ...changes },
      decoder: new RowDecoder('json', onBadRow),
    });

  it('finds files, but not hidden ones; from the end where asked, but never new ones', async () => {
    const at = await folder();
    for (const name of ['b', 'a', '.x', '_y']) await writeFile(join(at, name), '{"n":1}\n');
    expect(await source(at).discover(null)).toEqual([
      { splitId: 'a', position: 0 },
      { splitId: 'b', position: 0 },
    ]);
    const latest = source(at, { startingOffsets: 'latest' });
    expect((await latest.discover(null)).map(({ position }) => position)).toEqual([8, 8]);
    expect((await latest.discover({ splits: [], ofThisJob: true })).map(({ position }) => position)).toEqual([0, 0]);
    expect(await source(join(at, 'none')).discover(null)).toEqual([]);
  });

  it('is empty where nothing is there yet, and fails where it cannot be told', async () => {
    const at = await folder();
    expect(await source(join(at, 'none/a')).discover(null)).toEqual([]);
    await symlink('circle', join(at, 'circle'));
    await writeFile(join(at, 'file'), '');
    for (const [path, why] of [
      [join(at, 'circle'), 'ELOOP'],
      [join(at, 'file/a'), 'ENOTDIR'],
    ] as const) {
      await expect(source(path).discover(null)).rejects.toThrow(`${path} cannot be read: ${why}`);
      await expect(source(path, { bounded: true }).discover(null)).rejects.toThrow(`${path} cannot be read`);
    }
  });

  it('names file and byte of a line that is no row, or passes over it', async () => {
    const at = await folder();
    await writeFile(join(at, 'a'), '{"n":1}\nnonsense\n[1]\n{"n":2}\n');
    const strict = source(at);
    for (const split of await strict.discover(null)) await strict.addSplit(split);
    await expect(strict.poll(10, 0)).rejects.toThrow(/a: the line at byte 8 is no JSON/);
    await strict.close();
    const lenient = source(at, { bounded: true }, 'skip');
    for (const split of await lenient.discover(null)) await lenient.addSplit(split);
    expect(await lenient.poll(10, 0)).toEqual([
      { splitId: 'a', row: { n: 1 }, position: { offset: 8, end: 29 } },
      { splitId: 'a', row: { n: 2 }, position: { offset: 29, end: 29 } },
    ]);
    expect(await lenient.poll(10, 0)).toBe('end');
    expect(lenient.droppedRows).toBe(2);
    await lenient.close();
  });
});
