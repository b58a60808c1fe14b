// The recovery policy: four decision tables, data first. planRecovery looks the facts up and does what the rows say;
// nothing else decides. A test enumerates every combination of each table.
import type { DecisionRow } from './decision-table.ts';
import type { ReasonCode, Verdict } from './recovery-plan.ts';

export interface PartitionFacts {
  readonly producerFinished: boolean;
  /** Some consumer vertex is not initialized yet, or some task that reads the partition has not finished. */
  readonly needed: boolean;
  /** The old JobMaster recorded that it gave the partition up. */
  readonly givenUp: boolean;
  readonly survives: boolean;
  /** Of the engine's rules. */
  readonly optionalAvailable: boolean;
}

export interface PartitionDecision {
  readonly keep: 'RESERVE' | 'RELEASE' | 'OPTIONAL';
  /** Why the producer must run again if the partition is read again; null: it can be read (or is written anyway). */
  readonly lost: ReasonCode | null;
}

/** What becomes of a partition. */
export const partitionCases: readonly DecisionRow<PartitionFacts, PartitionDecision>[] = [
  {
    // The producer runs anyway and writes the partition anew. Whatever a worker still holds under this name belongs to
    // an attempt that nobody vouches for.
    label: 'unfinished-producer',
    when: { producerFinished: false },
    decision: { keep: 'RELEASE', lost: null },
  },
  {
    // The good case: the work is done, somebody waits for it, and it is there.
    label: 'needed-and-there',
    when: { producerFinished: true, needed: true, givenUp: false, survives: true },
    decision: { keep: 'RESERVE', lost: null },
  },
  {
    // Somebody waits for it and no worker has it: the producer runs again.
    label: 'needed-and-lost',
    when: { producerFinished: true, needed: true, givenUp: false, survives: false },
    decision: { keep: 'RESERVE', lost: 'partition-missing' },
  },
  {
    // Given up when all its consumers had finished, and one of them has to run again since. A release is recorded
    // before the bytes are deleted, so a worker that still reports them may delete them at any moment: not there.
    label: 'needed-but-given-up',
    when: { producerFinished: true, needed: true, givenUp: true },
    decision: { keep: 'RESERVE', lost: 'partition-released' },
  },
  {
    // All its consumers have finished. It is kept, because one of them may have to run again for another reason.
    label: 'spare-and-there',
    when: { producerFinished: true, needed: false, givenUp: false, survives: true, optionalAvailable: true },
    decision: { keep: 'OPTIONAL', lost: null },
  },
  {
    // As above for an engine that does not track optional partitions: alive, and still out of reach.
    label: 'spare-and-untracked',
    when: { producerFinished: true, needed: false, givenUp: false, survives: true, optionalAvailable: false },
    decision: { keep: 'OPTIONAL', lost: 'upstream-input-missing' },
  },
  {
    // All its consumers have finished, so that it is gone costs nothing, unless one of them runs again.
    label: 'spare-and-lost',
    when: { producerFinished: true, needed: false, givenUp: false, survives: false },
    decision: { keep: 'OPTIONAL', lost: 'upstream-input-missing' },
  },
  {
    // Given up, and nobody needs it: whatever is left of it may be deleted.
    label: 'spare-and-given-up',
    when: { producerFinished: true, needed: false, givenUp: true },
    decision: { keep: 'RELEASE', lost: 'partition-released' },
  },
];

export interface TaskFacts {
  readonly finished: boolean;
  /** The vertex has a coordinator without batch snapshots, and it is gone: what it had handed out is not known any more. */
  readonly coordinatorLost: boolean;
  /** All tasks of the vertex have finished. */
  readonly vertexFinished: boolean;
  /** All staged sink parts of the task are there. */
  readonly partsThere: boolean;
  /** Its coordinators live, or their recorded state says which of its splits are done. */
  readonly durable: boolean;
}

export type TaskDecision =
  | { readonly outcome: 'kept' | 'pending' }
  | { readonly outcome: 'rerun'; readonly code: ReasonCode };

