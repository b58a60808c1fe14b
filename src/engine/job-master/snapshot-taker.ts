// When a running JobMaster takes a snapshot: once as many bytes of events as the setting says, and as many as the last
// snapshot has, were acknowledged since it. A thread of its own replays the store's bytes and writes; the event path
// never waits for it, and whatever goes wrong there costs the snapshot only. Spec: docs/format.md, "Snapshots".
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../model/errors.ts';
import { temporaryPath } from '../../store/atomic-file.ts';
import type { ManifestSnapshot } from '../../store/manifest.ts';
import type { Acknowledged } from '../../store/writer.ts';

/** What the thread is told; it answers with a SnapshotAnswer and ends. */
export interface SnapshotRequest {
  /** The `job-events` folder. */
  readonly folder: string;
  readonly epoch: number;
  /** Last event that the snapshot is to hold. */
  readonly sequence: number;
  readonly temporary: string;
}

export type SnapshotAnswer = { readonly taken: ManifestSnapshot | null } | { readonly failed: string };

export interface SnapshotThread {
  readonly answer: Promise<SnapshotAnswer>;
  stop(): Promise<void>;
}

export interface SnapshotTakerOptions {
  readonly folder: string;
  readonly epoch: number;
  /** `job-event.store.snapshot.interval-size`; 0: never. */
  readonly intervalBytes: number;
  /** Bytes of the events behind the newest snapshot when this master took over. */
  readonly bytesBehind: number;
  readonly acknowledged: () => Acknowledged;
  readonly onTaken: (snapshot: ManifestSnapshot) => void;
  readonly onFailed: (reason: string) => void;
  /** For tests. */
  readonly start?: (request: SnapshotRequest) => SnapshotThread;
}

export class SnapshotTaker {
  readonly #options: SnapshotTakerOptions;
  /** Acknowledged bytes of this epoch that the newest snapshot holds; below 0: it is older than the epoch. */
  #bytesHeld: number;
  #wantedBytes: number;
  #running: SnapshotThread | null = null;
  #stopped = false;

  constructor(options: SnapshotTakerOptions) {
    this.#options = options;
    this.#bytesHeld = -options.bytesBehind;
    this.#wantedBytes = options.intervalBytes;
  }

  /** Starts a snapshot if it is time for one. */
  poll(): void {
    const { intervalBytes, acknowledged } = this.#options;
    const { sequence, bytes } = acknowledged();
    if (this.#stopped || this.#running !== null || intervalBytes === 0) return;
    if (bytes === 0 || bytes - this.#bytesHeld < this.#wantedBytes) return;
    void this.#take(sequence, bytes);
  }

  /** Ends what is under way, without a trace. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.stop();
  }

  async #take(sequence: number, bytes: number): Promise<void> {
    const { folder, epoch, intervalBytes, onTaken, onFailed } = this.#options;
    const temporary = temporaryPath(join(folder, 'snapshot'));
    const answer = await this.#answerOf({ folder, epoch, sequence, temporary });
    this.#running = null;
    if (this.#stopped) return void (await rm(temporary, { force: true }).catch(() => {}));
    // After a failure too: the next attempt comes when there is more to gain.
    this.#bytesHeld = bytes;
    if ('failed' in answer) return onFailed(answer.failed);
    if (answer.taken === null) return;
    this.#wantedBytes = Math.max(intervalBytes, answer.taken.bytes);
    onTaken(answer.taken);
  }

  async #answerOf(request: SnapshotRequest): Promise<SnapshotAnswer> {
    const { start = startThread } = this.#options;
    try {
      this.#running = start(request);
      return await this.#running.answer;
    } catch (error) {
      return { failed: messageOf(error) };
    }
  }
}

function startThread(request: SnapshotRequest): SnapshotThread {
  const thread = new Worker(new URL('./snapshot-worker.js', import.meta.url), { workerData: request });
  const answer = new Promise<SnapshotAnswer>((resolve) => {
    thread.once('message', resolve);
    thread.once('error', (error) => resolve({ failed: messageOf(error) }));
    thread.once('exit', (code) => resolve({ failed: `its thread ended with code ${code}` }));
  });
  const stop = async () => void (await thread.terminate());
  return { answer, stop };
}
