// The SourceCoordinator of one source with a user-written enumerator (FLIP-27): answers its tasks' requests for splits,
// first from those given back, then from the enumerator; one question at a time. An enumerator that fails costs the task
// that asked an attempt; one with batch snapshots then goes on from its last state, one without starts over whole.
import type { CoordinatorSnapshot } from '../../../model/job-events.ts';
import type { FoundSplit, SourceFile } from '../../../model/job-graph.ts';
import type { ExecutionRef } from '../../protocol/messages.ts';
import { type DescribedSplit, splitsMax } from './enumerator-messages.ts';
import { type Enumerator, EnumeratorFailure } from './enumerator-thread.ts';
import { type LedgerSnapshot, SplitLedger } from './split-ledger.ts';

export interface SourceCoordinatorOptions {
  readonly vertexId: string;
  readonly operatorId: string;
  readonly source: string;
  /** Whether splits are files, which no reader function reads. */
  readonly needsPath: boolean;
  /** What was recorded of it; null: it starts from the beginning. */
  readonly ledger: SplitLedger | null;
  /** Starts the enumerator from a state, JSON text; null: from the beginning. */
  readonly open: (state: string | null) => Enumerator;
  /** The file as it is now, its path made absolute. Rejects with an Error that says what is wrong with it. */
  readonly describeFile: (path: string) => Promise<SourceFile>;
  readonly record: (snapshot: CoordinatorSnapshot) => void;
  readonly isRunning: (execution: ExecutionRef) => boolean;
  readonly answer: (execution: ExecutionRef, split: FoundSplit | null) => void;
  /** The attempt failed for the enumerator's sake. */
  readonly onFailed: (execution: ExecutionRef, message: string) => void;
  /** A file is not what it was when a split of it was found. */
  readonly onSourceChanged: (message: string) => void;
}

export class SourceCoordinator {
  readonly #options: SourceCoordinatorOptions;
  readonly #ledger: SplitLedger;
  readonly #files = new Map<string, SourceFile>();
  #supportsBatchSnapshot: boolean | null;
  /** Whether files that an earlier JobMaster knew of have been looked at again. */
  #filesChecked: boolean;
  #enumerator: Enumerator | null = null;
  #waiting: ExecutionRef[] = [];
  #isAnswering = false;
  #isPaused = false;
  #isClosed = false;

