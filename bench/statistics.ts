// Medians and spreads of interleaved pairs. A pair is measured back to back on the same machine in the same state, so
// what is reported is the ratio inside pairs; absolute times are only to show the scale.

export interface Spread {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('no values');
  const sorted = [...values].sort((left, right) => left - right);
  return {
    median: quantile(sorted, 0.5),
    lowerQuartile: quantile(sorted, 0.25),
    upperQuartile: quantile(sorted, 0.75),
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
  };
}

/** Linear between neighbours. */
function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? 0;
  return below + (above - below) * (position - Math.floor(position));
}

/** `1.23 (quartiles 1.19–1.30, all 1.10–1.41)`. */
export function spreadText(values: readonly number[], digits = 2): string {
  const { median, lowerQuartile, upperQuartile, min, max } = spreadOf(values);
  const text = (value: number) => value.toFixed(digits);
  return `${text(median)} (quartiles ${text(lowerQuartile)}–${text(upperQuartile)}, all ${text(min)}–${text(max)})`;
}

export interface Pair {
  readonly ours: number;
  readonly other: number;
}

export function ratios(pairs: readonly Pair[]): number[] {
  return pairs.map(({ ours, other }) => ours / other);
}

/** Runs the two sides of each pair back to back, which of them first by turns, after one pair that does not count. */
export async function measurePairs(
  pairs: number,
  ours: () => Promise<number>,
  other: () => Promise<number>,
): Promise<Pair[]> {
  const measured: Pair[] = [];
  for (let index = -1; index < pairs; index++) {
    const pair = index % 2 === 0 ? await inOrder(ours, other) : swapped(await inOrder(other, ours));
    if (index >= 0) measured.push(pair);
  }
  return measured;
}

async function inOrder(first: () => Promise<number>, second: () => Promise<number>): Promise<Pair> {
  return { ours: await first(), other: await second() };
}

function swapped({ ours, other }: Pair): Pair {
  return { ours: other, other: ours };
}
