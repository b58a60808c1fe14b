// Sets the job back to what its tasks begin from: the newest checkpoint that can be used, with its sinks rolled forward
// to it and what lies behind it taken back, and said in the record. Sinks first, record after: each step can be done
// twice, and no task runs before both. A JobMaster that was stopped and replaced takes back no part of its successor
// (invariant 3). Spec: docs/streaming.md, "Checkpoints", "Beginning from a savepoint".
import type { JobGraph } from '../../../model/job-graph.ts';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';
import type { CheckpointStorage } from '../../../store/checkpoint/checkpoint-storage.ts';
import type { CheckpointMetadata } from '../../../store/checkpoint/own-metadata.ts';
import type { EventRecorder } from '../../job-master/event-recorder.ts';
import { commitParts, missingParts, rollBackParts } from '../sinks/part-commit.ts';
import { fileSinksOf } from '../stream-files.ts';
import { beginSinks } from './begin-sinks.ts';
import { findRestorePoint, type RestorePoint, type SkippedCheckpoint, skippedText } from './restore-point.ts';

export interface RestorerOptions {
  readonly jobGraph: JobGraph;
  readonly plan: StreamingPlan;
  readonly jobId: string;
  /** `execution.checkpointing.num-retained` */
  readonly retainedCheckpoints: number;
  readonly storage: CheckpointStorage;
  readonly recorder: EventRecorder;
  /** Throws where another JobMaster leads. */
  readonly requireLead: () => Promise<void>;
  readonly onNotice: (message: string) => void;
}

export type Restored =
  /** What the tasks begin from; null: from the beginning. */
  | { readonly kind: 'ready'; readonly location: string | null; readonly metadata: CheckpointMetadata | null }
  /** There were checkpoints, and none can be used. */
  | { readonly kind: 'none-usable'; readonly reason: string };

export class Restorer {
  readonly #options: RestorerOptions;
  readonly #sinkFolders: readonly string[];
  /** Folder of the savepoint that the job was submitted with; null: none. */
  readonly #initial: string | null;
  #restored: number | null = null;

  constructor(options: RestorerOptions) {
    this.#options = options;
    this.#sinkFolders = fileSinksOf(options.plan).map(({ path }) => path);
    this.#initial = options.plan.restore?.path ?? null;
  }

  /** The checkpoint that the tasks were set back to last; null: the beginning. */
  get restored(): number | null {
    return this.#restored;
  }

  /** Once in a job's life: the folders first, then the record that they are there. */
  async begin(): Promise<void> {
    const { storage, jobGraph, recorder, requireLead } = this.#options;
    // Asked of the record, since an earlier JobMaster may have been killed before it had done so.
    if ([...recorder.graph.vertices.values()].every(({ parallelism }) => parallelism !== null)) return;
    await requireLead();
    await storage.prepare();
    this.#tellTakenBack(await beginSinks(this.#sinkFolders, jobGraph.name, this.#initial));
    for (const { id: vertexId, parallelism, maxParallelism, inputs: all } of jobGraph.vertices) {
      const inputs = all.flatMap((input) =>
        input.kind === 'dataset' ? [{ datasetId: input.datasetId, ranges: [] }] : [],
      );
      const decided = { vertexId, parallelism: parallelism ?? 1, maxParallelism, inputs };
      void recorder.record({ type: 'job-vertex-initialized', ...decided });
    }
  }

  /** Before each deployment of the tasks. */
  async restore(): Promise<Restored> {
    const { recorder, retainedCheckpoints, jobId, requireLead } = this.#options;
    const point = await findRestorePoint(recorder.graph.checkpoints, retainedCheckpoints, this.#initial);
    if (point.kind === 'checkpoint') this.#tellSkipped(point.skipped);
    if (point.kind === 'none-usable') return { kind: 'none-usable', reason: noneUsable(point.skipped) };
    const metadata = point.kind === 'checkpoint' ? point.metadata : null;
    this.#restored = metadata?.checkpointId ?? null;
    // Asked last: reading a large checkpoint takes its time.
    await requireLead();
    if (metadata) await this.#rollForward(metadata);
    this.#tellTakenBack(await rollBackParts(this.#sinkFolders, jobId, metadata?.checkpointId ?? null));
    if (point.kind === 'beginning') return { kind: 'ready', location: null, metadata: null };
    this.#record(point);
    return { kind: 'ready', location: point.location, metadata };
  }

  /** Parts that are neither staged nor visible were taken away by somebody: their rows do not come again. */
  async #rollForward({ kind, checkpointId, parts }: CheckpointMetadata): Promise<void> {
    await commitParts(parts);
    const missing = await missingParts(parts);
    if (missing === 0) return;
    this.#options.onNotice(`${missing} part(s) of ${kind} ${checkpointId} are not in their sink's folder any more`);
  }

  #record({ location, metadata, skipped: all }: Extract<RestorePoint, { kind: 'checkpoint' }>): void {
    const { recorder, onNotice } = this.#options;
    const { checkpointId } = metadata;
    const skipped = all.map(({ checkpointId: id, reason }) => ({ checkpointId: id, reason }));
    void recorder.record({ type: 'checkpoint-restored', checkpointId, location, skipped });
    onNotice(`the tasks begin from ${metadata.kind} ${checkpointId}`);
  }

  #tellTakenBack(parts: number): void {
    if (parts === 0) return;
    this.#options.onNotice(`${parts} part(s) of later checkpoints were taken back: their rows come again`);
  }

  #tellSkipped(skipped: readonly SkippedCheckpoint[]): void {
    const last = skipped.at(-1);
    for (const each of skipped) {
      this.#options.onNotice(`${skippedText(each)}${each === last ? '; the checkpoint before it is used' : ''}`);
    }
  }
}

function noneUsable(skipped: readonly SkippedCheckpoint[]): string {
  return `no checkpoint can be restored (${skipped.map(skippedText).join('; ')}); --fresh starts over`;
}
