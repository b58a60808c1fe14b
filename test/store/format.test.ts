import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  decodeHeader,
  encodeHeader,
  headerBytes,
  parseSegmentName,
  readSafeInteger,
  segmentMagic,
  segmentName,
  writeSafeInteger,
} from '../../src/store/format.ts';
import { encodeMark, markBytes, markMagic, marksIn, readFrame, readMark } from '../../src/store/frame.ts';
import { segmentBytesOf } from '../../src/store/segment-bytes.ts';
import { walkSegment } from '../../src/store/segment-reader.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { filesOf, jobId, optionsFor, steppingClock, temporaryFolder } from './sample-store.ts';

const specification = await readFile(path.join(import.meta.dirname, '../../docs/format.md'), 'utf8');

/** The bytes of the worked example: offset, pairs of hex digits, explanation. */
function workedExample(): Buffer {
  const lines = specification.matchAll(/^ {4}([0-9a-f]{4}) {2}((?:[0-9a-f]{2} )+) +\S/gm);
  const bytes: number[] = [];
  for (const [, offset = '', hex = ''] of lines) {
    expect(Number.parseInt(offset, 16)).toBe(bytes.length);
    bytes.push(
      ...hex
        .trim()
        .split(' ')
        .map((pair) => Number.parseInt(pair, 16)),
    );
  }
  return Buffer.from(bytes);
}

const fields = {
  jobId,
  epoch: 7,
  baseSequence: 2 ** 40,
  createdMicros: 1_790_000_000_001_000,
  previous: { baseSequence: 12, epoch: 6, length: 4096 },
};

describe('the worked example of docs/format.md', () => {
  test('is what the writer writes', async () => {
    const folder = path.join(await temporaryFolder(), 'job-events');
    const writer = await StoreWriter.create(optionsFor(folder, { now: steppingClock(1_790_000_000_000_000) }));
    await writer.append({ type: 'worker-lost', workerId: 'w1', reason: 'gone' }).durable;
    await writer.close();
    const written = (await filesOf(folder)).get(segmentName({ baseSequence: 0, epoch: 1 })) as Buffer;
    expect(workedExample().toString('hex')).toBe(written.toString('hex'));
  });

  test('gives the two verdicts that the text states', async () => {
    const example = workedExample();
    const verdict = decodeHeader(example);
    if (verdict.kind !== 'good') throw new Error(verdict.kind);
    const flipped = Buffer.from(example);
    flipped[0x60] = (flipped[0x60] as number) ^ 4;
    const endOf = async (bytes: Buffer) => {
      const walk = walkSegment(segmentBytesOf(bytes), verdict.header, { wholeUpTo: null, nextBase: null });
      return (await walk.next()).value;
    };
    expect(await endOf(flipped)).toMatchObject({ offset: 0x50, stop: { code: 'CHECKSUM_MISMATCH', torn: false } });
    expect(await endOf(example.subarray(0, 0x70))).toMatchObject({ offset: 0x50, stop: { torn: true, bytesLost: 32 } });
  });
});

describe('header', () => {
  test('round trip', () => {
    const bytes = encodeHeader(fields);
    expect(bytes.length).toBe(headerBytes);
    const crc = bytes.readUInt32LE(headerBytes - 4);
    expect(decodeHeader(bytes)).toEqual({ kind: 'good', header: { ...fields, formatVersion: 1, crc } });
  });

  test('stands where the byte table says', () => {
    const bytes = encodeHeader(fields);
    expect(bytes.subarray(0, 8)).toEqual(segmentMagic);
    expect([8, 12, 64].map((at) => bytes.readUInt32LE(at))).toEqual([1, 7, 6]);
    expect(bytes.toString('hex', 16, 32)).toBe(jobId);
    expect([32, 40, 48, 56].map((at) => Number(bytes.readBigUInt64LE(at)))).toEqual([
      2 ** 40,
      fields.createdMicros,
      12,
      4096,
    ]);
  });

  test('a newer version is one only if the checksum agrees', async () => {
    const { crc32 } = await import('node:zlib');
    const bytes = encodeHeader(fields);
    bytes.writeUInt32LE(2, 8);
    expect(decodeHeader(bytes)).toEqual({ kind: 'bad', reason: 'checksum' });
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 76)), 76);
    expect(decodeHeader(bytes)).toEqual({ kind: 'version', formatVersion: 2 });
  });

  test.each([
    ['short', 79],
    ['empty', 0],
  ])('%s', (_title, length) => {
    expect(decodeHeader(encodeHeader(fields).subarray(0, length))).toEqual({ kind: 'bad', reason: 'short' });
  });
});

describe('segment names', () => {
  test('sort into log order and can be read back', () => {
    const name = segmentName({ baseSequence: 412, epoch: 2 });
    expect(name).toBe('00000000000000000412-0000000002.seg');
    expect(parseSegmentName(name)).toEqual({ baseSequence: 412, epoch: 2 });
  });

  test.each(['MANIFEST', '1-1.seg', '00000000000000000412-0000000000.seg', '99999999999999999999-0000000001.seg'])(
    '%s is none',
    (name) => expect(parseSegmentName(name)).toBeNull(),
  );
});

describe('64-bit numbers', () => {
  test.each([0, 1, -1, 2 ** 32, -(2 ** 32) - 5, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])('%d', (value) => {
    const bytes = Buffer.alloc(8);
    writeSafeInteger(bytes, value, 0);
    expect(bytes.readBigInt64LE()).toBe(BigInt(value));
    expect(readSafeInteger(bytes, 0)).toBe(value);
  });

  test('beyond 2^53-1 is none', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(2n ** 53n);
    expect(readSafeInteger(bytes, 0)).toBeNull();
  });
});

describe('marks', () => {
  const mark = { ownOffset: 500, syncedLength: 480, seal: false };
  const encoded = encodeMark(mark, 9, 77, 1234);

  function read(bytes: Buffer, base: number, seed = 1234) {
    const verdict = readFrame(bytes, 0, seed);
    return verdict.kind === 'good' ? readMark(bytes, 0, verdict.head, base) : verdict.kind;
  }

  test('round trip', () => {
    expect(encoded.length).toBe(markBytes);
    expect(read(encoded, 500)).toEqual(mark);
    expect(read(encodeMark({ ...mark, seal: true }, 9, 77, 1234), 500)).toEqual({ ...mark, seal: true });
  });

  test('count only where they were written, and only in their own segment', () => {
    expect(read(encoded, 501)).toBeNull();
    expect(read(encoded, 500, 1235)).toBe('bad');
  });

  test('are found behind damage, but not in fakes', () => {
    const lie = encodeMark({ ownOffset: 9_000, syncedLength: 8_000, seal: false }, 9, 77, 1234);
    const rubble = Buffer.concat([Buffer.from('rubble'), markMagic, lie, encoded, Buffer.alloc(40, 7)]);
    const at = rubble.length - 40 - markBytes;
    expect(marksIn(rubble, 500 - at, 1234)).toEqual([{ ...mark, nextSequence: 9 }]);
    expect(marksIn(rubble, 0, 1234)).toEqual([]);
  });

  test('are found however many there are', () => {
    const count = 200_000;
    const marks = Array.from({ length: count }, (_, index) => {
      const ownOffset = 500 + index * markBytes;
      return encodeMark({ ownOffset, syncedLength: ownOffset, seal: false }, index, 77, 1234);
    });
    const found = marksIn(Buffer.concat(marks), 500, 1234);
    expect([found.length, found.at(-1)?.syncedLength]).toEqual([count, 500 + (count - 1) * markBytes]);
  });
});
