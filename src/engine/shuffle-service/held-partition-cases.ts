// What the JobMaster does about a partition that a worker or the shuffle service holds: policy as a decision table, every
// combination tested. Spec: docs/recovery.md "Partitions", docs/adr/0008-shuffle-service.md.
import type { DecisionRow } from '../../replay/decision-table.ts';

export interface HeldPartitionFacts {
  /** A recorded finish vouches for exactly this attempt and epoch of it, here, and it was not given up. */
  readonly recorded: boolean;
  /** It is on its way to the shuffle service, and its finish about to be recorded. */
  readonly handingOver: boolean;
}

export type HeldPartitionDecision = 'hold' | 'wait' | 'release';

export const heldPartitionCases: readonly DecisionRow<HeldPartitionFacts, HeldPartitionDecision>[] = [
  {
    // A finished task's result: consumers read it.
    label: 'recorded',
    when: { recorded: true },
    decision: 'hold',
  },
  {
    // With the worker until the service has it; or taken, and the service went before it could say so.
    label: 'being-handed-over',
    when: { recorded: false, handingOver: true },
    decision: 'wait',
  },
  {
    // Of a master that died before it recorded the finish, of an attempt that was reset, or given up on record and not
    // deleted yet: nobody will read it.
    label: 'nobodys',
    when: { recorded: false, handingOver: false },
    decision: 'release',
  },
];