/** What becomes of a task, by what it lost itself (its partitions apart). */
export const taskCases: readonly DecisionRow<TaskFacts, TaskDecision>[] = [
  {
    // Only a recorded finish counts. An attempt that was running died with the JobMaster that deployed it.
    label: 'not-finished',
    when: { finished: false },
    decision: { outcome: 'pending' },
  },
  {
    // The coordinator that knew which splits it had read is gone, and no snapshot says so: those splits are handed out
    // again, and its rows must not count twice.
    label: 'finished-behind-the-last-snapshot',
    when: { finished: true, durable: false },
    decision: { outcome: 'rerun', code: 'finish-not-durable' },
  },
  {
    // A source that cannot say which splits it had handed out starts over whole, unless all of it has finished.
    label: 'unfinished-source-without-snapshot',
    when: { finished: true, durable: true, coordinatorLost: true, vertexFinished: false },
    decision: { outcome: 'rerun', code: 'source-without-batch-snapshot' },
  },
  {
    // All its splits are read, so the lost coordinator is not asked again, as long as none of its tasks restarts.
    label: 'finished-source-without-snapshot',
    when: { finished: true, durable: true, coordinatorLost: true, vertexFinished: true, partsThere: true },
    decision: { outcome: 'kept' },
  },
  {
    // As above, and a sink part of this task is gone: it restarts, and takes its vertex along (spread-cases).
    label: 'finished-source-without-snapshot-or-part',
    when: { finished: true, durable: true, coordinatorLost: true, vertexFinished: true, partsThere: false },
    decision: { outcome: 'rerun', code: 'staged-part-missing' },
  },
  {
    // Its staged rows are output that nothing has committed yet; without them the sink would miss rows.
    label: 'staged-part-lost',
    when: { finished: true, durable: true, coordinatorLost: false, partsThere: false },
    decision: { outcome: 'rerun', code: 'staged-part-missing' },
  },
  {
    // Finished, with nothing lost.
    label: 'finished',
    when: { finished: true, durable: true, coordinatorLost: false, partsThere: true },
    decision: { outcome: 'kept' },
  },
];

export interface SpreadFacts {
  /** What the other task is to the one that restarts. */
  readonly relation: 'producer' | 'consumer' | 'same-vertex';
  readonly finished: boolean;
  /** For a producer: its partition cannot be read. */
  readonly inputLost: boolean;
  /** For the same vertex: its coordinator is lost. */
  readonly coordinatorLost: boolean;
  /** Of the engine's rules. */
  readonly passesPending: boolean;
}

/** Whether a restart pulls another task in; `passes`: not that task, but what restarts with it. */
export const spreadCases: readonly DecisionRow<SpreadFacts, 'joins' | 'stays' | 'passes'>[] = [
  {
    // Not finished: it runs anyway, and there is nothing to reset.
    label: 'runs-anyway',
    when: { finished: false, passesPending: false },
    decision: 'stays',
  },
  {
    // As above for an engine that walks on from it: finished consumers below restart, too.
    label: 'pending-consumer',
    when: { relation: 'consumer', finished: false, passesPending: true },
    decision: 'passes',
  },
  {
    // Its partition does not exist yet, so the walk goes up through it.
    label: 'pending-producer',
    when: { relation: 'producer', finished: false, inputLost: true, passesPending: true },
    decision: 'passes',
  },
  {
    // Cannot be: the partition of an unfinished task is never there.
    label: 'pending-producer-there',
    when: { relation: 'producer', finished: false, inputLost: false, passesPending: true },
    decision: 'stays',
  },
  {
    // It restarts with its whole vertex, and what depends on it does.
    label: 'pending-sibling-of-source',
    when: { relation: 'same-vertex', finished: false, coordinatorLost: true, passesPending: true },
    decision: 'passes',
  },
  {
    // Tasks of one vertex do not depend on each other.
    label: 'pending-sibling',
    when: { relation: 'same-vertex', finished: false, coordinatorLost: false, passesPending: true },
    decision: 'stays',
  },
  {
    // Walking up: the restarted task reads the partition again, and it is not there.
    label: 'input-lost',
    when: { relation: 'producer', finished: true, inputLost: true },
    decision: 'joins',
  },
  {
    // Walking up: the input is there, so the walk ends here. Without this every restart would reach the sources.
    label: 'input-there',
    when: { relation: 'producer', finished: true, inputLost: false },
    decision: 'stays',
  },
  {
    // Walking down: what it made of the old attempt's rows need not fit what the new attempt produces.
    label: 'consumer',
    when: { relation: 'consumer', finished: true },
    decision: 'joins',
  },
  {
    // The coordinator cannot hand out the splits of one task again, so all tasks of the source start over.
    label: 'source-restarts-whole',
    when: { relation: 'same-vertex', finished: true, coordinatorLost: true },
    decision: 'joins',
  },
  {
    // Tasks of one vertex do not depend on each other.
    label: 'sibling',
    when: { relation: 'same-vertex', finished: true, coordinatorLost: false },
    decision: 'stays',
  },
];

