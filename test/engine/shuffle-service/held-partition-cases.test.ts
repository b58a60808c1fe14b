// Every combination of facts about a held partition matches exactly one row, and says what the rules say.
import { describe, expect, it } from 'vitest';
import { heldPartitionCases } from '../../../src/engine/shuffle-service/held-partition-cases.ts';
import { decide, rowMatches } from '../../../src/replay/decision-table.ts';

const combinations = [true, false].flatMap((recorded) =>
  [true, false].map((handingOver) => ({ recorded, handingOver })),
);

describe('held partitions', () => {
  it.each(combinations)('%j matches one row, and is kept by whoever still wants it', (facts) => {
    expect(heldPartitionCases.filter((row) => rowMatches(row, facts))).toHaveLength(1);
    const isWanted = facts.recorded || facts.handingOver;
    expect(decide(heldPartitionCases, facts) === 'release').toBe(!isWanted);
  });
});
