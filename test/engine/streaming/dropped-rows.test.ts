import { expect, it } from 'vitest';
import { DroppedRows } from '../../../src/engine/streaming/coordinator/dropped-rows.ts';
import type { StreamingPlan } from '../../../src/model/streaming-plan.ts';

const operator = (operatorId: string, spec: object) => ({
  operatorId,
  name: operatorId,
  uid: operatorId,
  input: null,
  spec,
});
const plan = {
  maxParallelism: 128,
  vertices: [{ operators: [operator('words', { kind: 'source' }), operator('perMinute', { kind: 'sum' })] }],
} as unknown as StreamingPlan;

it('are told at the first, whenever they have doubled, and at the end', () => {
  const tested = new DroppedRows(plan);
  const told = [0, 1, 1, 2, 3, 4, 7].map((rows) => tested.news(new Map([['perMinute', rows]]), false).length);
  expect(told).toEqual([0, 1, 0, 1, 0, 1, 0]);
  expect(tested.news(new Map([['perMinute', 7]]), true)).toEqual([
    'stage perMinute dropped rows that came too late for their window: 7 since the tasks began',
  ]);
  expect(tested.news(new Map([['perMinute', 7]]), true)).toEqual([]);
  tested.reset();
  expect(tested.news(new Map([['words', 1]]), false)).toEqual([
    'source words skipped rows that could not be read: 1 since the tasks began',
  ]);
});
