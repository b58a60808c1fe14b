// Decision tables: policy as labelled rows of data. For every combination of facts exactly one row matches; the tests
// enumerate all combinations of every table and hold that.
import { InvariantViolation } from '../model/errors.ts';

export interface DecisionRow<Facts, Decision> {
  /** Names the row in tests and docs. */
  readonly label: string;
  /** The facts that the row asks for; a fact left out may be anything. */
  readonly when: Partial<Facts>;
  readonly decision: Decision;
}

/** Whether each fact that the row asks for holds. */
export function rowMatches<Facts extends object>(row: DecisionRow<Facts, unknown>, facts: Facts): boolean {
  for (const name in row.when) {
    if (row.when[name] !== facts[name]) return false;
  }
  return true;
}

/** The decision of the row that matches `facts`; a table without one is a bug. */
export function decide<Facts extends object, Decision>(
  rows: readonly DecisionRow<Facts, Decision>[],
  facts: Facts,
): Decision {
  for (const row of rows) {
    if (rowMatches(row, facts)) return row.decision;
  }
  throw new InvariantViolation(`no row of the decision table matches ${JSON.stringify(facts)}`);
}

/** A decision's words, with each `{name}` replaced by its value. */
export function fillIn(template: string, values: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}
