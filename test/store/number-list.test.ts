import { describe, expect, test } from 'vitest';
import { decodeNumberList, encodeNumberList } from '../../src/store/number-list.ts';

describe('number list', () => {
  test.each([
    ['empty', [], 0],
    ['bytes', [0, 255], 3],
    ['two bytes', [0, 256, 65_535], 7],
    ['four bytes', [0, 65_536, 0xffffffff], 13],
    ['beyond 32 bits', [2 ** 32], 9],
    ['largest safe integer', [Number.MAX_SAFE_INTEGER], 9],
    ['negative', [-1], 9],
    ['fraction', [0.5], 9],
    ['minus zero', [-0], 9],
    ['not finite', [Number.POSITIVE_INFINITY, Number.NaN], 17],
  ] as const)('%s', (_title, values, bytes) => {
    const encoded = encodeNumberList(values);
    expect(encoded.length).toBe(bytes);
    expect(decodeNumberList(encoded)).toEqual([...values]);
  });

  test('decodes from the middle of a buffer', () => {
    const encoded = encodeNumberList([1.5, -7]);
    const inside = Buffer.concat([Buffer.from([9]), encoded, Buffer.from([9])]).subarray(1, 1 + encoded.length);
    expect(decodeNumberList(inside)).toEqual([1.5, -7]);
  });

  test.each([[[0]], [[1]], [[3, 1, 2, 3]], [[2, 1]], [[4, 1, 2, 3]], [[8, 1]]])('%j is none', (bytes) => {
    expect(decodeNumberList(Uint8Array.from(bytes))).toBeNull();
  });
});
