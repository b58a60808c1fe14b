// The adaptive plan's decision for one vertex: its parallelism from the bytes produced upstream, and which
// partitions and subpartitions each of its tasks reads (Flink: AdaptiveBatchScheduler, ExecutionVertexInputInfo).
// Pure: the same produced bytes give the same decision. The decision is recorded and replayed, never made again.
import { invariant } from '../../model/errors.ts';
import type { InputRange, VertexInputInfo } from '../../model/job-events.ts';
import type { DataSet } from '../../model/job-graph.ts';

/** A data set that the vertex reads, as its producers left it. */
export interface ProducedDataSet {
  readonly dataset: DataSet;
  /** Number of partitions: the producer's parallelism. */
  readonly partitions: number;
  readonly bytes: number;
  /** Bytes of each subpartition, over all partitions. */
  readonly subpartitionBytes: readonly number[];
}

export interface ParallelismBounds {
  /** The vertex's fixed parallelism; null: decide. */
  readonly fixed: number | null;
  readonly min: number;
  readonly max: number;
  /** Data volume that one task should read. */
  readonly bytesPerTask: number;
}

export interface AdaptiveDecision {
  readonly parallelism: number;
  readonly inputs: readonly VertexInputInfo[];
}

/** Nothing to read: an inclusive range that ends before it begins. */
const emptyRange: readonly [number, number] = [0, -1];

export function decideParallelism(inputs: readonly ProducedDataSet[], bounds: ParallelismBounds): AdaptiveDecision {
  const parallelism = bounds.fixed ?? adaptiveParallelism(inputs, bounds);
  const hashRanges = balancedRanges(hashSubpartitionBytes(inputs), parallelism);
  return {
    parallelism,
    inputs: inputs.map((input) => ({
      datasetId: input.dataset.id,
      ranges: Array.from({ length: parallelism }, (_, task) => rangeOf(input, task, parallelism, hashRanges)),
    })),
  };
}

function adaptiveParallelism(inputs: readonly ProducedDataSet[], bounds: ParallelismBounds): number {
  // Broadcast inputs are read whole by every task: more tasks do not divide them.
  const divided = inputs.filter((input) => input.dataset.exchange !== 'broadcast');
  if (divided.some((input) => input.dataset.exchange === 'gather')) return 1;
  const bytes = divided.reduce((sum, input) => sum + input.bytes, 0);
  const pieces = Math.min(bounds.max, ...divided.map(piecesOf));
  return Math.max(1, Math.min(pieces, Math.max(bounds.min, Math.ceil(bytes / bounds.bytesPerTask))));
}

/** Into how many tasks' inputs a data set can be divided. */
function piecesOf(input: ProducedDataSet): number {
  const { exchange, subpartitions } = input.dataset;
  return exchange === 'hash' || exchange === 'rebalance' ? subpartitions : Math.max(1, input.partitions);
}

/** Co-partitioned inputs of a join are divided at the same subpartitions, balanced by the sum of their bytes. */
function hashSubpartitionBytes(inputs: readonly ProducedDataSet[]): number[] {
  const sums: number[] = [];
  for (const input of inputs.filter((candidate) => candidate.dataset.exchange === 'hash')) {
    input.subpartitionBytes.forEach((bytes, index) => {
      sums[index] = (sums[index] ?? 0) + bytes;
    });
  }
  return sums;
}

function rangeOf(
  input: ProducedDataSet,
  task: number,
  parallelism: number,
  hashRanges: readonly (readonly [number, number])[],
): InputRange {
  const allPartitions: readonly [number, number] = [0, input.partitions - 1];
  switch (input.dataset.exchange) {
    case 'broadcast':
    case 'gather':
      return { partitions: allPartitions, subpartitions: [0, 0] };
    case 'hash':
      return { partitions: allPartitions, subpartitions: hashRanges[task] ?? emptyRange };
    case 'rebalance':
      return { partitions: allPartitions, subpartitions: evenRange(input.dataset.subpartitions, parallelism, task) };
    case 'forward':
    case 'rescale':
      return { partitions: evenRange(input.partitions, parallelism, task), subpartitions: [0, 0] };
  }
}

/** The `index`-th of `count` contiguous ranges over 0..total-1, sizes differing by one at most; may be empty. */
export function evenRange(total: number, count: number, index: number): readonly [number, number] {
  return [Math.floor((index * total) / count), Math.floor(((index + 1) * total) / count) - 1];
}

/**
 * Cuts `weights` into `count` contiguous ranges of about equal weight. Every subpartition is in exactly one range:
 * where there are fewer subpartitions than ranges, the last ranges are empty.
 */
export function balancedRanges(weights: readonly number[], count: number): (readonly [number, number])[] {
  invariant(count >= 1, 'at least one range');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ranges: (readonly [number, number])[] = [];
  let start = 0;
  let taken = 0;
  for (let range = 0; range < count; range += 1) {
    const end = rangeEnd(weights, { start, taken, goal: (total * (range + 1)) / count, rangesLeft: count - range - 1 });
    for (let index = start; index <= end; index += 1) taken += weights[index] ?? 0;
    ranges.push([start, end]);
    start = end + 1;
  }
  return ranges;
}

/** Last index of a range that begins at `start`: up to the goal, but leaving one index for each range that follows. */
function rangeEnd(
  weights: readonly number[],
  cut: { readonly start: number; readonly taken: number; readonly goal: number; readonly rangesLeft: number },
): number {
  const last = weights.length - 1;
  if (cut.rangesLeft === 0 || cut.start > last) return last;
  const lastAllowed = Math.max(cut.start, last - cut.rangesLeft);
  let end = cut.start;
  let sum = cut.taken + (weights[end] ?? 0);
  while (end < lastAllowed && sum + (weights[end + 1] ?? 0) / 2 <= cut.goal) {
    end += 1;
    sum += weights[end] ?? 0;
  }
  return end;
}
