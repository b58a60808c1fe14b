// Frames: every way of cutting the bytes gives the same messages; bad bytes are violations that name the sender.
import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, frameBytesMax } from '../../../src/engine/protocol/framing.ts';
import { ProtocolViolation } from '../../../src/engine/protocol/protocol-violation.ts';

const messages = [
  { type: 'heartbeat' },
  { type: 'registered', epoch: 3 },
  { type: 'notice', message: 'ä'.repeat(400), nested: [{ a: null }, { b: 2 ** 52, c: 1.5 }] },
];
const bytes = Buffer.concat(messages.map(encodeFrame));

function framed(body: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

function decodeAll(chunks: readonly Uint8Array[]): (object | ProtocolViolation)[] {
  const decoder = new FrameDecoder('TaskManager w1');
  return chunks.flatMap((chunk) => [...decoder.push(chunk)]);
}

/** A small generator of numbers in [0, 1) from a seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('frames', () => {
  it('come out the same wherever the bytes are cut in two', () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(messages);
    }
  });

  it('come out the same byte by byte', () => {
    expect(decodeAll([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(messages);
  });

  it('refuse a length above the bound before its bytes arrive', () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(frameBytesMax + 1);
    const [violation, ...rest] = decodeAll([header, bytes]);
    expect(violation).toBeInstanceOf(ProtocolViolation);
    expect((violation as ProtocolViolation).message).toBe(
      `TaskManager w1 sent a frame of ${frameBytesMax + 1} bytes; the limit is ${frameBytesMax}`,
    );
    expect(rest).toEqual([]);
  });

  it('refuse counts of elements that no frame can hold, without taking memory for them', () => {
    const nested = Buffer.concat(Array.from({ length: 1000 }, () => Uint8Array.of(0xdd, 0x00, 0x0f, 0xff, 0xff)));
    const before = process.memoryUsage().rss;
    const [violation] = decodeAll([framed(nested)]);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
    expect(violation).toBeInstanceOf(ProtocolViolation);
  });

  it.each([
    ['a number', encode(7)],
    ['a list', encode([1])],
    ['nil', encode(null)],
  ])('refuse %s: a message is a map', (_what, body) => {
    const [violation] = decodeAll([framed(body)]);
    expect((violation as ProtocolViolation).message).toBe('TaskManager w1 sent a frame that is not a map');
  });

  it('refuse a body with bytes behind the map', () => {
    const [violation] = decodeAll([framed(Buffer.concat([encode({ type: 'heartbeat' }), Buffer.from([1])]))]);
    expect(violation).toBeInstanceOf(ProtocolViolation);
  });

  it('never throw and never go on behind a violation, whatever the bytes (seeded)', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const next = random(seed);
      const garbage = Buffer.from(bytes);
      for (let flips = 0; flips < 5; flips++) garbage[Math.floor(next() * garbage.length)] = Math.floor(next() * 256);
      const values = decodeAll([garbage.subarray(0, 50), garbage.subarray(50)]);
      const violations = values.filter((value) => value instanceof ProtocolViolation);
      expect(violations.length, `seed ${seed}`).toBeLessThanOrEqual(1);
      if (violations.length === 1) expect(values.at(-1), `seed ${seed}`).toBe(violations[0]);
    }
  });

  it('tell whether the sender ended inside one', () => {
    const decoder = new FrameDecoder('x');
    expect([...decoder.push(bytes.subarray(0, 6))]).toEqual([]);
    expect(decoder.insideFrame).toBe(true);
    expect([...decoder.push(bytes.subarray(6))]).toHaveLength(messages.length);
    expect(decoder.insideFrame).toBe(false);
  });

  it('are refused where we ourselves would build one above the bound', () => {
    expect(() => encodeFrame({ blob: new Uint8Array(frameBytesMax) })).toThrow(ProtocolViolation);
  });
});
