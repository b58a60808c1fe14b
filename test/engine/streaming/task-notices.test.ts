// What tasks tell the user comes through once, however many of them tell it.
import { expect, it } from 'vitest';
import { TaskNotices } from '../../../src/engine/streaming/coordinator/task-notices.ts';

function notices() {
  const told: string[] = [];
  const clock = { nowMs: 0 };
  const tested = new TaskNotices(
    (message) => told.push(message),
    () => clock.nowMs,
  );
  return { told, clock, tested };
}

it('the same words are told again after 30 s, others at once', () => {
  const { told, clock, tested } = notices();
  for (const [nowMs, words] of [
    [0, 'a'],
    [0, 'a'],
    [10, 'b'],
    [29_999, 'a'],
    [30_000, 'a'],
    [30_001, 'a'],
    [30_011, 'b'],
  ] as const) {
    clock.nowMs = nowMs;
    tested.take(words);
  }
  expect(told).toEqual(['a', 'b', 'a', 'b']);
});

it('words that are always other words are not all kept in mind', () => {
  const { told, tested } = notices();
  for (let index = 0; index <= 100; index += 1) tested.take(`${index}`);
  tested.take('100');
  expect(told).toHaveLength(101);
  tested.take('0');
  expect(told).toHaveLength(102);
});
