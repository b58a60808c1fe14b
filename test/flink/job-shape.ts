// Random batch jobs for the judge: sources with and without batch snapshots, then stages that read one or two earlier
// ones over any exchange, with fixed or adaptive parallelism. Written as the lines that jobs/GatedJob.java reads.
import type { Random } from '../replay/random.ts';

export type Exchange = 'forward' | 'hash' | 'rebalance' | 'rescale' | 'broadcast';

export interface StageInput {
  readonly stage: string;
  readonly exchange: Exchange;
}

export interface Stage {
  readonly kind: 'source' | 'map' | 'union' | 'join';
  readonly name: string;
  /** 0: left to the scheduler. */
  readonly parallelism: number;
  /** 0: the gate is in open(); n: at each subtask's n-th record. */
  readonly gateAtRecord: number;
  /** Whether it may be chained to its input. */
  readonly chains: boolean;
  readonly inputs: readonly StageInput[];
  /** Of sources only. */
  readonly source: { readonly records: number; readonly splits: number; readonly batchSnapshot: boolean } | null;
}

/** The cluster's limit for adaptive parallelism, and the largest that is drawn. */
export const largestParallelism = 4;

export function randomJob(random: Random): Stage[] {
  const stages: Stage[] = [];
  const sources = random.chance(0.45) ? 2 : 1;
  for (let index = 0; index < sources; index += 1) stages.push(randomSource(`s${index}`, random));
  const others = 2 + random.below(4);
  for (let index = 0; index < others; index += 1) stages.push(randomStage(`m${index}`, stages, random));
  return stages;
}

function randomSource(name: string, random: Random): Stage {
  const parallelism = random.pick([0, 1, 2, 3, 4, 4]);
  const splits = (parallelism || largestParallelism) * random.pick([1, 2, 3]);
  return {
    kind: 'source',
    name,
    parallelism,
    gateAtRecord: random.pick([0, 0, 1, 20]),
    chains: true,
    inputs: [],
    source: { records: random.pick([120, 400, 900]), splits, batchSnapshot: random.chance(0.7) },
  };
}

function randomStage(name: string, earlier: readonly Stage[], random: Random): Stage {
  const kind = earlier.length > 1 ? random.pick(['map', 'map', 'union', 'join'] as const) : 'map';
  const first = random.pick(earlier);
  const inputs = [{ stage: first.name, exchange: randomExchange(random) }];
  if (kind !== 'map') {
    const second = random.pick(earlier.filter((stage) => stage !== first));
    inputs.push({ stage: second.name, exchange: random.pick(['hash', 'rebalance', 'rescale', 'broadcast']) });
  }
  return {
    kind,
    name,
    // A forward edge joins equals.
    parallelism: inputs[0]?.exchange === 'forward' ? first.parallelism : random.pick([0, 0, 1, 2, 3, 4]),
    gateAtRecord: random.pick([0, 0, 0, 1]),
    chains: random.chance(0.5),
    inputs,
    source: null,
  };
}

function randomExchange(random: Random): Exchange {
  return random.pick(['hash', 'hash', 'rebalance', 'rescale', 'rescale', 'forward', 'broadcast']);
}

/** What jobs/GatedJob.java reads. */
export function jobText(stages: readonly Stage[]): string {
  return stages.map((stage) => `${wordsOf(stage).join(' ')}\n`).join('');
}

function wordsOf({ kind, name, parallelism, gateAtRecord, chains, inputs, source }: Stage): (string | number)[] {
  const common = [kind, name, parallelism, gateAtRecord];
  if (source) return [...common, source.records, source.splits, source.batchSnapshot ? 'snapshot' : 'no-snapshot'];
  const read = inputs.flatMap(({ stage, exchange }) => [stage, exchange]);
  return [...common, chains ? 'chain' : 'no-chain', ...read];
}
