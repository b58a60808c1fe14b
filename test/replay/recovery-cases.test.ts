// Every combination of facts of each decision table: exactly one row matches, each row is reached, and the decision is
// that of an oracle written as plain conditions.
import { describe, expect, it } from 'vitest';
import type { DecisionRow } from '../../src/replay/decision-table.ts';
import { decide, rowMatches } from '../../src/replay/decision-table.ts';
import type {
  PartitionDecision,
  PartitionFacts,
  SpreadFacts,
  TaskDecision,
  TaskFacts,
  VerdictFacts,
} from '../../src/replay/recovery-cases.ts';
import { partitionCases, spreadCases, taskCases, verdictCases } from '../../src/replay/recovery-cases.ts';
import type { Verdict } from '../../src/replay/recovery-plan.ts';

type Values<Facts> = { readonly [Name in keyof Facts]: readonly Facts[Name][] };

/** Every combination of the values. */
function combinations<Facts extends object>(values: Values<Facts>): Facts[] {
  let all: object[] = [{}];
  for (const [name, choices] of Object.entries(values) as [string, readonly unknown[]][]) {
    all = all.flatMap((facts) => choices.map((choice) => ({ ...facts, [name]: choice })));
  }
  return all as Facts[];
}

function holdsTable<Facts extends object, Decision>(
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

const either = [false, true] as const;

describe('decision tables', () => {
  it('partition-cases', () => {
    const expected = (facts: PartitionFacts): PartitionDecision => {
      if (!facts.producerFinished) return { keep: 'RELEASE', lost: null };
      if (facts.needed) {
        if (facts.givenUp) return { keep: 'RESERVE', lost: 'partition-released' };
        return { keep: 'RESERVE', lost: facts.survives ? null : 'partition-missing' };
      }
      if (facts.givenUp) return { keep: 'RELEASE', lost: 'partition-released' };
      const readable = facts.survives && facts.optionalAvailable;
      return { keep: 'OPTIONAL', lost: readable ? null : 'upstream-input-missing' };
    };
    const values: Values<PartitionFacts> = {
      producerFinished: either,
      needed: either,
      givenUp: either,
      survives: either,
      optionalAvailable: either,
    };
    holdsTable(partitionCases, values, expected);
  });

  it('task-cases', () => {
    const expected = (facts: TaskFacts): TaskDecision => {
      if (!facts.finished) return { outcome: 'pending' };
      if (facts.coordinatorLost && !facts.vertexFinished)
        return { outcome: 'rerun', code: 'source-without-batch-snapshot' };
      return facts.partsThere ? { outcome: 'kept' } : { outcome: 'rerun', code: 'staged-part-missing' };
    };
    holdsTable(
      taskCases,
      { finished: either, coordinatorLost: either, vertexFinished: either, partsThere: either },
      expected,
    );
  });

  it('spread-cases', () => {
    const expected = (facts: SpreadFacts) => {
      const pulls = { producer: facts.inputLost, consumer: true, 'same-vertex': facts.coordinatorLost }[facts.relation];
      if (!pulls) return 'stays';
      if (facts.finished) return 'joins';
      return facts.passesPending ? 'passes' : 'stays';
    };
    const values: Values<SpreadFacts> = {
      relation: ['producer', 'consumer', 'same-vertex'],
      finished: either,
      inputLost: either,
      coordinatorLost: either,
      passesPending: either,
    };
    holdsTable(spreadCases, values, expected);
  });

  it('verdict-cases', () => {
    const expected = (facts: VerdictFacts): Verdict => {
      if (facts.ended || facts.committing) return 'recoverable';
      if (!facts.anyFinished) return facts.stuck ? 'would-hang' : 'recoverable';
      if (facts.anyRerun) return facts.anyKept ? 'recoverable-with-loss' : 'restart-from-scratch';
      return facts.stuck ? 'would-hang' : 'recoverable';
    };
    const values: Values<VerdictFacts> = {
      ended: either,
      committing: either,
      anyFinished: either,
      anyRerun: either,
      anyKept: either,
      stuck: either,
    };
    holdsTable(verdictCases, values, expected, (decision) => decision.verdict);
  });

  it('say so when no row matches', () => {
    expect(() => decide([{ label: 'only', when: { a: true }, decision: 1 }], { a: false })).toThrow(/no row/);
  });
});