  constructor(options: SourceCoordinatorOptions) {
    this.#options = options;
    this.#ledger = options.ledger ?? new SplitLedger();
    this.#supportsBatchSnapshot = options.ledger === null ? null : true;
    this.#filesChecked = options.ledger === null;
    for (const { file } of this.#ledger.splits) if (file !== null) this.#files.set(file.path, file);
  }

  /** It failed, and what it had found is not known any more. */
  get isLost(): boolean {
    return this.#isClosed;
  }

  /** Records its full state: a new JobMaster's store segment begins with it. */
  recordCut(): void {
    this.#record(this.#ledger.full());
  }

  get source(): string {
    return this.#options.source;
  }

  /** A task asks for its next split. */
  request(execution: ExecutionRef): void {
    this.#waiting.push(execution);
    // The attempt that follows a failure asks again, after the pause of the restart strategy.
    this.#isPaused = false;
    void this.#answerAll();
  }

  /** The attempt ended without a result. */
  attemptEnded({ subtask }: ExecutionRef): void {
    this.#ledger.giveBack(subtask);
    this.#waiting = this.#waiting.filter((waiting) => waiting.subtask !== subtask);
    void this.#answerAll();
  }

  /** The attempt has a result. */
  finished({ subtask }: ExecutionRef): void {
    this.#ledger.finish(subtask);
  }

  /** What the subtask has read and no snapshot says; nothing of an enumerator whose snapshots nobody could use. */
  unrecordedOf({ subtask }: ExecutionRef): { readonly operatorId: string; readonly finished: readonly number[] } {
    const finished = this.#supportsBatchSnapshot === true ? this.#ledger.unrecordedOf(subtask) : [];
    return { operatorId: this.#options.operatorId, finished };
  }

  /** What changed since its last snapshot, to be recorded in one batch with the finishes that it is about. */
  changes(): CoordinatorSnapshot {
    return this.#event(this.#ledger.changes());
  }

  reset(subtasks: ReadonlySet<number>): void {
    this.#ledger.reset(subtasks);
    void this.#answerAll();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#enumerator?.close();
  }

  async #answerAll(): Promise<void> {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    try {
      for (;;) {
        const execution = this.#isPaused || this.#isClosed ? undefined : this.#waiting.shift();
        if (execution === undefined) return;
        if (this.#options.isRunning(execution)) await this.#answerOne(execution);
      }
    } finally {
      this.#isAnswering = false;
    }
  }

  async #answerOne(execution: ExecutionRef): Promise<void> {
    try {
      if (!(await this.#filesAreUnchanged())) return;
      const isMore = this.#handOut(execution) || (await this.#findNext(execution));
      if (!isMore && this.#options.isRunning(execution)) this.#options.answer(execution, null);
    } catch (error) {
      if (!(error instanceof EnumeratorFailure)) throw error;
      if (!this.#isClosed) this.#failed(execution, error);
    }
  }

  /** True: the task has a split; false: nothing is in the pool. */
  #handOut(execution: ExecutionRef): boolean {
    if (!this.#options.isRunning(execution)) return false;
    const split = this.#ledger.handOut(execution.subtask);
    if (split !== null) this.#options.answer(execution, split);
    return split !== null;
  }

  /** Asks the enumerator; false: it has no more for this task, and nothing was given back meanwhile. */
  async #findNext(execution: ExecutionRef): Promise<boolean> {
    const enumerator = this.#enumerator ?? (await this.#start());
    const { split, state } = await enumerator.next(execution.subtask);
    const found = split === null ? null : await this.#foundSplit(split);
    if (this.#isClosed) return false;
    this.#ledger.found(found, this.#supportsBatchSnapshot === true ? state : null);
    return this.#handOut(execution);
  }

  async #start(): Promise<Enumerator> {
    const enumerator = this.#options.open(this.#ledger.state);
    this.#enumerator = enumerator;
    const { supportsBatchSnapshot, state } = await enumerator.start();
    if (this.#supportsBatchSnapshot !== null && supportsBatchSnapshot !== this.#supportsBatchSnapshot) {
      throw this.#failure('gives batch snapshots at one time and none at another');
    }
    if (this.#supportsBatchSnapshot === null && !this.#isClosed) {
      this.#supportsBatchSnapshot = supportsBatchSnapshot;
      this.#ledger.found(null, supportsBatchSnapshot ? state : null);
      this.#record(this.#ledger.full());
    }
    return enumerator;
  }

  async #foundSplit({ id, path, rows, data }: DescribedSplit): Promise<FoundSplit> {
    if (this.#ledger.has(id)) throw this.#failure(`gave split ${id} twice`);
    if (this.#ledger.splits.length >= splitsMax) throw this.#failure(`gave more than ${splitsMax} splits`);
    if (path === null && this.#options.needsPath)
      throw this.#failure(`gave split ${id} without a path, and no read says how to read it`);
    return { id, file: path === null ? null : await this.#fileOf(id, path), rows, data };
  }

  /** Every split of one file is of the file as it was found first: readers look whether it still is. */
  async #fileOf(id: string, path: string): Promise<SourceFile> {
    const found = await this.#options.describeFile(path).catch((error: Error) => {
      throw this.#failure(`gave split ${id}: ${error.message}`);
    });
    const known = this.#files.get(found.path) ?? found;
    this.#files.set(found.path, known);
    return known;
  }

  /** Looks once at the files that an earlier JobMaster knew of: rows of a changed one may be in the output already. */
  async #filesAreUnchanged(): Promise<boolean> {
    if (this.#filesChecked) return true;
    for (const known of this.#files.values()) {
      const now = await this.#options.describeFile(known.path).catch(() => null);
      if (now !== null && now.bytes === known.bytes && now.modifiedMs === known.modifiedMs) continue;
      const what = now === null ? 'cannot be read any more' : 'changed since a split of it was found';
      this.#options.onSourceChanged(`source ${this.source}: ${known.path} ${what}`);
      return false;
    }
    this.#filesChecked = true;
    return true;
  }

  /** The enumerator is given up; what it had told before the failure counts. */
  #failed(execution: ExecutionRef, { message }: EnumeratorFailure): void {
    this.#enumerator?.close();
    this.#enumerator = null;
    this.#isPaused = this.#options.isRunning(execution);
    // Without snapshots nobody knows any more what it had found: this coordinator ends with it.
    if (this.#supportsBatchSnapshot !== true) this.close();
    this.#options.onFailed(execution, `source ${this.source}: ${message}`);
  }

  #failure(what: string): EnumeratorFailure {
    return new EnumeratorFailure(`its enumerator ${what}`);
  }

  #record(snapshot: LedgerSnapshot): void {
    this.#options.record(this.#event(snapshot));
  }

  #event(snapshot: LedgerSnapshot): CoordinatorSnapshot {
    const { vertexId, operatorId } = this.#options;
    const supportsBatchSnapshot = this.#supportsBatchSnapshot === true;
    return { type: 'coordinator-snapshot', vertexId, operatorId, ...snapshot, supportsBatchSnapshot };
  }
}
