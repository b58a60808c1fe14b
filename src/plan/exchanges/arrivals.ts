// How rows arrive under a combination of exchanges: what the analysis of the SQL starts from. The hash types of inputs
// that are hashed side by side are made common here, so that "the hash of a join key does not depend on the side's
// integer or decimal type".
import type { HashKey } from '../../model/job-graph.ts';
import type { Arrival, StageInput } from '../sql-analysis/context.ts';
import { commonHashTypeOfAll } from '../sql-analysis/hash-type.ts';
import { columnTypeOf, type PlanInput, type TriedExchange } from './stage-plan.ts';

/** The inputs as the analysis sees them. */
export function stageInputs(inputs: readonly PlanInput[], tried: readonly TriedExchange[]): StageInput[] {
  const keys = hashKeysOf(inputs, tried);
  return inputs.map((input, index) => ({
    name: input.alias,
    columns: input.columns,
    arrival: arrivalOf(input, tried[index]?.exchange ?? 'gather', keys[index] ?? []),
  }));
}

function arrivalOf(input: PlanInput, exchange: TriedExchange['exchange'], keys: readonly HashKey[]): Arrival {
  switch (exchange) {
    case 'broadcast':
      return { kind: 'whole' };
    case 'hash': {
      const hashTypes = keys.map((key) => key.castType ?? columnTypeOf(input, key.column));
      return { kind: 'split', keys: [{ scheme: 'hash', columns: keys.map((key) => key.column), hashTypes }] };
    }
    case 'forward':
    case 'rescale':
      // Each has a scheme of its own: the tasks of two producers are not divided alike.
      return { kind: 'split', keys: input.keys.map((key) => ({ ...key, scheme: `${exchange} ${input.alias}` })) };
    case 'rebalance':
    case 'gather':
      return { kind: 'split', keys: [] };
  }
}

/** The hash keys of each input (empty unless hashed), cast to the common type of what is hashed at the same place. */
export function hashKeysOf(inputs: readonly PlanInput[], tried: readonly TriedExchange[]): HashKey[][] {
  return inputs.map((input, index) => {
    const by = tried[index]?.exchange === 'hash' ? (tried[index]?.by ?? []) : [];
    return by.map((column, place) => ({
      column,
      castType: castTypeAt(inputs, tried, input, by.length, place, column),
    }));
  });
}

function castTypeAt(
  inputs: readonly PlanInput[],
  tried: readonly TriedExchange[],
  input: PlanInput,
  length: number,
  place: number,
  column: string,
): string | null {
  const own = columnTypeOf(input, column);
  const types = inputs.flatMap((each, index) => {
    const other = tried[index];
    const isBeside = other?.exchange === 'hash' && other.by.length === length;
    return isBeside ? [columnTypeOf(each, other.by[place] ?? '')] : [];
  });
  const common = commonHashTypeOfAll(types);
  return common === own ? null : common;
}
