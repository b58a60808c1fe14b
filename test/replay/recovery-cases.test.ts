// Every combination of facts of each decision table: exactly one row matches, each row is reached, and the decision is
// that of an oracle written as plain conditions.
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/replay/decision-table.ts';
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
import { type StreamVerdictFacts, streamVerdictCases } from '../../src/replay/stream-restore-cases.ts';
import { either, holdsTable, type Values } from '../support/decision-tables.ts';

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
      if (!facts.durable) return { outcome: 'rerun', code: 'finish-not-durable' };
      if (facts.coordinatorLost && !facts.vertexFinished)
        return { outcome: 'rerun', code: 'source-without-batch-snapshot' };
      return facts.partsThere ? { outcome: 'kept' } : { outcome: 'rerun', code: 'staged-part-missing' };
    };
    holdsTable(
      taskCases,
      { finished: either, coordinatorLost: either, vertexFinished: either, partsThere: either, durable: either },
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
      if (!facts.recorded) return 'restart-from-scratch';
      if (!facts.anyFinished) return facts.stuck ? 'would-hang' : 'recoverable';
      if (facts.anyRerun) return facts.anyKept ? 'recoverable-with-loss' : 'restart-from-scratch';
      return facts.stuck ? 'would-hang' : 'recoverable';
    };
    const values: Values<VerdictFacts> = {
      ended: either,
      committing: either,
      recorded: either,
      anyFinished: either,
      anyRerun: either,
      anyKept: either,
      stuck: either,
    };
    holdsTable(verdictCases, values, expected, (decision) => decision.verdict);
  });

  it('stream-verdict-cases', () => {
    const verdicts = {
      newest: 'recoverable',
      earlier: 'recoverable-with-loss',
      beginning: 'restart-from-scratch',
      'none-usable': 'restart-from-scratch',
    } as const;
    const expected = ({ ended, begin }: StreamVerdictFacts): Verdict => (ended ? 'recoverable' : verdicts[begin]);
    const values: Values<StreamVerdictFacts> = {
      ended: either,
      begin: ['newest', 'earlier', 'beginning', 'none-usable'],
    };
    holdsTable(streamVerdictCases, values, expected, (decision) => decision.verdict);
  });

  it('say so when no row matches', () => {
    expect(() => decide([{ label: 'only', when: { a: true }, decision: 1 }], { a: false })).toThrow(/no row/);
  });
});
