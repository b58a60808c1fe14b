// Watermarks out of the rows that pass: the least of all origins; origins without rows are waited for, or are idle.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { OperatorContext } from '../../../src/engine/streaming/operators/operator.ts';
import { WatermarkOperator } from '../../../src/engine/streaming/operators/watermark-operator.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

async function scene(idlenessMs: number | null) {
  const told: (number | 'idle')[] = [];
  const operator = new WatermarkOperator({ time: 't', outOfOrdernessMs: 2, idlenessMs });
  let origin = '';
  const output = {
    collect: () => {},
    emitWatermark: (mark: number) => void told.push(mark),
    emitIdle: () => void told.push('idle'),
  };
  await operator.open({ output, origin: () => origin } as unknown as OperatorContext);
  const row = (from: string, t: number) => {
    origin = from;
    operator.processElement({ t });
  };
  const interval = (afterMs = 0) => {
    vi.advanceTimersByTime(afterMs);
    operator.onInterval();
    return told.splice(0);
  };
  return { operator, row, interval, told };
}

it('the least of the highest times, less the bound of disorder', async () => {
  const { operator, row, interval } = await scene(null);
  operator.originsKnown(['a', 'b']);
  row('a', 10);
  expect(interval()).toEqual([]);
  row('b', 30);
  row('a', 8);
  expect(interval()).toEqual([7]);
  row('a', 100);
  expect(interval()).toEqual([27]);
  expect(interval(1_000_000)).toEqual([]);
});

it('an origin without rows for so long is not waited for, and is again when it has some', async () => {
  const { row, interval } = await scene(100);
  row('a', 10);
  row('b', 30);
  expect(interval()).toEqual([7]);
  vi.advanceTimersByTime(60);
  row('b', 40);
  expect(interval(60)).toEqual([37]);
  expect(interval(60)).toEqual(['idle']);
  row('a', 50);
  expect(interval()).toEqual([47]);
});

it('a task that no row has reached is idle after as long, which is told once', async () => {
  const { row, interval } = await scene(100);
  expect([interval(100), interval(1), interval(1000)]).toEqual([[], ['idle'], []]);
  row('a', 10);
  expect(interval()).toEqual([7]);
  expect((await scene(null)).interval(1_000_000)).toEqual([]);
});

it('a task without splits is idle at once', async () => {
  const { operator, told } = await scene(null);
  operator.originsKnown([]);
  expect(told).toEqual(['idle']);
});

it('of those from before only the last of all is passed on', async () => {
  const { operator, told } = await scene(null);
  operator.processWatermark(5);
  operator.processWatermark(Number.POSITIVE_INFINITY);
  expect(told).toEqual([Number.POSITIVE_INFINITY]);
});
