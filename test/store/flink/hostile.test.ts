// Damaged captures, a seeded sample of what hostile.slow.ts does in full: cuts, flips and mutations.
import { describe, expect, test } from 'vitest';
import { captures, storeFiles } from './captures.ts';
import { expectCut, expectSane, flipped, mutated, randomOf, readStore, withFile } from './hostile.ts';

const seed = Number(process.env.JOBREC_SLOW_SEED ?? Date.now() % 1_000_000);
const random = randomOf(seed);
const stores = captures().map(([name, folder]) => ({ name, files: storeFiles(folder) }));

function some<T>(list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

function somePlace(): { files: ReadonlyMap<string, Buffer>; file: string; bytes: Buffer; at: number; where: string } {
  const { name, files } = some(stores.filter((store) => [...store.files.values()].some((bytes) => bytes.length > 0)));
  const [file, bytes] = some([...files].filter(([, each]) => each.length > 0));
  const at = Math.floor(random() * bytes.length);
  return { files, file, bytes, at, where: `seed ${seed}: ${name}/${file} at ${at}` };
}

describe(`damaged captures (seed ${seed})`, () => {
  test('a cut leaves exactly the whole events', async () => {
    for (let round = 0; round < 150; round++) {
      const { files, file, at, where } = somePlace();
      const { records } = await readStore(files);
      // A store that is torn already has a finding of its own.
      const isWhole = records.filter(({ segment }) => segment === file).reduce((sum, { bytes }) => sum + bytes, 0);
      if (at <= isWhole) await expectCut(files, records, file, at).catch((error) => fail(where, error));
    }
  });

  test('a flipped byte is a finding or another value', async () => {
    for (let round = 0; round < 300; round++) {
      const { files, file, bytes, at, where } = somePlace();
      const mask = 1 + Math.floor(random() * 255);
      await expectSane(withFile(files, file, flipped(bytes, at, mask)), file).catch((error) =>
        fail(`${where} ^ ${mask}`, error),
      );
    }
  });

  test('mutations', async () => {
    for (let round = 0; round < 500; round++) {
      const { name, files } = some(stores);
      await expectSane(...mutated(files, random)).catch((error) =>
        fail(`seed ${seed}: ${name}, round ${round}`, error),
      );
    }
  });

  test('a damaged length in front of whole events is told from a write that never ended', async () => {
    const { files } = stores.find(({ name }) => name === '1.20.3/s00-happy') as (typeof stores)[number];
    const bytes = Buffer.from(files.get('events.1') as Buffer);
    bytes.writeInt32BE(0x00ffffff, 4);
    const { end, records } = await expectSane(withFile(files, 'events.1', bytes));
    expect(end.damage).toEqual({ segment: 'events.1', offset: 0, code: 'BAD_LENGTH' });
    expect(end.findings[0]?.flinkDoes).toBe('skips-rest-of-file');
    expect(new Set(records.map(({ segment }) => segment))).toEqual(new Set(['events.0', 'events.2', 'events.3']));
  });

  test('a negative length, an unknown type and a broken stream end the replay', async () => {
    const { files } = stores.find(({ name }) => name === '2.3.0/s01-jm-only-mid') as (typeof stores)[number];
    const first = files.get('events.0') as Buffer;
    const cases: [(bytes: Buffer) => void, string][] = [
      [(bytes) => bytes.writeInt32BE(-5, 4), 'BAD_LENGTH'],
      [(bytes) => bytes.writeInt32BE(4, 0), 'UNKNOWN_TYPE'],
      [(bytes) => bytes.writeInt8(0x21, 12), 'PAYLOAD_INVALID'],
    ];
    for (const [change, code] of cases) {
      const bytes = Buffer.from(first);
      change(bytes);
      const { end, records } = await expectSane(withFile(files, 'events.0', bytes));
      expect(records).toEqual([]);
      expect(end.damage?.code).toBe(code);
      expect(end.findings.map(({ flinkDoes }) => flinkDoes)).toEqual(['deletes-store']);
    }
  });
});

function fail(where: string, error: unknown): never {
  throw new Error(where, { cause: error });
}
