// The adaptive plan's decision: every subpartition and partition is read exactly once, and volumes are balanced.
import { describe, expect, it } from 'vitest';
import {
  balancedRanges,
  decideParallelism,
  evenRange,
  type ParallelismBounds,
  type ProducedDataSet,
} from '../../../src/engine/job-master/adaptive-parallelism.ts';
import type { ExchangeKind } from '../../../src/model/job-graph.ts';

function produced(exchange: ExchangeKind, partitions: number, subpartitionBytes: number[]): ProducedDataSet {
  const bytes = subpartitionBytes.reduce((sum, each) => sum + each, 0);
  const dataset = {
    id: exchange.padEnd(32, '0'),
    from: { kind: 'step' as const, step: 0 },
    exchange,
    by: [],
    subpartitions: subpartitionBytes.length,
    columns: null,
  };
  return { dataset, partitions, bytes, subpartitionBytes };
}

const bounds: ParallelismBounds = { fixed: null, min: 1, max: 8, bytesPerTask: 100 };

function covered(ranges: readonly (readonly [number, number])[]): number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

describe('decideParallelism', () => {
  it.each([
    { name: 'one task for little data', inputs: [produced('hash', 3, [10, 10, 10, 10])], parallelism: 1 },
    { name: 'as many as the volume asks for', inputs: [produced('hash', 3, [100, 100, 100, 10])], parallelism: 4 },
    { name: 'no more than subpartitions', inputs: [produced('hash', 3, [5_000, 5_000])], parallelism: 2 },
    { name: 'no more than max', inputs: [produced('hash', 3, new Array(32).fill(900))], parallelism: 8 },
    { name: 'gather is one task', inputs: [produced('gather', 3, [9_000])], parallelism: 1 },
    {
      name: 'broadcast does not divide',
      inputs: [produced('broadcast', 3, [9_000]), produced('hash', 2, [150, 20])],
      parallelism: 2,
    },
    { name: 'broadcast alone is one task', inputs: [produced('broadcast', 3, [90])], parallelism: 1 },
    { name: 'rescale divides by partitions', inputs: [produced('rescale', 3, [5_000])], parallelism: 3 },
    { name: 'no data at all', inputs: [produced('hash', 3, [0, 0, 0])], parallelism: 1 },
  ])('$name', ({ inputs, parallelism }) => {
    expect(decideParallelism(inputs, bounds).parallelism).toBe(parallelism);
  });

  it('keeps a fixed parallelism, also above the number of subpartitions', () => {
    const decision = decideParallelism([produced('hash', 2, [10, 10])], { ...bounds, fixed: 5 });
    expect(decision.parallelism).toBe(5);
    expect(covered(decision.inputs[0]?.ranges.map((range) => range.subpartitions) ?? [])).toEqual([0, 1]);
  });

  it.each(['hash', 'rebalance'] as const)('%s: each subpartition of all partitions goes to one task', (exchange) => {
    for (const fixed of [1, 2, 3, 5, 8]) {
      const decision = decideParallelism([produced(exchange, 3, [40, 0, 900, 5, 5, 100, 0, 3])], { ...bounds, fixed });
      const ranges = decision.inputs[0]?.ranges ?? [];
      expect(covered(ranges.map((range) => range.subpartitions))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(ranges.every(({ partitions }) => partitions[0] === 0 && partitions[1] === 2)).toBe(true);
    }
  });

  it.each(['forward', 'rescale'] as const)('%s: each partition goes to one task', (exchange) => {
    for (const fixed of [1, 2, 3, 4, 7]) {
      const decision = decideParallelism([produced(exchange, 4, [10])], { ...bounds, fixed });
      expect(covered(decision.inputs[0]?.ranges.map((range) => range.partitions) ?? [])).toEqual([0, 1, 2, 3]);
    }
  });

  it('divides both sides of a hash join at the same subpartitions', () => {
    const { inputs } = decideParallelism(
      [produced('hash', 2, [400, 0, 0, 0]), produced('hash', 7, [0, 0, 0, 400])],
      bounds,
    );
    expect(inputs[0]?.ranges.map((range) => range.subpartitions)).toEqual(
      inputs[1]?.ranges.map((range) => range.subpartitions),
    );
  });
});

describe('balancedRanges', () => {
  it('cuts at about equal weights and leaves no range empty while there are enough', () => {
    expect(balancedRanges([10, 10, 10, 10], 2)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(balancedRanges([100, 1, 1, 1], 2)).toEqual([
      [0, 0],
      [1, 3],
    ]);
    expect(balancedRanges([1, 1, 1, 100], 3)).toEqual([
      [0, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(balancedRanges([5], 3)).toEqual([
      [0, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  it('covers all indices once, for any weights (seeded)', () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 2_000; round += 1) {
      const weights = Array.from({ length: random(20) }, () => random(1_000));
      const count = 1 + random(24);
      const ranges = balancedRanges(weights, count);
      expect(ranges).toHaveLength(count);
      expect(covered(ranges)).toEqual(weights.map((_, index) => index));
      if (weights.length >= count) expect(ranges.every(([first, last]) => last >= first)).toBe(true);
    }
  });
});

describe('evenRange', () => {
  it('gives sizes that differ by one at most', () => {
    for (const [total, count] of [
      [10, 3],
      [3, 10],
      [0, 2],
      [8, 8],
    ] as const) {
      const sizes = Array.from({ length: count }, (_, index) => evenRange(total, count, index)).map(
        ([a, b]) => b - a + 1,
      );
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(total);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
  });
});
