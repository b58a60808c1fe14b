// What one source's enumerator found and who reads it: FLIP-27's SplitAssignmentTracker. Invariant: a split is with
// exactly one of the pool (to be handed out before anything new), a subtask that reads it, or those that are done; so
// no split is lost and none is read twice by attempts that count. Pure; its snapshots are what a successor begins with.
import { invariant } from '../../../model/errors.ts';
import type { CoordinatorSnapshot } from '../../../model/job-events.ts';
import type { FoundSplit } from '../../../model/job-graph.ts';
import type { OperatorCoordinatorState } from '../../../replay/execution-graph.ts';

/** What a snapshot of the ledger says: the part of the event that is not about the operator. */
export type LedgerSnapshot = Required<
  Pick<CoordinatorSnapshot, 'incremental' | 'assigned' | 'finished' | 'enumerator'>
>;

export class SplitLedger {
  readonly #splits: FoundSplit[] = [];
  readonly #indexOf = new Map<string, number>();
  /** Splits being read or read, by index: the subtask. */
  readonly #readers = new Map<number, number>();
  readonly #done = new Set<number>();
  #pool: number[] = [];
  #state: string | null = null;
  /** What the last snapshot did not say yet. */
  #recordedSplits = 0;
  #recordedState: string | null = null;
  readonly #unrecorded = new Map<number, number>();
  readonly #unrecordedDone = new Set<number>();

  /** A ledger that goes on from what was recorded: whatever is not done is in the pool. */
  static recovered(recorded: OperatorCoordinatorState): SplitLedger {
    const ledger = new SplitLedger();
    for (let index = 0; index < recorded.splits.size; index += 1) {
      const split = recorded.splits.get(index);
      invariant(split, `split ${index} is recorded, as those behind it are`);
      ledger.#splits.push(split);
      ledger.#indexOf.set(split.id, index);
      const reader = recorded.assigned.get(index);
      if (recorded.finished.has(index) && reader !== undefined) {
        ledger.#readers.set(index, reader);
        ledger.#done.add(index);
      } else {
        ledger.#pool.push(index);
      }
    }
    ledger.#state = recorded.enumeratorState;
    return ledger;
  }

  /** The enumerator's own state, as of the last split that it gave; null: it gives none. */
  get state(): string | null {
    return this.#state;
  }

  get splits(): readonly FoundSplit[] {
    return this.#splits;
  }

  has(id: string): boolean {
    return this.#indexOf.has(id);
  }

  /** Takes note of what the enumerator answered: a new split, which lies in the pool then, and its state after it. */
  found(split: FoundSplit | null, state: string | null): void {
    this.#state = state;
    if (split === null) return;
    invariant(!this.has(split.id), `split ${split.id} is new`);
    this.#indexOf.set(split.id, this.#splits.length);
    this.#pool.push(this.#splits.push(split) - 1);
  }

  /** Hands the first split of the pool to a subtask; null: the pool is empty. */
  handOut(subtask: number): FoundSplit | null {
    const index = this.#pool.shift();
    if (index === undefined) return null;
    this.#readers.set(index, subtask);
    this.#unrecorded.set(index, subtask);
    return this.#splits[index] ?? null;
  }

  /** An attempt of the subtask ended without a result: what it had to read goes back. */
  giveBack(subtask: number): void {
    this.#takeBack((index, reader) => reader === subtask && !this.#done.has(index));
  }

  /** Finished subtasks run again: all that they read goes back. */
  reset(subtasks: ReadonlySet<number>): void {
    this.#takeBack((_, reader) => subtasks.has(reader));
  }

  /** The subtask's attempt has a result: its splits are done. */
  finish(subtask: number): void {
    for (const [index, reader] of this.#readers) {
      if (reader !== subtask || this.#done.has(index)) continue;
      this.#done.add(index);
      this.#unrecordedDone.add(index);
    }
  }

  /** Splits that the subtask has read and that no snapshot has as done. */
  unrecordedOf(subtask: number): number[] {
    return [...this.#unrecordedDone].filter((index) => this.#readers.get(index) === subtask);
  }

  /** What changed since the last snapshot. */
  changes(): LedgerSnapshot {
    const from = this.#recordedSplits;
    const splits = this.#splits.slice(from).map((split, at) => ({ index: from + at, split }));
    const state = this.#state === this.#recordedState ? null : this.#state;
    const assigned = [...this.#unrecorded].flat();
    const finished = [...this.#unrecordedDone];
    this.#recorded();
    return { incremental: true, assigned, finished, enumerator: { splits, state } };
  }

  /** All of it, for a cut: what is being read is nobody's, since no successor would know the attempt. */
  full(): LedgerSnapshot {
    const finished = [...this.#done].sort((a, b) => a - b);
    const assigned = finished.flatMap((index) => [index, this.#readers.get(index) ?? 0]);
    const splits = this.#splits.map((split, index) => ({ index, split }));
    this.#recorded();
    for (const [index, reader] of this.#readers) if (!this.#done.has(index)) this.#unrecorded.set(index, reader);
    return { incremental: false, assigned, finished, enumerator: { splits, state: this.#state } };
  }

  #recorded(): void {
    this.#recordedSplits = this.#splits.length;
    this.#recordedState = this.#state;
    this.#unrecorded.clear();
    this.#unrecordedDone.clear();
  }

  #takeBack(isTaken: (index: number, reader: number) => boolean): void {
    const back = [...this.#readers].flatMap(([index, reader]) => (isTaken(index, reader) ? [index] : []));
    for (const index of back) {
      this.#readers.delete(index);
      this.#unrecorded.delete(index);
      this.#unrecordedDone.delete(index);
      this.#done.delete(index);
    }
    this.#pool = [...this.#pool, ...back].sort((a, b) => a - b);
  }
}
