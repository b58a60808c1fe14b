// The table of names against a Map that does the same, and at the ends of its room.
import { expect, test } from 'vitest';
import { NameTable } from '../../src/services/name-table.ts';
import { randomOf } from '../store/flink/hostile.ts';

test('numbers names as a Map does, however they collide (seed 6)', () => {
  const random = randomOf(6);
  // As few slots as it can have: hashes collide all the time.
  const table = new NameTable(2000, 100_000);
  const numbers = new Map<string, number>();
  for (let round = 0; round < 20_000; round += 1) {
    const name = ['', 'a/', '/é/', '🚀', '\0'].at(Math.floor(random() * 5)) + String(Math.floor(random() * 400));
    const known = numbers.get(name) ?? numbers.size;
    numbers.set(name, known);
    expect(table.numberOf(name)).toBe(known);
  }
  expect(table.size).toBe(numbers.size);
  for (const [name, number] of numbers) expect(table.at(number)).toBe(name);
});

test('a full table knows what it has, and takes nothing more', () => {
  const table = new NameTable(2, 100);
  expect([table.numberOf('one'), table.numberOf('two'), table.numberOf('three')]).toEqual([0, 1, null]);
  expect([table.numberOf('two'), table.numberOf('one'), table.size]).toEqual([1, 0, 2]);
});

test('a name for which there is no room is not cut', () => {
  const table = new NameTable(10, 6);
  expect([table.numberOf('four'), table.numberOf('five'), table.numberOf('é')]).toEqual([0, null, 1]);
  expect([table.numberOf('x'), table.size, table.at(0), table.at(1)]).toEqual([null, 2, 'four', 'é']);
});
