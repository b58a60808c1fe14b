// What the tasks of a Flink job depend on: all-to-all edges are whole whatever a task reads of them, pointwise ones go by
// the hull of their groups. The ranges of the first test are those of a real cluster (2.3.0, a rebalanced edge).
import { describe, expect, it } from 'vitest';
import type { InputRange } from '../../../src/model/job-events.ts';
import {
  connectedRanges,
  distributionShown,
  isSplitByPartition,
  partitionHull,
  widestOf,
} from '../../../src/replay/flink-inputs.ts';

type Bounds = readonly [number, number];
const range = (partitions: Bounds, subpartitions: Bounds, ...further: InputRange[]): InputRange => ({
  partitions,
  subpartitions,
  ...(further.length === 0 ? {} : { further }),
});

const shared = [
  range([0, 0], [0, 1]),
  range([0, 0], [2, 3]),
  range([1, 1], [0, 1]),
  range([2, 3], [0, 1], range([1, 3], [2, 3])),
];
const pointwise = [range([0, 0], [0, 0]), range([0, 0], [1, 1]), range([1, 1], [0, 1])];
const whole = [range([0, 3], [0, 1]), range([0, 3], [2, 3])];

describe('connectedRanges', () => {
  const partitions = (ranges: readonly InputRange[]) => ranges.map((each) => each.partitions);

  it('connects each task of an all-to-all edge to all partitions', () => {
    expect(partitions(connectedRanges(shared, 'ALL_TO_ALL', 4))).toEqual([0, 1, 2, 3].map(() => [0, 3]));
    expect(partitions(connectedRanges(shared, 'BROADCAST', 4))).toEqual([0, 1, 2, 3].map(() => [0, 3]));
  });

  it('connects each task of a pointwise edge to the hull of its groups', () => {
    expect(partitions(connectedRanges(shared, 'POINTWISE', 4))).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 3],
    ]);
    expect(partitionHull(range([0, -1], [0, -1]))).toEqual([0, -1]);
  });
});

describe('distributionShown', () => {
  it.each<[string, readonly InputRange[], number, string]>([
    ['all read all', whole, 9, 'ALL_TO_ALL'],
    ['as many subpartitions as there may be tasks', shared, 4, 'ALL_TO_ALL'],
    ['fewer subpartitions than tasks', pointwise, 3, 'POINTWISE'],
    ['one subpartition', [range([0, 0], [0, 0]), range([1, 1], [0, 0])], 1, 'POINTWISE'],
    ['nobody reads', [], 4, 'ALL_TO_ALL'],
  ])('%s', (_title, ranges, widest, distribution) => {
    expect(distributionShown(ranges, widest)).toBe(distribution);
  });

  it('is told by the widest that the job shows', () => {
    const inputs = [{ datasetId: 'd', ranges: whole }];
    expect(widestOf([{ parallelism: 2, inputs }])).toBe(4);
    expect(widestOf([{ parallelism: 5, inputs }])).toBe(5);
    // A partial edge may be pointwise: its subpartitions say nothing.
    expect(widestOf([{ parallelism: 2, inputs: [{ datasetId: 'd', ranges: shared }] }])).toBe(2);
  });
});

it('a keyed edge is never shared out by partition', () => {
  expect(isSplitByPartition(whole)).toBe(false);
  expect(isSplitByPartition([range([0, 1], [0, 0]), range([2, 3], [0, 0]), range([0, 3], [1, 1])])).toBe(false);
  expect(isSplitByPartition([range([0, 1], [0, 3]), range([2, 3], [0, 3])])).toBe(true);
});
