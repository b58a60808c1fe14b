// A source as the first operator of a chain: reads its splits row by row and keeps, for each, the position behind the
// last row that went into the chain. That is its state; a restart takes the positions of all subtasks and goes on with
// the splits that fall to it.
import type { Row } from '../../../model/streaming-plan.ts';
import type { Operator, OperatorContext, Output } from '../operators/operator.ts';
import { keyGroupOf } from '../state/key-groups.ts';
import type { RestoredSplits, SourceRecord, SplitPosition, SplitState, StreamSource } from './stream-source.ts';

const maxOrdinals = 2 ** 31;
const nothingRestored: RestoredSplits = { splits: [], ofThisJob: true };

export class SourceOperator implements Operator {
  readonly source: StreamSource;
  readonly #subtask: number;
  readonly #parallelism: number;
  readonly #ofThisJob: boolean;
  readonly #positions = new Map<string, SplitPosition>();
  /** Positions of checkpoints that are under way, to tell the source of. */
  readonly #snapshots = new Map<number, readonly SplitState[]>();
  #restored: SplitState[] | null = null;
  #output!: Output;
  #discoverNextMs = Number.POSITIVE_INFINITY;

  /** `ofThisJob`: whether the state that it is restored from is its job's own. */
  constructor(source: StreamSource, subtask: number, parallelism: number, ofThisJob = true) {
    this.source = source;
    this.#ofThisJob = ofThisJob;
    this.#subtask = subtask;
    this.#parallelism = parallelism;
  }

  initializeState(states: readonly unknown[]): void {
    this.#restored = (states as SplitState[][]).flat();
  }

  async open({ output }: OperatorContext): Promise<void> {
    this.#output = output;
    for (const split of this.#restored ?? []) await this.#take(await this.#begun(split));
    await this.#discover(this.#restoredSplits);
  }

  /** Ids of the splits of this subtask. */
  get splitIds(): readonly string[] {
    return [...this.#positions.keys()];
  }

  get droppedRows(): number {
    return this.source.droppedRows;
  }

  /** Looks for new splits where it is time to. Returns whether there were some. */
  async discoverIfDue(): Promise<boolean> {
    return performance.now() < this.#discoverNextMs ? false : this.#discover(this.#restoredSplits ?? nothingRestored);
  }

  emit({ splitId, row, position }: SourceRecord): void {
    this.#positions.set(splitId, position);
    this.#output.collect(row);
  }

  processElement(row: Row): void {
    this.#output.collect(row);
  }

  snapshotState(checkpointId: number): unknown {
    const positions = [...this.#positions].map(([splitId, position]) => ({ splitId, position }));
    this.#snapshots.set(checkpointId, positions);
    return positions;
  }

  notifyCheckpointComplete(checkpointId: number): void {
    const positions = this.#snapshots.get(checkpointId);
    for (const id of this.#snapshots.keys()) if (id <= checkpointId) this.#snapshots.delete(id);
    if (positions) void this.source.notifyCheckpointComplete?.(positions).catch(() => {});
  }

  async close(): Promise<void> {
    await this.source.close();
  }

  get #restoredSplits(): RestoredSplits | null {
    return this.#restored && { splits: this.#restored, ofThisJob: this.#ofThisJob };
  }

  async #begun(split: SplitState): Promise<SplitState> {
    return this.#ofThisJob || !this.#owns(split.splitId) ? split : ((await this.source.renew?.(split)) ?? split);
  }

  async #discover(restored: RestoredSplits | null): Promise<boolean> {
    const before = this.#positions.size;
    const { discoveryIntervalMs } = this.source;
    for (const split of await this.source.discover(restored)) await this.#take(split);
    if (discoveryIntervalMs !== null) this.#discoverNextMs = performance.now() + discoveryIntervalMs;
    return this.#positions.size > before;
  }

  async #take(split: SplitState): Promise<void> {
    if (this.#positions.has(split.splitId) || !this.#owns(split.splitId)) return;
    this.#positions.set(split.splitId, split.position);
    await this.source.addSplit(split);
  }

  #owns(splitId: string): boolean {
    const ordinal = this.source.ordinalOf?.(splitId) ?? keyGroupOf(splitId, maxOrdinals);
    return ordinal % this.#parallelism === this.#subtask;
  }
}
