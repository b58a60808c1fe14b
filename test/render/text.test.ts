// The small formats of numbers, and the one table.
import { describe, expect, it } from 'vitest';
import { createStyle } from '../../src/render/style.ts';
import { table } from '../../src/render/table.ts';
import { count, counted, cut, duration, ranges, size } from '../../src/render/text.ts';

describe('text', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1234567, '1,234,567'],
  ] as const)('count %d', (value, text) => {
    expect(count(value)).toBe(text);
  });

  it.each([
    [0, '0 tasks'],
    [1, '1 task'],
    [2, '2 tasks'],
  ] as const)('counted %d', (value, text) => {
    expect(counted(value, 'task')).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1550, '1.6 kB'],
    [12_345, '12 kB'],
    [9_999_999, '10.0 MB'],
    [3e9, '3.0 GB'],
    [5e15, '5000 TB'],
  ] as const)('size %d', (value, text) => {
    expect(size(value)).toBe(text);
  });

  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [999.6, '1.0 s'],
    [12_340, '12.3 s'],
    [59_960, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [119_999, '2 min 0 s'],
    [7_500_000, '2 h 5 min'],
  ] as const)('duration %d', (value, text) => {
    expect(duration(value)).toBe(text);
  });

  it.each([
    [[], ''],
    [[3], '3'],
    [[0, 1, 2], '0-2'],
    [[9, 0, 1, 5, 10, 1], '0-1, 5, 9-10'],
    [[0, 2, 4, 6, 8, 10, 12], '0, 2, 4, 6, 8, 10, … (7 in all)'],
  ] as const)('ranges %j', (value, text) => {
    expect(ranges(value)).toBe(text);
  });

  it('cuts what is too long', () => {
    expect([cut('abcdef', 6), cut('abcdefg', 6)]).toEqual(['abcdef', 'abcde…']);
  });
});

describe('table', () => {
  const plain = createStyle({ color: false, width: 80 });

  it('aligns columns, colours or not', () => {
    const rows = [
      ['a', '1'],
      ['longer', '1,000'],
    ];
    const columns = [{ title: 'name' }, { title: 'rows', align: 'right' }] as const;
    const text = table(columns, rows, plain);
    expect(text).toBe('  name     rows\n  a           1\n  longer  1,000');
    const colored = createStyle({ color: true, width: 80 });
    const dressed = table(
      columns,
      rows.map(([name = '', number = '']) => [colored.good(name), number]),
      colored,
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is taken away
    expect(dressed.replace(/\u001b\[\d+m/g, '')).toBe(text);
  });

  it('is nothing without rows', () => {
    expect(table([{ title: 'x' }], [], plain)).toBe('');
  });
});
