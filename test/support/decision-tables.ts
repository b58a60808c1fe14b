// Holds a decision table over every combination of its facts against plain conditions.
import { expect } from 'vitest';
import { type DecisionRow, decide, rowMatches } from '../../src/replay/decision-table.ts';

export const either = [false, true] as const;

export type Values<Facts> = { readonly [Name in keyof Facts]: readonly Facts[Name][] };

/** Every combination of the values. */
function combinations<Facts extends object>(values: Values<Facts>): Facts[] {
  let all: object[] = [{}];
  for (const [name, choices] of Object.entries(values) as [string, readonly unknown[]][]) {
    all = all.flatMap((facts) => choices.map((choice) => ({ ...facts, [name]: choice })));
  }
  return all as Facts[];
}

/** Exactly one row for each combination, each row reached, and each decision the expected one. */
export function holdsTable<Facts extends object, Decision>(
  rows: readonly DecisionRow<Facts, Decision>[],
  values: Values<Facts>,
  expected: (facts: Facts) => unknown,
  seen: (decision: Decision) => unknown = (decision) => decision,
): void {
  const reached = new Set<string>();
  for (const facts of combinations(values)) {
    const matching = rows.filter((row) => rowMatches(row, facts)).map((row) => row.label);
    expect(matching, JSON.stringify(facts)).toHaveLength(1);
    reached.add(matching[0] ?? '');
    expect(seen(decide(rows, facts)), JSON.stringify(facts)).toEqual(expected(facts));
  }
  expect([...reached].sort()).toEqual(rows.map((row) => row.label).sort());
}
