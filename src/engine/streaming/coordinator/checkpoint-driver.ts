// Carries out what the CheckpointCoordinator decides: makes folders, sends triggers, gathers acknowledgements, writes
// `_metadata`, records the event, makes the sinks' parts visible, retires old checkpoints. The order is the guarantee:
// `_metadata` is durable before the event, the event before the first part appears (invariant 6).
import { messageOf } from '../../../model/errors.ts';
import type { StreamingOptions } from '../../../model/streaming-options.ts';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import {
  type CheckpointStorage,
  completeCheckpoint,
  discardFolder,
} from '../../../store/checkpoint/checkpoint-storage.ts';
import type { CheckpointMetadata } from '../../../store/checkpoint/own-metadata.ts';
import type { EventRecorder } from '../../job-master/event-recorder.ts';
import type { CheckpointBarrier, StreamTaskRef, StreamToJobMaster } from '../protocol/stream-messages.ts';
import { commitParts, unstagedPart } from '../sinks/part-commit.ts';
import { CheckpointCoordinator, type CheckpointRequest, type CoordinatorAction } from './checkpoint-coordinator.ts';
import { DroppedRows } from './dropped-rows.ts';
import { PendingCheckpoint } from './pending-checkpoint.ts';

export interface CheckpointDriverOptions {
  readonly plan: StreamingPlan;
  readonly jobId: string;
  readonly jobName: string;
  readonly epoch: number;
  readonly options: StreamingOptions;
  readonly storage: CheckpointStorage;
  readonly recorder: EventRecorder;
  readonly trigger: (barrier: CheckpointBarrier) => void;
  readonly onCompleted: (checkpointId: number) => void;
  /** Too many have failed: the tasks are to be restarted. */
  readonly onFailed: (task: StreamTaskRef, reason: string) => void;
  /** A savepoint that was to end the job has failed: the job goes on. */
  readonly onStopFailed: (reason: string) => void;
  /** What cannot be gone on from: the disk, or the store. */
  readonly onFatal: (error: unknown) => void;
  readonly onNotice: (message: string) => void;
}

/** How a request ended. */
export type RequestOutcome =
  | { readonly kind: 'completed'; readonly checkpointId: number; readonly location: string; readonly bytes: number }
  | { readonly kind: 'failed'; readonly reason: string };

type Acknowledgement = Extract<StreamToJobMaster, { type: 'acknowledge' }>;

export class CheckpointDriver {
  readonly #options: CheckpointDriverOptions;
  readonly #pending = new Map<number, PendingCheckpoint>();
  readonly #outcomes = new Map<CheckpointRequest, (outcome: RequestOutcome) => void>();
  #coordinator: CheckpointCoordinator | null = null;
  #tasks: readonly StreamTaskRef[] = [];
  #nextId = 1;
  #sinkRows = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  /** Triggers leave in the order of the checkpoints' numbers. */
  #triggering: Promise<void> = Promise.resolve();
  /** Storing goes one after the other: a checkpoint's parts appear before the next one's. */
  #storing: Promise<void> = Promise.resolve();
  /** Folders of checkpoints that were given up are being removed. */
  #discarding: Promise<void> = Promise.resolve();
  #storedId = 0;
  readonly #droppedRows: DroppedRows;

  constructor(options: CheckpointDriverOptions) {
    this.#options = options;
    this.#droppedRows = new DroppedRows(options.plan);
  }

  /** The tasks will be deployed from this checkpoint (null: from the beginning). */
  async prepare(restored: CheckpointMetadata | null): Promise<void> {
    const { recorder, storage } = this.#options;
    this.#sinkRows = new Map((restored?.sinkRows ?? []).map(({ sink, rows }) => [sink, rows]));
    const used = [recorder.graph.lastCheckpointId, restored?.checkpointId ?? 0, ...(await storage.list())];
    this.#nextId = Math.max(this.#nextId, ...used.map((id) => id + 1));
  }

