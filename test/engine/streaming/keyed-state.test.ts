import { describe, expect, it } from 'vitest';
import { keyGroupOf, keyGroupRangeOf, keyText } from '../../../src/engine/streaming/state/key-groups.ts';
import { KeyedStateBackend } from '../../../src/engine/streaming/state/keyed-state-backend.ts';
import { ValueCodec } from '../../../src/engine/streaming/state/value-codec.ts';

const all = { first: 0, last: 127 };

describe('values as bytes', () => {
  const samples: readonly unknown[] = [
    { a: 1, b: -1.5, c: 'ä€𝄞', d: null, e: true, f: [1, [2]], g: { h: {} } },
    2n ** 60n,
    -5n,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    new Date(1_700_000_000_123),
    new Uint8Array([0, 255]),
    new Map<unknown, unknown>([
      ['a', new Set([1n])],
      ['b', new Date(5)],
    ]),
  ];

  it('come back as they were', () => {
    const codec = new ValueCodec();
    for (const value of samples) expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('has no bytes for a function', () => {
    expect(() => new ValueCodec().encode({ f: () => 1 })).toThrow();
  });
});

describe('keyed state', () => {
  it('is that of the current key alone', () => {
    const state = new KeyedStateBackend(128);
    const [value, list, map] = [state.value<number>('v'), state.list<string>('l'), state.map<number>('m')];
    state.useKey('"a"');
    value.set(1);
    list.add('x');
    list.add('y');
    map.set('k', 5);
    state.useKey('"b"');
    expect([value.get(), list.get(), map.has('k'), [...map.entries()]]).toEqual([undefined, [], false, []]);
    list.update(['z']);
    state.useKey('"a"');
    expect([value.get(), list.get(), map.get('k')]).toEqual([1, ['x', 'y'], 5]);
    value.clear();
    list.clear();
    map.delete('k');
    expect(state.snapshot().length).toBe(1);
  });

  it('refuses a name as two kinds of state', () => {
    const state = new KeyedStateBackend(128);
    state.value('s');
    expect(() => state.list('s')).toThrow('state s is a value, and is asked for as a list');
  });

  it.each([
    [1, 3],
    [3, 1],
    [2, 5],
    [4, 4],
  ])('from %i tasks to %i: every key is in the task that its rows go to, once', (before, after) => {
    const keys = Array.from({ length: 500 }, (_, index) => keyText({ k: `key ${index}` }, ['k']));
    const old = Array.from({ length: before }, () => new KeyedStateBackend(128));
    for (const [index, key] of keys.entries()) {
      const owner = Math.floor((keyGroupOf(key, 128) * before) / 128);
      const state = old[owner] as KeyedStateBackend;
      state.useKey(key);
      state.value<number>('count').set(index);
      state.map<bigint>('sums').set('s', BigInt(index));
    }
    const blocks = old.flatMap((state) => state.snapshot());
    const seen = new Map<string, number>();
    for (let subtask = 0; subtask < after; subtask += 1) {
      const state = new KeyedStateBackend(128);
      state.restore(blocks, keyGroupRangeOf(subtask, 128, after));
      const [count, sums] = [state.value<number>('count'), state.map<bigint>('sums')];
      for (const key of state.keys('count')) {
        state.useKey(key);
        expect(Math.floor((keyGroupOf(key, 128) * after) / 128)).toBe(subtask);
        expect(seen.has(key)).toBe(false);
        expect(sums.get('s')).toBe(BigInt(count.get() ?? -1));
        seen.set(key, count.get() ?? -1);
      }
    }
    expect([...seen].sort()).toEqual(keys.map((key, index) => [key, index] as const).sort());
  });

  it('has the same bytes for the same state', () => {
    const bytes = () => {
      const state = new KeyedStateBackend(128);
      for (const key of ['"a"', '"b"', '1']) {
        state.useKey(key);
        state.value<string>('v').set(key);
      }
      return state.snapshot();
    };
    expect(bytes()).toEqual(bytes());
    const copy = new KeyedStateBackend(128);
    copy.restore(bytes(), all);
    expect(copy.snapshot()).toEqual(bytes());
  });
});
