// A store of a few kB over three epochs, cut and flipped at every byte of every file. Whatever happens: no exception, a
// true prefix, the right verdict, and a writer that goes on only where no acknowledged event can be lost.
import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogRecord } from '../../src/model/job-log.ts';
import { headerBytes, manifestName } from '../../src/store/format.ts';
import { markBytes } from '../../src/store/frame.ts';
import { readLayout } from '../../src/store/layout.ts';
import { openJobLog } from '../../src/store/open-log.ts';
import { type LogEnd, LogScan } from '../../src/store/scan.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import {
  filesOf,
  finished,
  newFolder,
  optionsFor,
  recordsOf,
  temporaryFolder,
  writeThreeEpochs,
} from './sample-store.ts';

interface Outcome {
  readonly records: LogRecord[];
  readonly end: LogEnd;
}

/** A writer refuses exactly when a reader finds damage; it is asked at every so-manieth byte only. */
const refusalStride = 11;

let root: string;
let folder: string;
let files: Map<string, Buffer>;
let whole: LogRecord[];
let prefixTexts: string[];
let lastSegment: string;

beforeAll(async () => {
  root = await newFolder();
  folder = path.join(root, 'job-events');
  await writeThreeEpochs(folder);
  files = await filesOf(folder);
  whole = (await read()).records;
  prefixTexts = [...whole, null].map((_, length) => JSON.stringify(whole.slice(0, length)));
  lastSegment = [...files.keys()].filter((name) => name !== manifestName).at(-1) as string;
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** One walk: what `records()` and `summary()` both give, at half the price. */
async function read(): Promise<Outcome> {
  const scan = new LogScan(await readLayout(folder), { live: false });
  const records: LogRecord[] = [];
  for await (const group of scan.groups()) records.push(...group);
  return { records, end: scan.end() };
}

/** Runs `check` with one file changed, and puts the file back. */
async function withChanged(name: string, bytes: Buffer, check: () => Promise<void>): Promise<void> {
  await writeFile(path.join(folder, name), bytes);
  try {
    await check();
  } finally {
    await writeFile(path.join(folder, name), files.get(name) as Buffer);
  }
}

function expectPrefix(records: readonly LogRecord[]): void {
  // as text: tens of thousands of deep comparisons would take minutes
  expect(JSON.stringify(records)).toBe(prefixTexts[records.length]);
}

/** A writer must refuse, and change nothing. */
async function expectRefused(): Promise<void> {
  const before = await filesOf(folder);
  await expect(StoreWriter.resume(optionsFor(folder, { epoch: 9 }))).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(await filesOf(folder)).toEqual(before);
}

/** A writer must go on behind `records`, in a copy. */
async function expectContinued(records: readonly LogRecord[]): Promise<void> {
  const copy = path.join(await temporaryFolder(), 'job-events');
  await cp(folder, copy, { recursive: true });
  const { writer, log } = await StoreWriter.resume(optionsFor(copy, { epoch: 9 }));
  expect(await recordsOf(log)).toEqual(records);
  const appended = writer.append(finished(99));
  await appended.durable;
  await writer.close();
  expect(appended.sequence).toBe(records.length);
  const after = await openJobLog(copy);
  expect((await recordsOf(after)).slice(0, -1)).toEqual(records);
  expect((await after.summary()).damage).toBeNull();
}

test('the sample is what the other tests take it for', async () => {
  const { records, end } = await read();
  expect(end.findings).toEqual([]);
  expect(records.map((record) => record.sequence)).toEqual([...records.keys()]);
  expect(new Set(records.map((record) => record.epoch))).toEqual(new Set([1, 2, 3]));
  expect(end.segments.length).toBeGreaterThanOrEqual(4);
  const log = await openJobLog(folder);
  expect(await recordsOf(log)).toEqual(records);
  expect(await log.summary()).toMatchObject({
    events: records.length,
    segments: end.segments,
    findings: [],
    damage: null,
  });
  expect((await log.summary()).bytes).toBeGreaterThan(2000);
});

describe('one flipped byte', () => {
  test('anywhere below the last mark is corruption: named, true prefix, no writer goes on', {
    timeout: 240_000,
  }, async () => {
    for (const [name, bytes] of files) {
      const end = name === lastSegment ? bytes.length - markBytes : bytes.length;
      for (let at = 0; at < end; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (bytes[at] as number) ^ (1 << (at % 8));
        await withChanged(name, flipped, async () => {
          const { records, end } = await read();
          expectPrefix(records);
          expect(end.damage, `${name} at ${at}`).toMatchObject({ segment: name });
          expect(end.damage?.offset).toBeLessThanOrEqual(at);
          if (name === manifestName) expect(records.length).toBe(whole.length);
          else
            expect(records.every((record) => record.segment !== name || record.offset + record.bytes <= at)).toBe(true);
          if (at % refusalStride === 0) await expectRefused();
        });
      }
    }
  });

  test('in the last mark is a torn tail: nothing is lost, and a writer goes on', { timeout: 120_000 }, async () => {
    const bytes = files.get(lastSegment) as Buffer;
    for (let at = bytes.length - markBytes; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (bytes[at] as number) ^ 0x10;
      await withChanged(lastSegment, flipped, async () => {
        const { records, end } = await read();
        expect(records).toEqual(whole);
        expect(end.damage).toBeNull();
        expect(end.findings).toMatchObject([{ code: 'TORN_TAIL', severity: 'warning', bytesLost: markBytes }]);
        if (at % 7 === 0) await expectContinued(records);
      });
    }
  });
});

describe('cut off at every byte', () => {
  test('a segment that has a successor, or the manifest: corruption', { timeout: 240_000 }, async () => {
    for (const [name, bytes] of files) {
      if (name === lastSegment) continue;
      for (let length = 0; length < bytes.length; length++) {
        await withChanged(name, bytes.subarray(0, length), async () => {
          const { records, end } = await read();
          expectPrefix(records);
          expect(end.damage, `${name} cut to ${length}`).toMatchObject({ segment: name });
          if (length % refusalStride === 0) await expectRefused();
        });
      }
    }
  });

  test('the last segment: a torn tail or a clean end, and a writer goes on behind it', {
    timeout: 240_000,
  }, async () => {
    const bytes = files.get(lastSegment) as Buffer;
    for (let length = headerBytes; length < bytes.length; length++) {
      await withChanged(lastSegment, bytes.subarray(0, length), async () => {
        const { records, end } = await read();
        expectPrefix(records);
        const here = whole.filter((record) => record.segment === lastSegment);
        const kept = here.filter((record) => record.offset + record.bytes <= length);
        expect(records.length).toBe(whole.length - here.length + kept.length);
        expect(end.damage).toBeNull();
        const [found] = end.findings;
        if (found) expect(found).toMatchObject({ code: 'TORN_TAIL', severity: 'warning' });
        expect(found?.bytesLost ?? 0).toBe(length - (found?.offset ?? length));
        if (length % 5 === 0) await expectContinued(records);
      });
    }
  });

  test('the last segment inside its header: it was whole when the manifest named it', async () => {
    const bytes = files.get(lastSegment) as Buffer;
    for (let length = 0; length < headerBytes; length++) {
      await withChanged(lastSegment, bytes.subarray(0, length), async () => {
        const { records, end } = await read();
        expectPrefix(records);
        expect(end.damage).toEqual({ segment: lastSegment, offset: 0, code: 'CHECKSUM_MISMATCH' });
        await expectRefused();
      });
    }
  });
});