export interface VerdictFacts {
  readonly ended: boolean;
  readonly committing: boolean;
  /** Finished tasks are recorded; else none is known. */
  readonly recorded: boolean;
  readonly anyFinished: boolean;
  readonly anyRerun: boolean;
  readonly anyKept: boolean;
  /** Nothing is left to run, and a vertex that nobody will initialize is. Never together with a rerun. */
  readonly stuck: boolean;
}

export interface VerdictDecision {
  readonly verdict: Verdict;
  /** `{finished}`, `{rerun}`, `{kept}`, `{pending}` and `{state}` are filled in. */
  readonly why: string;
}

/** The plan in one word. */
export const verdictCases: readonly DecisionRow<VerdictFacts, VerdictDecision>[] = [
  {
    // A job that has ended is never run again under its id.
    label: 'ended',
    when: { ended: true },
    decision: { verdict: 'recoverable', why: 'the job has ended ({state}), so nothing runs again' },
  },
  {
    // Behind the point of no return: staged parts become output, and no task runs.
    label: 'committing',
    when: { ended: false, committing: true },
    decision: { verdict: 'recoverable', why: 'the commit of the sinks has started, so recovery only completes it' },
  },
  {
    // Without a record nobody knows what had finished.
    label: 'recovery-off',
    when: { ended: false, committing: false, recorded: false },
    decision: {
      verdict: 'restart-from-scratch',
      why: 'job recovery is off for this job (execution.batch.job-recovery.enabled: false), so no finished task is recorded and all run again',
    },
  },
  {
    // There is nothing to lose.
    label: 'nothing-finished',
    when: { ended: false, committing: false, recorded: true, anyFinished: false, stuck: false },
    decision: { verdict: 'recoverable', why: 'no task had finished, so nothing is lost' },
  },
  {
    // The store says that the job had begun, and holds nothing that could be run.
    label: 'stuck-at-start',
    when: { ended: false, committing: false, recorded: true, anyFinished: false, stuck: true },
    decision: {
      verdict: 'would-hang',
      why: 'the store holds no initialized vertex and recovery initializes none, so nothing would ever be scheduled',
    },
  },
  {
    // All recorded work is kept, and the engine waits for ever for somebody to go on.
    label: 'stuck',
    when: { ended: false, committing: false, recorded: true, anyFinished: true, anyRerun: false, stuck: true },
    decision: {
      verdict: 'would-hang',
      why: 'all tasks of the initialized vertices have finished and recovery initializes no vertex, so nothing would ever be scheduled',
    },
  },
  {
    // All recorded work is kept.
    label: 'all-kept',
    when: { ended: false, committing: false, recorded: true, anyFinished: true, anyRerun: false, stuck: false },
    decision: { verdict: 'recoverable', why: 'all {finished} finished tasks are kept' },
  },
  {
    // Some recorded work is done again.
    label: 'some-kept',
    when: { ended: false, committing: false, recorded: true, anyFinished: true, anyRerun: true, anyKept: true },
    decision: { verdict: 'recoverable-with-loss', why: '{rerun} of {finished} finished tasks run again' },
  },
  {
    // All recorded work is done again.
    label: 'none-kept',
    when: { ended: false, committing: false, recorded: true, anyFinished: true, anyRerun: true, anyKept: false },
    decision: { verdict: 'restart-from-scratch', why: 'all {finished} finished tasks run again, so nothing is kept' },
  },
];
