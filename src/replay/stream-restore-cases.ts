// What becomes of a streaming job that is recovered, in one word: a labelled table over what its tasks could begin from.
// That itself is looked up by the function that the JobMaster restores by. Spec: docs/streaming.md, "Failures".
import type { DecisionRow } from './decision-table.ts';
import type { VerdictDecision } from './recovery-cases.ts';

export interface StreamVerdictFacts {
  readonly ended: boolean;
  /** Where all tasks begin: at the newest checkpoint, at an earlier one since newer ones cannot be used, or at the beginning. */
  readonly begin: 'newest' | 'earlier' | 'beginning' | 'none-usable';
}

/** `{state}`, `{tasks}`, `{point}` (kind and number) and `{skipped}` (what cannot be used, and why) are filled in. */
export const streamVerdictCases: readonly DecisionRow<StreamVerdictFacts, VerdictDecision>[] = [
  {
    // A job that has ended is never run again under its id.
    label: 'ended',
    when: { ended: true },
    decision: { verdict: 'recoverable', why: 'the job has ended ({state}), so nothing runs again' },
  },
  {
    // Nothing is lost that a failure of any task would not lose.
    label: 'newest',
    when: { ended: false, begin: 'newest' },
    decision: {
      verdict: 'recoverable',
      why: 'all {tasks} tasks begin from {point}, and process again what came behind it',
    },
  },
  {
    // Output of the checkpoints that are passed over is taken back, and comes again.
    label: 'earlier',
    when: { ended: false, begin: 'earlier' },
    decision: { verdict: 'recoverable-with-loss', why: 'all {tasks} tasks begin from {point}: {skipped}' },
  },
  {
    // Without a checkpoint, everything is processed again.
    label: 'beginning',
    when: { ended: false, begin: 'beginning' },
    decision: {
      verdict: 'restart-from-scratch',
      why: 'no checkpoint was completed, so all {tasks} tasks begin at the beginning',
    },
  },
  {
    // The JobMaster does not guess: it suspends the job.
    label: 'none-usable',
    when: { ended: false, begin: 'none-usable' },
    decision: {
      verdict: 'restart-from-scratch',
      why: 'no checkpoint can be restored ({skipped}): the job stays SUSPENDED until --fresh starts it over',
    },
  },
];
