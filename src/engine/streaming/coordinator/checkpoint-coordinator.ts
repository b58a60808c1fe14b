// The CheckpointCoordinator's decisions, without clock or files: when the next checkpoint begins, when one is complete
// or given up, when too many have failed. Told what happened and what time it is, it answers what is to be done.
// One coordinator is one deployment of the tasks. Spec: docs/streaming.md, "Checkpoints".
import type { BarrierMode } from '../protocol/stream-messages.ts';

export interface CoordinatorSettings {
  /** null: no periodic checkpoints. */
  readonly intervalMs: number | null;
  readonly minPauseMs: number;
  readonly timeoutMs: number;
  readonly tolerableFailures: number;
  readonly concurrentMax: number;
}

/** A checkpoint that somebody asked for: a savepoint, or the last one of a job that ends. */
export interface CheckpointRequest {
  readonly kind: 'checkpoint' | 'savepoint';
  readonly mode: BarrierMode;
  /** Folder of a savepoint; null: one of the job's own checkpoints. */
  readonly folder: string | null;
}

export type CoordinatorAction =
  | { readonly kind: 'trigger'; readonly checkpointId: number; readonly request: CheckpointRequest }
  /** All tasks have acknowledged: it is to be stored. */
  | { readonly kind: 'store'; readonly checkpointId: number; readonly request: CheckpointRequest }
  | {
      readonly kind: 'abort';
      readonly checkpointId: number;
      readonly request: CheckpointRequest;
      readonly reason: string;
    }
  /** More checkpoints in a row have failed than are tolerated, or the last one of the job. */
  | {
      readonly kind: 'fail';
      readonly reason: string;
      /** false: a savepoint that was to end the job; the tasks have stopped behind it, and it is nobody's failure. */
      readonly counts: boolean;
      /** A task that had not acknowledged. */
      readonly task: string;
    };

const periodic: CheckpointRequest = { kind: 'checkpoint', mode: 'go-on', folder: null };

interface Pending {
  readonly checkpointId: number;
  readonly request: CheckpointRequest;
  readonly triggeredMs: number;
  readonly missing: Set<string>;
  isStoring: boolean;
}

export class CheckpointCoordinator {
  readonly #settings: CoordinatorSettings;
  readonly #tasks: readonly string[];
  readonly #pending = new Map<number, Pending>();
  #nextId: number;
  #lastTriggeredMs: number;
  #lastEndedMs = Number.NEGATIVE_INFINITY;
  #failuresInRow = 0;
  #isEnding = false;

  /**
   * @param tasks keys of all tasks that acknowledge
   * @param nextId number of the next checkpoint: above all that the job ever began
   */
  constructor(settings: CoordinatorSettings, tasks: readonly string[], nextId: number, nowMs: number) {
    this.#settings = settings;
    this.#tasks = tasks;
    this.#nextId = nextId;
    this.#lastTriggeredMs = nowMs;
  }

  get nextId(): number {
    return this.#nextId;
  }

