// How a JobMaster's work can end, and what follows for the job, its partitions and its processes: one table, read by
// master-course.ts. FENCED and POISONED leave everything as it is: somebody else, or a later run, goes on from the store.
import type { JobState } from '../../model/states.ts';

export type MasterEndKind = 'finished' | 'failed' | 'canceled' | 'suspended' | 'poisoned' | 'fenced';

export interface MasterEnd {
  readonly kind: MasterEndKind;
  /** Why, one line; null for a job that finished. */
  readonly reason: string | null;
}

export interface EndRule {
  /** The status that is recorded; null: nothing may or can be recorded. */
  readonly records: JobState | null;
  /** What clients are told. */
  readonly tells: JobState;
  /** Whether partitions and staged files are given up. */
  readonly deletes: boolean;
}

export const endRules: Readonly<Record<MasterEndKind, EndRule>> = {
  /** All parts are committed: nothing of the run is needed but the record. */
  finished: { records: 'FINISHED', tells: 'FINISHED', deletes: true },
  /** The restart strategy gave up, or the job can never succeed. */
  failed: { records: 'FAILED', tells: 'FAILED', deletes: true },
  canceled: { records: 'CANCELED', tells: 'CANCELED', deletes: true },
  /** Asked to stop: the same command resumes. */
  suspended: { records: 'SUSPENDED', tells: 'SUSPENDED', deletes: false },
  /** The store took no more events (invariant 8): what it holds is still good. */
  poisoned: { records: null, tells: 'SUSPENDED', deletes: false },
  /** A later epoch leads: this master changes nothing any more (invariant 3). */
  fenced: { records: null, tells: 'SUSPENDED', deletes: false },
};

/** The end of a job whose record says already that it is over. */
export function terminalEnd(state: JobState, reason: string | null): MasterEnd {
  if (state === 'FAILED') return { kind: 'failed', reason };
  return { kind: state === 'CANCELED' ? 'canceled' : 'finished', reason };
}
