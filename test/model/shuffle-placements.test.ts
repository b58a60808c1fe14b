// The ShuffleMaster's state as bytes: what is written is read, it stays small, and bytes that are none are a value.
import { describe, expect, it } from 'vitest';
import { decodePlacements, encodePlacements, type PartitionPlacement } from '../../src/model/shuffle-placements.ts';

const placed = (partitionIndex: number, more: Partial<PartitionPlacement> = {}): PartitionPlacement => ({
  holderId: 'shuffle-service',
  datasetId: '0a'.repeat(16),
  partitionIndex,
  attempt: 0,
  epoch: 1,
  ...more,
});
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const group = (runs: unknown, head: readonly unknown[] = ['s', 'd', 0, 1]) =>
  bytesOf({ shuffleMaster: 1, held: [[...head, runs]] });

describe('placements', () => {
  it.each([
    ['none', []],
    ['one', [placed(7)]],
    ['runs with gaps', [0, 1, 2, 5, 6, 9].map((index) => placed(index))],
    [
      'attempts, epochs, data sets and holders apart',
      [
        placed(0),
        placed(1, { attempt: 2 }),
        placed(2, { epoch: 3 }),
        placed(3, { datasetId: 'ff'.repeat(16) }),
        placed(4, { holderId: 'shuffle-service-2' }),
      ],
    ],
    ['the highest index', [placed(32_767)]],
  ])('are read as they were written: %s', (_, placements) => {
    expect(decodePlacements(encodePlacements(placements))).toEqual(placements);
  });

  it('stay small where partitions are neighbours: 10,000 take no more than one', () => {
    const all = Array.from({ length: 10_000 }, (_, index) => placed(index));
    const shuffled = [...all].reverse();
    expect(encodePlacements(shuffled).length).toBeLessThan(encodePlacements([placed(0)]).length + 10);
    expect(decodePlacements(encodePlacements(shuffled))).toEqual(all);
  });

  it('of another engine are opaque', () => {
    expect(decodePlacements(new Uint8Array([0xac, 0xed, 0, 5]))).toBe('opaque');
    expect(decodePlacements(new Uint8Array())).toBe('opaque');
  });

  it.each([
    ['cut', encodePlacements([placed(1)]).subarray(0, 40)],
    ['not UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['another format', bytesOf({ shuffleMaster: 2, held: [] })],
    ['no list', bytesOf({ shuffleMaster: 1, held: {} })],
    ['null in the place of a group', bytesOf({ shuffleMaster: 1, held: [null] })],
    ['a group without runs', bytesOf({ shuffleMaster: 1, held: [['s', 'd', 0, 1]] })],
    ['half a run', group([1])],
    ['an empty run', group([1, 0])],
    ['a negative index', group([-1, 1])],
    ['a run that claims more than a vertex can have', group([0, 1e9])],
    ['runs that claim more than a job can have', group(Array.from({ length: 129 }, () => [0, 32_768]).flat())],
    ['no holder', group([0, 1], ['', 'd', 0, 1])],
    ['an attempt that is no number', group([0, 1], ['s', 'd', '0', 1])],
  ])('that are none are a value: %s', (_, bytes) => {
    expect(decodePlacements(bytes)).toBe('invalid');
  });
});