  /** When `tick` has something to do at the earliest; null: only after something else has happened. */
  get nextWakeMs(): number | null {
    const times = [...this.#pending.values()]
      .filter((pending) => !pending.isStoring)
      .map((pending) => pending.triggeredMs + this.#settings.timeoutMs);
    const due = this.#dueMs();
    if (due !== null) times.push(due);
    return times.length === 0 ? null : Math.min(...times);
  }

  tick(nowMs: number): CoordinatorAction[] {
    const expired = [...this.#pending.values()].filter(
      (pending) => !pending.isStoring && nowMs >= pending.triggeredMs + this.#settings.timeoutMs,
    );
    const actions = expired.flatMap((pending) => {
      const seconds = this.#settings.timeoutMs / 1000;
      const reason = `it took longer than ${seconds} s; ${pending.missing.size} of ${this.#tasks.length} tasks were missing`;
      return this.#fail(pending, reason, nowMs);
    });
    const due = this.#dueMs();
    if (due !== null && nowMs >= due) actions.push(this.#trigger(periodic, nowMs));
    return actions;
  }

  /** Begins at once, whatever else is under way; behind one that ends the job nothing begins any more. */
  request(request: CheckpointRequest, nowMs: number): CoordinatorAction[] {
    if (this.#isEnding) return [];
    if (request.mode !== 'go-on') this.#isEnding = true;
    return [this.#trigger(request, nowMs)];
  }

  /** Whether a checkpoint that ends the job has begun. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  acknowledge(checkpointId: number, task: string, nowMs: number): CoordinatorAction[] {
    const pending = this.#pending.get(checkpointId);
    if (!pending?.missing.delete(task) || pending.missing.size > 0) return [];
    pending.isStoring = true;
    const { request } = pending;
    return [...this.#subsumeBefore(checkpointId, nowMs), { kind: 'store', checkpointId, request }];
  }

  decline(checkpointId: number, reason: string, nowMs: number): CoordinatorAction[] {
    const pending = this.#pending.get(checkpointId);
    return pending ? this.#fail(pending, reason, nowMs) : [];
  }

  /** It is durable: the job can go on from it. */
  stored(checkpointId: number, nowMs: number): void {
    if (!this.#pending.delete(checkpointId)) return;
    this.#failuresInRow = 0;
    this.#lastEndedMs = nowMs;
  }

  /** Periodic checkpoints that are due; null: none is, until something ends. */
  #dueMs(): number | null {
    const { intervalMs, minPauseMs } = this.#settings;
    if (intervalMs === null || this.#isEnding || this.#pending.size >= this.#concurrentMax) return null;
    return Math.max(this.#lastTriggeredMs + intervalMs, this.#lastEndedMs + minPauseMs);
  }

  /** A pause between checkpoints leaves no room for two at a time, as in Flink. */
  get #concurrentMax(): number {
    return this.#settings.minPauseMs > 0 ? 1 : this.#settings.concurrentMax;
  }

  #trigger(request: CheckpointRequest, nowMs: number): CoordinatorAction {
    const checkpointId = this.#nextId;
    this.#nextId += 1;
    this.#lastTriggeredMs = nowMs;
    const missing = new Set(this.#tasks);
    this.#pending.set(checkpointId, { checkpointId, request, triggeredMs: nowMs, missing, isStoring: false });
    return { kind: 'trigger', checkpointId, request };
  }

  /** A newer one is complete: older ones are of no use any more, unless somebody asked for them. */
  #subsumeBefore(checkpointId: number, nowMs: number): CoordinatorAction[] {
    const older = [...this.#pending.values()].filter(
      (pending) => pending.checkpointId < checkpointId && !pending.isStoring && pending.request === periodic,
    );
    return older.map((pending) => this.#abort(pending, `checkpoint ${checkpointId} was complete before it`, nowMs));
  }

  #abort(pending: Pending, reason: string, nowMs: number): CoordinatorAction {
    const { checkpointId, request } = pending;
    this.#pending.delete(checkpointId);
    this.#lastEndedMs = nowMs;
    return { kind: 'abort', checkpointId, request, reason };
  }

  /** A savepoint that fails is its caller's affair; what ends the job must not fail; the others are counted. */
  #fail(pending: Pending, reason: string, nowMs: number): CoordinatorAction[] {
    const { request, checkpointId } = pending;
    const aborted = this.#abort(pending, reason, nowMs);
    const [task = this.#tasks[0] ?? ''] = pending.missing;
    if (request.mode !== 'go-on') {
      const why = `checkpoint ${checkpointId}, the last of the job, failed: ${reason}`;
      return [aborted, { kind: 'fail', reason: why, counts: request.kind === 'checkpoint', task }];
    }
    if (request.kind === 'savepoint') return [aborted];
    this.#failuresInRow += 1;
    const { tolerableFailures } = this.#settings;
    if (this.#failuresInRow <= tolerableFailures) return [aborted];
    const why = `checkpoint ${checkpointId} failed: ${reason}; execution.checkpointing.tolerable-failed-checkpoints is ${tolerableFailures}`;
    return [aborted, { kind: 'fail', reason: why, counts: true, task }];
  }
}
