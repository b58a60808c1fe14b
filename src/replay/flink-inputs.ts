// Which partitions a task of a Flink job depends on. Not always those that its input ranges name: Flink connects every
// task of an all-to-all edge to all partitions, also where 2.x lets it read some of them only (it shares out what has no
// keys by size), and of a pointwise one to the hull of its groups. Doc: docs/flink.md "What a task depends on".
import type { InputRange, JobVertexInitialized } from '../model/job-events.ts';
import type { Distribution } from '../model/job-graph.ts';

/** First to last partition of all groups that the task reads, inclusive; the last is below the first where it reads none. */
export function partitionHull({ partitions, further = [] }: InputRange): readonly [number, number] {
  if (further.length === 0) return partitions;
  const all = [partitions, ...further.map((group) => group.partitions)];
  return [Math.min(...all.map(([first]) => first)), Math.max(...all.map(([, last]) => last))];
}

/** What Flink connects each task to. `partitions`: how many the data set has. */
export function connectedRanges(
  ranges: readonly InputRange[],
  distribution: Distribution,
  partitions: number,
): readonly InputRange[] {
  const isPointwise = distribution === 'POINTWISE';
  return ranges.map((range) => {
    const { subpartitions } = range;
    return { partitions: isPointwise ? partitionHull(range) : [0, partitions - 1], subpartitions };
  });
}

/** How many partitions the ranges reach to. */
export function partitionsReached(ranges: readonly InputRange[]): number {
  return ranges.reduce((most, range) => Math.max(most, partitionHull(range)[1] + 1), 0);
}

/**
 * The shape of an edge as the ranges of its consumer show it. Broadcast is not told apart from all-to-all, and does not
 * differ for a recovery. `widest` is the largest parallelism or number of subpartitions that the job shows elsewhere: an
 * all-to-all edge has a subpartition for each task that there may be, a pointwise one shares them among its producers.
 */
export function distributionShown(ranges: readonly InputRange[], widest: number): Distribution {
  if (readAllAlike(ranges)) return 'ALL_TO_ALL';
  const subpartitions = subpartitionsReached(ranges);
  return subpartitions > 1 && subpartitions >= widest ? 'ALL_TO_ALL' : 'POINTWISE';
}

/** The largest parallelism or number of subpartitions that is certain to be of an all-to-all edge. */
export function widestOf(initialized: readonly Pick<JobVertexInitialized, 'parallelism' | 'inputs'>[]): number {
  const alike = initialized.flatMap(({ inputs }) => inputs).filter(({ ranges }) => readAllAlike(ranges));
  return Math.max(
    ...initialized.map(({ parallelism }) => parallelism),
    ...alike.map(({ ranges }) => subpartitionsReached(ranges)),
  );
}

/** Whether some task reads all subpartitions of some partitions only: a keyed edge is never shared out like that. */
export function isSplitByPartition(ranges: readonly InputRange[]): boolean {
  const [partitions, subpartitions] = [partitionsReached(ranges), subpartitionsReached(ranges)];
  return groupsOf(ranges).some(
    (group) => countOf(group.partitions) < partitions && countOf(group.subpartitions) >= subpartitions,
  );
}

function readAllAlike(ranges: readonly InputRange[]): boolean {
  const hulls = new Set(ranges.map((range) => partitionHull(range).join()));
  return hulls.size <= 1;
}

function subpartitionsReached(ranges: readonly InputRange[]): number {
  return groupsOf(ranges).reduce((most, { subpartitions }) => Math.max(most, subpartitions[1] + 1), 0);
}

/** Those that read something. */
function groupsOf(ranges: readonly InputRange[]): InputRange[] {
  return ranges
    .flatMap((range) => [range, ...(range.further ?? [])])
    .filter(({ partitions }) => countOf(partitions) > 0);
}

function countOf([first, last]: readonly [number, number]): number {
  return last - first + 1;
}
