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

  it('keep bigints of any width, wherever they stand', () => {
    const codec = new ValueCodec();
    const edges = [
      2n ** 31n,
      2n ** 53n,
      2n ** 63n - 1n,
      2n ** 63n,
      2n ** 64n - 1n,
      2n ** 64n,
      2n ** 64n + 5n,
      2n ** 70n,
    ];
    const all = [0n, ...edges, ...edges.map((edge) => -edge), -(2n ** 63n) - 1n, 10n ** 5_000n];
    for (const value of all) expect(codec.decode(codec.encode(value))).toBe(value);
    const row = {
      all,
      nested: { map: new Map([[2n ** 64n, new Set(all)]]), at: new Date(7) },
      text: '5',
      n: Number.NaN,
    };
    expect(codec.decode(codec.encode([row, row]))).toEqual([row, row]);
  });

  it('keep wide bigints without touching what they stand in', () => {
    const row = Object.freeze({ list: Object.freeze([2n ** 64n, 'x']) });
    new ValueCodec().encode(row);
    expect(row).toEqual({ list: [2n ** 64n, 'x'] });
  });

  it('of a checkpoint that was written before there were wide ones are read as they were', () => {
    const before = { small: 5n, wide: 2n ** 64n - 1n, low: -(2n ** 63n), map: new Map([['a', 1n]]) };
    const bytes = [
      '84a5736d616c6ccf0000000000000005a477696465cfffffffffffffffff',
      'a36c6f77d38000000000000000a36d6170c70d019192a161cf0000000000000001',
    ].join('');
    const codec = new ValueCodec();
    expect(codec.decode(Buffer.from(bytes, 'hex'))).toEqual(before);
    expect(Buffer.from(codec.encode(before)).toString('hex')).toBe(bytes);
  });

  it('refuses bigints that would take long to read, and bytes that are none', () => {
    const codec = new ValueCodec();
    expect(() => codec.encode({ n: 1n << 300_000n })).toThrow(
      'a bigint of 90309 digits: rows and state hold at most 65536',
    );
    const extension = (bytes: Uint8Array) => Buffer.concat([Buffer.from([0xc9, 0, 0, 0, 0, 3]), bytes]);
    for (const bytes of [Buffer.from('0x10'), Buffer.from(''), Buffer.alloc(65_537, '1')]) {
      const encoded = extension(bytes);
      encoded.writeUInt32BE(bytes.length, 1);
      expect(() => codec.decode(encoded)).toThrow(`${bytes.length} bytes are no bigint`);
    }
  });

  it('has no bytes for a circle', () => {
    const circle: Record<string, unknown> = {};
    circle.self = [circle, circle];
    expect(() => new ValueCodec().encode(circle)).toThrow('in a circle');
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
