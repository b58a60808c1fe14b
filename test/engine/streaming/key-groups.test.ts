import { describe, expect, it } from 'vitest';
import {
  keyGroupOf,
  keyGroupRangeOf,
  keyText,
  subtaskOfKeyGroup,
} from '../../../src/engine/streaming/state/key-groups.ts';

describe('key groups', () => {
  it('never change: the hash is part of the format of checkpoints', () => {
    // FNV-1a over the bytes of UTF-16 units and MurmurHash3's last steps, in BigInt arithmetic.
    const slowly = (key: string) => {
      const mask = 0xffffffffn;
      let hash = 0x811c9dc5n;
      for (let index = 0; index < key.length; index += 1) {
        const unit = BigInt(key.charCodeAt(index));
        for (const byte of [unit & 0xffn, unit >> 8n]) hash = ((hash ^ byte) * 0x01000193n) & mask;
      }
      hash = ((hash ^ (hash >> 16n)) * 0x85ebca6bn) & mask;
      hash = ((hash ^ (hash >> 13n)) * 0xc2b2ae35n) & mask;
      return Number((hash ^ (hash >> 16n)) % 128n);
    };
    for (const key of ['', '"a"', '"word"', '1', '-1.5', 'null', '"ä€𝄞"', '"a","b"', '12345678901234567890n']) {
      expect(keyGroupOf(key, 128)).toBe(slowly(key));
    }
    expect([keyGroupOf('"a"', 128), keyGroupOf('"b"', 128), keyGroupOf('1', 128)]).toEqual([
      slowly('"a"'),
      slowly('"b"'),
      slowly('1'),
    ]);
  });

  it('spread evenly enough', () => {
    const counts = new Array<number>(128).fill(0);
    for (let number = 0; number < 12_800; number += 1) {
      const group = keyGroupOf(`"key-${number}"`, 128);
      counts[group] = (counts[group] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(170);
  });

  it('belong to one subtask each, whatever the parallelism', () => {
    for (const maxParallelism of [1, 7, 128]) {
      for (let parallelism = 1; parallelism <= Math.min(maxParallelism, 40); parallelism += 1) {
        const owners = Array.from({ length: maxParallelism }, (_, group) =>
          Array.from({ length: parallelism }, (_, subtask) => subtask).filter((subtask) => {
            const { first, last } = keyGroupRangeOf(subtask, maxParallelism, parallelism);
            return group >= first && group <= last;
          }),
        );
        const computed = owners.map((_, group) => [subtaskOfKeyGroup(group, maxParallelism, parallelism)]);
        expect(owners).toEqual(computed);
      }
    }
  });
});

describe('key text', () => {
  it('tells values of different types apart', () => {
    const values = [1, '1', 1n, true, 'true', null, 'null', new Date(1), 'd1', '', 0.5];
    const texts = values.map((value) => keyText({ k: value }, ['k']));
    expect(new Set(texts).size).toBe(values.length);
    expect(keyText({ k: -0 }, ['k'])).toBe(keyText({ k: 0 }, ['k']));
  });

  it('does not confuse the fields of a key', () => {
    expect(keyText({ a: 'x,', b: 'y' }, ['a', 'b'])).not.toBe(keyText({ a: 'x', b: ',y' }, ['a', 'b']));
  });

  it.each([
    [{}, 'has no field k'],
    [{ k: Number.NaN }, 'has no usable key in field k'],
    [{ k: {} }, 'has no usable key in field k'],
  ])('refuses %j', (row, message) => {
    expect(() => keyText(row, ['k'])).toThrow(message);
  });
});
