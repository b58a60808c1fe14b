// How many tasks a stage has, where that does not wait for the bytes produced upstream: as stated, one for gathered
// input, as many as its source has splits, as many as the stage that it is forwarded from.
import type { SourceSpec } from '../model/job-graph.ts';
import type { AutoParallelismOptions, Options } from '../model/options.ts';
import type { ChosenExchange, PlanInput } from './exchanges/stage-plan.ts';
import { splitsMax } from './sources/splits.ts';

interface StageShape {
  readonly entry: { readonly parallelism?: number | undefined };
  readonly inputs: readonly PlanInput[];
  readonly producers: ReadonlyMap<string, { readonly parallelism: number | null; readonly isSource: boolean }>;
}

/** The fixed number of tasks; null: decided at run time. */
export function naturalParallelism(
  stage: StageShape,
  exchanges: readonly ChosenExchange[],
  planning: { readonly options: Options; readonly totalSlots: number },
): number | null {
  if (stage.entry.parallelism !== undefined) return stage.entry.parallelism;
  const divided = stage.inputs.flatMap((input, index) => {
    const exchange = exchanges[index]?.exchange ?? 'gather';
    const producer = stage.producers.get(input.from);
    return exchange === 'broadcast' || !producer ? [] : [{ exchange, producer }];
  });
  if (divided.length === 0 || divided.some(({ exchange }) => exchange === 'gather')) return 1;
  const readsSource = divided.some(({ exchange, producer }) => producer.isSource && exchange !== 'hash');
  const followed = divided.filter(
    ({ exchange, producer }) => exchange === 'forward' || (producer.isSource && exchange !== 'hash'),
  );
  if (readsSource || followed.length === divided.length) {
    const known = followed.flatMap(({ producer }) => producer.parallelism ?? []);
    return readsSource || known.length === followed.length ? Math.max(1, ...known) : null;
  }
  return planning.options.autoParallelism.enabled ? null : planning.totalSlots;
}

/** A source's tasks: one a split, within bounds; where splits are found later, as many as it says. */
export function sourceParallelism(source: SourceSpec, options: AutoParallelismOptions): number {
  if (source.enumerator !== undefined) return source.enumerator.parallelism;
  return Math.max(1, Math.min(source.splits.length, options.defaultSourceParallelism ?? splitsMax));
}

/** Upper bound of adaptive decisions: enough to balance skew over the slots, not so many that shuffles get tiny. */
export function adaptiveParallelismMax(options: AutoParallelismOptions, totalSlots: number): number {
  return options.maxParallelism ?? Math.max(4, 2 * totalSlots);
}
