// One JobMaster incarnation: it takes the next epoch by an exclusive create, opens the store for that epoch, replays
// what is recorded, and knows when it no longer leads (invariant 3) or the store took no more events (invariant 8).
import { exitCodeByErrorCode, JobrecError, messageOf } from '../../model/errors.ts';
import type { RecoveryCause } from '../../model/job-events.ts';
import type { JobLog } from '../../model/job-log.ts';
import { type Options, readOptions } from '../../model/options.ts';
import { createExecutionGraph, type ExecutionGraph } from '../../replay/execution-graph.ts';
import { replayNewest } from '../../replay/replay-log.ts';
import { latestGenerationNumber, takeGeneration } from '../../store/generation.ts';
import type { JobFolder } from '../../store/job-folder.ts';
import { StoreWriter } from '../../store/writer.ts';
import type { JobMasterStart } from '../processes.ts';
import { readSubmission, type Submission } from '../submission.ts';
import { EventRecorder } from './event-recorder.ts';
import { FailureHistory } from './failure-history.ts';
import type { MasterEnd } from './master-end.ts';
import { SnapshotTaker } from './snapshot-taker.ts';

export class Mastership {
  readonly epoch: number;
  readonly jobId: string;
  /** As this run was started with: `options` is read from it. */
  readonly config: Readonly<Record<string, string>>;
  readonly options: Options;
  readonly recorder: EventRecorder;
  /** The task failures that the store records. */
  readonly failures: FailureHistory;
  readonly #folder: JobFolder;
  readonly #writer: StoreWriter;
  readonly #snapshots: SnapshotTaker;
  #onPoisoned: (end: MasterEnd) => void = () => {};
  #onNotice: (message: string) => void = () => {};

