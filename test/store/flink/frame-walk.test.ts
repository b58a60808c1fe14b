// The walk over frames: whatever the sizes of frames and chunks, it gives every frame once, and ends where the file does.
import { describe, expect, test } from 'vitest';
import { type FrameStop, walkFrames } from '../../../src/store/flink/frame-walk.ts';
import { type SegmentBytes, segmentBytesOf } from '../../../src/store/segment-bytes.ts';
import { int } from './java-bytes.ts';

function file(...lengths: readonly number[]): Buffer {
  return Buffer.concat(
    lengths.map((length, index) => Buffer.concat([int(1 + (index % 3)), int(length), Buffer.alloc(length, index)])),
  );
}

async function walk(source: SegmentBytes): Promise<{ frames: [number, number, number][]; stop: FrameStop | null }> {
  const frames: [number, number, number][] = [];
  let last: FrameStop | null = null;
  for await (const batch of walkFrames(source)) {
    for (const { type, offset, payload } of batch.frames) frames.push([type, offset, payload.length]);
    for (const { payload, view } of batch.frames) {
      expect(payload.every((byte) => byte === payload[0])).toBe(true);
      expect(view.byteLength).toBe(payload.length);
    }
    last = batch.stop;
  }
  return { frames, stop: last };
}

const chunk = 512 * 1024;

describe('whole files', () => {
  test.each([
    ['none', []],
    ['small ones', [0, 1, 500, 0]],
    ['one that fills a chunk exactly', [chunk - 8, 10]],
    ['heads across the chunk border', [chunk - 9, 10]],
    ['heads across the chunk border, less', [chunk - 15, 10, chunk]],
    ['larger than chunks', [3 * chunk, 10, 2 * chunk + 1, 10]],
    ['many', Array.from({ length: 700 }, (_, index) => index * 7)],
  ])('%s', async (_name, lengths) => {
    let offset = 0;
    const expected = lengths.map((length, index) => {
      const frame = [1 + (index % 3), offset, length];
      offset += length + 8;
      return frame;
    });
    expect(await walk(segmentBytesOf(file(...lengths)))).toEqual({ frames: expected, stop: null });
  });
});

test('a file cut anywhere gives the whole frames before, and says what is cut', async () => {
  const bytes = file(20, chunk + 5, 3);
  for (const at of [1, 7, 8, 9, 27, 28, 29, 36, 100, chunk, chunk + 40, chunk + 41, bytes.length - 1]) {
    const { frames, stop } = await walk(segmentBytesOf(bytes.subarray(0, at)));
    const whole = [28, 28 + chunk + 13, bytes.length].filter((end) => end <= at);
    expect(frames.length).toBe(whole.length);
    if ((whole.at(-1) ?? 0) === at) expect(stop).toBeNull();
    else expect(stop).toMatchObject({ kind: 'cut', offset: whole.at(-1) ?? 0 });
  }
});

test('a negative length stops the walk', async () => {
  const bytes = Buffer.concat([file(5), int(1), int(-1), Buffer.alloc(30)]);
  expect(await walk(segmentBytesOf(bytes))).toMatchObject({
    stop: { kind: 'negative-length', offset: 13, length: -1 },
  });
});

test('a file that became shorter while it was read ends as a cut one', async () => {
  const bytes = file(20, chunk * 2);
  const shorter = segmentBytesOf(bytes.subarray(0, chunk));
  const { frames, stop } = await walk({ ...shorter, size: bytes.length });
  expect(frames).toEqual([[1, 0, 20]]);
  expect(stop).toMatchObject({ kind: 'cut', offset: 28 });
});
