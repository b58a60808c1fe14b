// What is looked for behind damage, in tails of any size: every mark is found, and no read takes more than a window.
import { randomBytes } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { segmentName } from '../../src/store/format.ts';
import { encodeMark, markBytes } from '../../src/store/frame.ts';
import { readLayout } from '../../src/store/layout.ts';
import { repairCandidates } from '../../src/store/repair-candidates.ts';
import { type SegmentBytes, segmentBytesOf, windowBytes } from '../../src/store/segment-bytes.ts';
import { marksBehind } from '../../src/store/segment-reader.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { finished, jobId, optionsFor, smallSubmitted, temporaryFolder } from './sample-store.ts';

const header = { formatVersion: 1, jobId, epoch: 1, baseSequence: 0, createdMicros: 0, previous: null, crc: 1234 };

/** Rubble with a mark at each of these places. */
function rubbleWith(places: readonly number[]): Buffer {
  const rubble = randomBytes(4 * windowBytes);
  for (const [index, ownOffset] of places.entries())
    encodeMark({ ownOffset, syncedLength: ownOffset, seal: false }, index, 77, header.crc).copy(rubble, ownOffset);
  return rubble;
}

/** `source`, which notes the length of each read. */
function recorded(source: SegmentBytes, lengths: number[]): SegmentBytes {
  const read: SegmentBytes['read'] = (offset, length) => {
    lengths.push(length);
    return source.read(offset, length);
  };
  return { ...source, read };
}

describe('marks behind damage', () => {
  test.each([0, 1, 30, 31, 32, markBytes - 1, markBytes])('%i bytes before the end of a window', async (before) => {
    const lengths: number[] = [];
    const offset = 100;
    const places = [1, 2].map((windows) => offset + windows * windowBytes - before);
    const source = recorded(segmentBytesOf(rubbleWith(places)), lengths);
    const found = new Set<number>();
    for await (const mark of marksBehind(source, header, offset)) found.add(mark.ownOffset);
    expect([...found]).toEqual(places);
    expect(Math.max(...lengths)).toBe(windowBytes);
  });
});

const reads = vi.hoisted(() => [] as number[]);
vi.mock('../../src/store/segment-bytes.ts', async (original) => {
  const real = await original<typeof import('../../src/store/segment-bytes.ts')>();
  const openSegmentBytes: typeof real.openSegmentBytes = async (...args) =>
    recorded(await real.openSegmentBytes(...args), reads);
  return { ...real, openSegmentBytes };
});

test('a torn tail of any size is walked in windows', async () => {
  const folder = path.join(await temporaryFolder(), 'job-events');
  const writer = await StoreWriter.create(optionsFor(folder));
  writer.append(smallSubmitted);
  await writer.append(finished(0)).durable;
  await writer.close();
  const segment = path.join(folder, segmentName({ baseSequence: 0, epoch: 1 }));
  await appendFile(segment, Buffer.alloc(8 * windowBytes, 'rubble'));
  const { endKnown, candidates } = await repairCandidates(await readLayout(folder));
  expect([endKnown, candidates.length, candidates[0]?.nextSequence]).toEqual([2, 1, 2]);
  expect(reads.length).toBeGreaterThan(8);
  expect(Math.max(...reads)).toBeLessThanOrEqual(windowBytes);
});