  /** All tasks run. */
  start(tasks: readonly StreamTaskRef[]): void {
    this.#tasks = tasks;
    this.#droppedRows.reset();
    const { options } = this.#options;
    const settings = {
      intervalMs: options.intervalMs,
      minPauseMs: options.minPauseMs,
      timeoutMs: options.timeoutMs,
      tolerableFailures: options.tolerableFailedCheckpoints,
      concurrentMax: options.maxConcurrentCheckpoints,
    };
    this.#coordinator = new CheckpointCoordinator(settings, tasks.map(keyOf), this.#nextId, performance.now());
    this.#schedule();
  }

  /** The tasks end: what is under way is given up. Resolves when nothing is being stored any more. */
  async stop(reason: string): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#nextId = Math.max(this.#nextId, this.#coordinator?.nextId ?? 0);
    this.#coordinator = null;
    await this.#triggering;
    await this.#storing;
    for (const [id, pending] of [...this.#pending]) this.#discard(id, pending);
    await this.#discarding;
    for (const settle of this.#outcomes.values()) settle({ kind: 'failed', reason });
    this.#outcomes.clear();
  }

  /** Asks for a checkpoint or savepoint beside the periodic ones. Resolves when it is complete and its parts visible. */
  request(request: CheckpointRequest): Promise<RequestOutcome> {
    const coordinator = this.#coordinator;
    if (!coordinator) return Promise.resolve({ kind: 'failed', reason: 'not all tasks of the job run' });
    if (coordinator.isEnding) return Promise.resolve({ kind: 'failed', reason: 'the job is ending' });
    return new Promise((resolve) => {
      this.#outcomes.set(request, resolve);
      this.#act(coordinator.request(request, performance.now()));
    });
  }

  acknowledged({ checkpointId, task, operators, parts }: Acknowledgement): void {
    this.#pending.get(checkpointId)?.add(task.subtask, operators, parts);
    this.#act(this.#coordinator?.acknowledge(checkpointId, keyOf(task), performance.now()) ?? []);
  }

  declined(checkpointId: number, reason: string): void {
    this.#act(this.#coordinator?.decline(checkpointId, reason, performance.now()) ?? []);
  }

  #act(actions: readonly CoordinatorAction[]): void {
    for (const action of actions) {
      switch (action.kind) {
        case 'trigger':
          this.#begin(action.checkpointId, action.request);
          break;
        case 'store':
          this.#storing = this.#storing
            .then(() => this.#store(action.checkpointId, action.request))
            .catch((error) => this.#options.onFatal(error));
          break;
        case 'abort':
          this.#abort(action.checkpointId, action.request, action.reason);
          break;
        case 'fail':
          if (action.counts) this.#options.onFailed(taskOf(action.task), action.reason);
          else this.#options.onStopFailed(action.reason);
      }
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer) clearTimeout(this.#timer);
    const wakeMs = this.#coordinator?.nextWakeMs ?? null;
    if (wakeMs === null) return;
    const tick = () => this.#act(this.#coordinator?.tick(performance.now()) ?? []);
    this.#timer = setTimeout(tick, Math.min(Math.max(0, wakeMs - performance.now()), 60_000));
  }

  #begin(checkpointId: number, { kind, mode, folder: asked }: CheckpointRequest): void {
    const { storage, jobId, jobName, epoch } = this.#options;
    const folder = asked ?? storage.folderOf(checkpointId);
    const head = { kind, checkpointId, jobId, jobName, epoch, timestampMs: Date.now() };
    const pending = new PendingCheckpoint(folder, head);
    // Who asks for a savepoint has made its folder.
    pending.hasFolder = asked !== null;
    this.#pending.set(checkpointId, pending);
    this.#triggering = this.#triggering.then(() => this.#trigger(pending, { checkpointId, folder, mode }));
  }

  async #trigger(pending: PendingCheckpoint, barrier: CheckpointBarrier): Promise<void> {
    const { checkpointId, folder } = barrier;
    if (!this.#pending.has(checkpointId)) return;
    try {
      if (!pending.hasFolder) await this.#options.storage.begin(checkpointId);
      pending.hasFolder = true;
    } catch (error) {
      return this.declined(checkpointId, `${folder} cannot be made: ${messageOf(error)}`);
    }
    if (this.#pending.has(checkpointId)) this.#options.trigger(barrier);
  }

  async #store(checkpointId: number, request: CheckpointRequest): Promise<void> {
    const pending = this.#pending.get(checkpointId);
    if (!pending) return;
    const { plan, recorder, onFatal, onCompleted } = this.#options;
    pending.leaveOutCommitted(this.#storedId);
    const lost = await unstagedPart(pending.parts);
    if (lost !== null) return this.#lostPart(checkpointId, request, lost);
    const metadata = pending.metadata(plan, this.#sinkRows);
    try {
      await completeCheckpoint(pending.folder, metadata);
    } catch (error) {
      // A folder of the user's choice: what becomes of it is no matter of the job.
      if (request.kind === 'savepoint') return this.declined(checkpointId, messageOf(error));
      // Nothing is lost: the parts are staged still, and the job goes on from the checkpoint before.
      return onFatal(error);
    }
    try {
      const durationMs = Math.round(performance.now() - pending.startedMs);
      const type = request.kind === 'savepoint' ? 'savepoint-completed' : 'checkpoint-completed';
      const { folder: location, stateBytes } = pending;
      await recorder.record({ type, checkpointId, location, stateBytes, durationMs, sinks: metadata.sinkRows });
      await commitParts(pending.parts);
    } catch (error) {
      return onFatal(error);
    }
    this.#pending.delete(checkpointId);
    this.#storedId = checkpointId;
    this.#sinkRows = new Map(metadata.sinkRows.map(({ sink, rows }) => [sink, rows]));
    this.#coordinator?.stored(checkpointId, performance.now());
    onCompleted(checkpointId);
    const news = this.#droppedRows.news(pending.droppedRows, request.mode !== 'go-on');
    for (const line of news) this.#options.onNotice(line);
    this.#settle(request, { kind: 'completed', checkpointId, location: pending.folder, bytes: pending.stateBytes });
    await this.#retire();
    this.#schedule();
  }

  /** Rows would be missing for ever behind this checkpoint: the tasks restart, and write them again. */
  #lostPart(checkpointId: number, request: CheckpointRequest, lost: string): void {
    const reason = `${lost} is not there as it was staged`;
    this.#abort(checkpointId, request, reason);
    const [task] = this.#tasks;
    if (task) this.#options.onFailed(task, `checkpoint ${checkpointId} cannot be completed: ${reason}`);
  }

  #abort(checkpointId: number, request: CheckpointRequest, reason: string): void {
    const { recorder, onNotice } = this.#options;
    void recorder.record({ type: 'checkpoint-aborted', checkpointId, reason });
    onNotice(`checkpoint ${checkpointId} was given up: ${reason}`);
    const pending = this.#pending.get(checkpointId);
    if (pending) this.#discard(checkpointId, pending);
    this.#settle(request, { kind: 'failed', reason });
  }

  #discard(checkpointId: number, { folder, hasFolder }: PendingCheckpoint): void {
    this.#pending.delete(checkpointId);
    if (hasFolder) this.#discarding = this.#discarding.then(() => discardFolder(folder).catch(() => {}));
  }

  #settle(request: CheckpointRequest, outcome: RequestOutcome): void {
    this.#outcomes.get(request)?.(outcome);
    this.#outcomes.delete(request);
  }

  /** Removes the job's own checkpoints but for the newest. What cannot be removed is tried again with the next. */
  async #retire(): Promise<void> {
    const { storage, recorder, options } = this.#options;
    const own = recorder.graph.checkpoints.filter(({ kind }) => kind === 'checkpoint');
    const oldestKept = own.at(-options.retainedCheckpoints)?.checkpointId ?? 0;
    for (const id of await storage.list()) {
      if (id < oldestKept && !this.#pending.has(id)) await storage.discard(id).catch(() => {});
    }
  }
}

function keyOf({ vertexId, subtask }: StreamTaskRef): string {
  return `${vertexId}#${subtask}`;
}

function taskOf(key: string): StreamTaskRef {
  const [vertexId = '', subtask = '0'] = key.split('#');
  return { vertexId, subtask: Number(subtask) };
}
