// Which combinations of exchanges are worth trying where the job file leaves them open: forward, hash by columns that
// the SQL compares or groups by, broadcast of a side that is small beside the others. Ordered by cost; the first that
// the analysis holds right is taken.
import type { StageAnalysis } from '../sql-analysis/analyse-stage.ts';
import type { PlanInput, TriedExchange } from './stage-plan.ts';

/** A broadcast copies its input to every task: it must be smaller than the rest by more than the tasks multiply it. */
const broadcastRatioMin = 10;

/** Most combinations that are tried; beyond, everything is gathered. */
const combinationsMax = 2000;

const costs = { forward: 0, rescale: 0, rebalance: 0, broadcast: 1, hash: 10, gather: 0 } as const;

/** Columns that hold equal values in all rows that a join matches, over the inputs; `input` is an index. */
interface ColumnClass {
  readonly members: readonly { readonly alias: string; readonly column: string }[];
}

/**
 * Combinations for the inputs, cheapest first. Stated exchanges stay as they are.
 * @param analysis of the SQL with every open input divided and unkeyed: what the SQL compares
 */
export function candidateExchanges(
  inputs: readonly PlanInput[],
  analysis: StageAnalysis,
  broadcastBytesMax: number,
): TriedExchange[][] {
  const classes = columnClasses(analysis, inputs);
  const keySets = candidateKeySets(analysis, classes, inputs);
  const combinations = [[], ...keySets].flatMap((keys) => combine(inputs, keys, broadcastBytesMax));
  const cost = (combination: readonly TriedExchange[]) =>
    combination.reduce((sum, each) => sum + costs[each.exchange] - each.by.length / 100, 0);
  return combinations
    .slice(0, combinationsMax)
    .map((combination) => ({ combination, cost: cost(combination) }))
    .sort((a, b) => a.cost - b.cost)
    .map(({ combination }) => combination);
}

function combine(
  inputs: readonly PlanInput[],
  keys: readonly ColumnClass[],
  broadcastBytesMax: number,
): TriedExchange[][] {
  let combinations: TriedExchange[][] = [[]];
  for (const input of inputs) {
    const options = optionsOf(input, inputs, keys, broadcastBytesMax);
    combinations = combinations
      .flatMap((begun) => options.map((option) => [...begun, option]))
      .slice(0, combinationsMax);
  }
  return combinations;
}

function optionsOf(
  input: PlanInput,
  inputs: readonly PlanInput[],
  keys: readonly ColumnClass[],
  broadcastBytesMax: number,
): TriedExchange[] {
  if (input.stated !== null) return [{ exchange: input.stated, by: input.by }];
  const options: TriedExchange[] = [{ exchange: 'forward', by: [] }];
  if (isSmall(input, inputs, broadcastBytesMax)) options.push({ exchange: 'broadcast', by: [] });
  const by = keys.map((key) => key.members.find((member) => member.alias === input.alias)?.column ?? null);
  const isHashable = by.length > 0 && by.every((column) => column !== null);
  if (isHashable) options.push({ exchange: 'hash', by: by.flatMap((column) => column ?? []) });
  return options;
}

function isSmall(input: PlanInput, inputs: readonly PlanInput[], broadcastBytesMax: number): boolean {
  const others = inputs.filter((each) => each !== input && each.stated !== 'broadcast').map((each) => each.bytes);
  return input.bytes <= broadcastBytesMax && input.bytes * broadcastRatioMin <= Math.max(0, ...others);
}

/** Columns that joins compare with =, as classes over all inputs; every other column that is asked for is its own. */
function columnClasses(analysis: StageAnalysis, inputs: readonly PlanInput[]): Map<string, ColumnClass> {
  const classOf = new Map<string, Set<string>>();
  const classFor = (id: number): Set<string> | null => {
    const origin = analysis.origins.get(id);
    if (!origin) return null;
    const key = keyOf(origin.input, origin.column);
    const known = classOf.get(key) ?? new Set([key]);
    classOf.set(key, known);
    return known;
  };
  for (const { ids } of analysis.requirements) for (const id of ids) classFor(id);
  for (const [a, b] of analysis.joins.flat()) merge(classOf, classFor(a.id), classFor(b.id));
  for (const input of inputs) {
    for (const column of input.by)
      if (!classOf.has(keyOf(input.alias, column)))
        classOf.set(keyOf(input.alias, column), new Set([keyOf(input.alias, column)]));
  }
  return new Map([...classOf].map(([key, members]) => [key, { members: [...members].map(memberOf) }]));
}

function keyOf(alias: string, column: string): string {
  return JSON.stringify([alias, column]);
}

function memberOf(key: string): { readonly alias: string; readonly column: string } {
  const parts: unknown = JSON.parse(key);
  const [alias, column] = Array.isArray(parts) ? parts.map(String) : [];
  return { alias: alias ?? '', column: column ?? '' };
}

function merge(classOf: Map<string, Set<string>>, a: Set<string> | null, b: Set<string> | null): void {
  if (!a || !b || a === b) return;
  for (const key of b) {
    a.add(key);
    classOf.set(key, a);
  }
}

/**
 * Ordered lists of classes to hash by: what all comparisons of the SQL have in common, what some of them have, and
 * what stated hash exchanges use. Longer lists spread rows better and come first at equal cost.
 */
function candidateKeySets(
  analysis: StageAnalysis,
  classes: ReadonlyMap<string, ColumnClass>,
  inputs: readonly PlanInput[],
): ColumnClass[][] {
  const classOfId = (id: number): string | null => {
    const origin = analysis.origins.get(id);
    const members = origin && classes.get(keyOf(origin.input, origin.column))?.members;
    return members ? JSON.stringify(members) : null;
  };
  const idSets = [
    ...analysis.requirements.map((requirement) => requirement.ids),
    ...analysis.joins.map((join) => join.map(([column]) => column.id)),
  ];
  const sets = idSets.map((ids) => unique(ids.flatMap((id) => classOfId(id) ?? []))).filter((set) => set.length > 0);
  const stated = inputs
    .filter((input) => input.by.length > 0)
    .map((input) => input.by.map((column) => JSON.stringify(classes.get(keyOf(input.alias, column))?.members ?? [])));
  const byText = new Map([...classes.values()].map((each) => [JSON.stringify(each.members), each]));
  const wanted = uniqueLists([...stated, ...intersections(sets)]);
  return wanted.map((set) => set.flatMap((key) => byText.get(key) ?? []));
}

/** All intersections of the first few sets, and each set alone. */
function intersections(sets: readonly string[][]): string[][] {
  let found: string[][] = [];
  for (const set of sets.slice(0, 6)) {
    found = uniqueLists([...found, set, ...found.map((other) => other.filter((key) => set.includes(key)))]);
  }
  return found.filter((set) => set.length > 0);
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}

function uniqueLists(lists: readonly string[][]): string[][] {
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()];
}