  private constructor(opened: OpenedStore) {
    const { epoch, writer } = opened;
    const { graph, submission } = opened;
    this.epoch = epoch;
    this.jobId = submission.jobId;
    this.config = submission.config;
    this.options = opened.options;
    this.failures = new FailureHistory(graph);
    this.#folder = opened.folder;
    this.#writer = writer;
    this.recorder = new EventRecorder({
      graph,
      writer,
      epoch,
      // The option is that of batch jobs: a streaming job recovers wherever it has checkpoints.
      recordsProgress: this.options.recoveryEnabled || submission.graph.streaming !== undefined,
      onRefused: (error) => void this.#refused(error),
    });
    this.#snapshots = new SnapshotTaker({
      folder: opened.folder.jobEvents,
      epoch,
      intervalBytes: this.options.storeSnapshotIntervalBytes,
      bytesBehind: opened.bytesBehind,
      acknowledged: () => writer.acknowledged,
      onTaken: (snapshot) => writer.noteSnapshot(snapshot),
      onFailed: (reason) => this.#onNotice(`a snapshot of the store could not be taken: ${reason}`),
    });
  }

  /** Throws JOB_HELD when another process took the epoch first, STORE_DAMAGED when the store cannot be gone on with. */
  static async take(folder: JobFolder, start: JobMasterStart): Promise<Mastership> {
    const generation = await takeGeneration(folder.epochs, await latestGenerationNumber(folder.epochs));
    if (!generation) throw new JobrecError('JOB_HELD', 'another JobMaster has taken the job over');
    const submission = await readSubmission(folder);
    const options = readOptions(submission.config);
    const isFenced = async () => (await latestGenerationNumber(folder.epochs)) > generation.number;
    const writerOptions = {
      folder: folder.jobEvents,
      jobId: submission.jobId,
      epoch: generation.number,
      flushIntervalMs: options.storeFlushIntervalMs,
      writeBufferSizeBytes: options.storeWriteBufferBytes,
      isFenced,
    };
    const opened = start === 'submitted' ? null : await StoreWriter.resume(writerOptions);
    const writer = opened?.writer ?? (await StoreWriter.create(writerOptions));
    const recorded = opened ? await recordedGraph(opened) : { graph: createExecutionGraph(), bytesBehind: 0 };
    const mastership = new Mastership({ folder, epoch: generation.number, writer, ...recorded, submission, options });
    const { graph } = recorded;
    if (graph.jobId === null) mastership.#submit(submission);
    return mastership;
  }

  #submit(submission: Submission): void {
    const { jobId, name, graph, config, fingerprint } = submission;
    void this.recorder.record({ type: 'job-submitted', jobId, name, graph, config, fingerprint });
    void this.recorder.record({ type: 'job-status-changed', state: 'CREATED', reason: null });
  }

  onPoisoned(handle: (end: MasterEnd) => void): void {
    this.#onPoisoned = handle;
  }

  onNotice(tell: (message: string) => void): void {
    this.#onNotice = tell;
  }

  /** Starts a snapshot of the store where it has outgrown the setting. Nothing waits for it. */
  considerSnapshot(): void {
    if (this.#writer.poisoned === null) this.#snapshots.poll();
  }

  /** Whether no higher epoch has been taken: asked before the world outside the store is changed. Throws where nobody can say. */
  async leads(): Promise<boolean> {
    return (await this.#latestEpoch()) <= this.epoch;
  }

  /** Throws where a later epoch leads. */
  async requireLead(): Promise<void> {
    if (!(await this.leads())) throw new JobrecError('JOB_HELD', `epoch ${this.epoch} is over`);
  }

  /** Looks for a higher epoch: true where there is one, and then this master stops at once. */
  async checkFence(): Promise<boolean> {
    const isFenced = await this.#isFenced();
    if (isFenced) this.#onPoisoned(fenced(this.epoch));
    return isFenced;
  }

  /** Why the master before this one is no more. */
  causeOf(start: JobMasterStart, anyWorkerAlive: boolean): RecoveryCause {
    if (this.recorder.graph.state === 'SUSPENDED') return 'suspended';
    return start === 'restarted' || anyWorkerAlive ? 'job-master-lost' : 'all-processes-lost';
  }

  /**
   * The end that an error makes: a later epoch (whose renames look like lost files), a refused store, files that cannot be
   * read or a system error (then it can be resumed), or the job's own failure.
   */
  async endOf(error: unknown): Promise<MasterEnd> {
    if (await this.#isFenced()) return fenced(this.epoch);
    if (this.#writer.poisoned) return { kind: 'poisoned', reason: this.#writer.poisoned.message };
    if (error instanceof JobrecError && isOfFiles(error)) return { kind: 'suspended', reason: reasonOf(error) };
    if (error instanceof JobrecError) return { kind: 'failed', reason: error.message };
    if (error instanceof Error && 'code' in error) return { kind: 'suspended', reason: messageOf(error) };
    throw error;
  }

  /** Writes what is pending; `sealed`: nothing will follow in this store. */
  async close(sealed: boolean): Promise<void> {
    await this.#snapshots.stop();
    if (sealed) await this.#writer.seal();
    else await this.#writer.flush();
    await this.#writer.close();
  }

  async #refused(error: unknown): Promise<void> {
    this.#onPoisoned((await this.#isFenced()) ? fenced(this.epoch) : { kind: 'poisoned', reason: messageOf(error) });
  }

  /** As far as one can see: an error is not to hide the one that it is asked for. */
  async #isFenced(): Promise<boolean> {
    return (await this.#latestEpoch().catch(() => 0)) > this.epoch;
  }

  #latestEpoch(): Promise<number> {
    return latestGenerationNumber(this.#folder.epochs);
  }
}

interface OpenedStore {
  readonly folder: JobFolder;
  readonly epoch: number;
  readonly writer: StoreWriter;
  readonly graph: ExecutionGraph;
  /** Of the events behind the newest snapshot. */
  readonly bytesBehind: number;
  readonly submission: Submission;
  readonly options: Options;
}

type Recorded = Pick<OpenedStore, 'graph' | 'bytesBehind'>;

/**
 * The graph at the end of the log. Throws STORE_DAMAGED where it does not reach the end that the writer goes on behind: a
 * snapshot that cannot be read may leave a walk over events that nobody checked.
 */
async function recordedGraph({ log, writer }: { log: JobLog; writer: StoreWriter }): Promise<Recorded> {
  let bytesBehind = 0;
  const { graph } = await replayNewest(log, { onRecord: ({ bytes }) => (bytesBehind += bytes) });
  const last = writer.tookOver?.sequence ?? -1;
  if ((graph.lastSequence ?? -1) === last) return { graph, bytesBehind };
  const message = `the store ${log.location} ends with sequence ${last}, but can be replayed to ${graph.lastSequence} only`;
  throw new JobrecError('STORE_DAMAGED', message, {
    data: { folder: log.location, last, replayed: graph.lastSequence },
    hint: `jobrec validate ${log.location} tells what is damaged, and with --repair keeps what is not`,
  });
}

/** Data that cannot be read, that another process holds, or of another version: no fault of the job. */
function isOfFiles({ code }: JobrecError): boolean {
  return [4, 5, 6].includes(exitCodeByErrorCode[code]);
}

function reasonOf({ message, hint }: JobrecError): string {
  return hint === null ? message : `${message}; ${hint}`;
}

function fenced(epoch: number): MasterEnd {
  return { kind: 'fenced', reason: `epoch ${epoch} is over: another JobMaster leads` };
}
