// The JobMaster's memory: every event that it records is applied to its ExecutionGraph at once, by the same fold that
// a later JobMaster and the offline commands use. So the graph of a running master is by construction what a replay
// of its store gives.
import type { JobEvent, JobEventType } from '../../model/job-events.ts';
import { applyEvent } from '../../replay/apply-event.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import type { StoreWriter } from '../../store/writer.ts';

/** What is still recorded with `execution.batch.job-recovery.enabled: false`: the job's life, not its progress. */
const recordedWithoutRecovery: ReadonlySet<JobEventType> = new Set<JobEventType>([
  'job-submitted',
  'job-status-changed',
  'job-vertex-initialized',
  'commit-started',
  'execution-failed',
  'recovery-completed',
]);

export interface EventRecorderOptions {
  readonly graph: ExecutionGraph;
  readonly writer: StoreWriter;
  readonly epoch: number;
  /** Unless switched off: `execution.batch.job-recovery.enabled`. */
  readonly recordsProgress: boolean;
  /** Called when the store did not acknowledge an event: nothing that follows can be recorded. */
  readonly onRefused: (error: unknown) => void;
}

export class EventRecorder {
  readonly graph: ExecutionGraph;
  readonly #options: EventRecorderOptions;

  constructor(options: EventRecorderOptions) {
    this.graph = options.graph;
    this.#options = options;
  }

  /** Applies and appends; resolves when the event is acknowledged, rejects when the store is poisoned. */
  record(event: JobEvent): Promise<void> {
    if (!this.#options.recordsProgress && !recordedWithoutRecovery.has(event.type)) {
      this.#apply(event, this.graph.lastSequence ?? 0, null);
      return Promise.resolve();
    }
    const appended = this.#options.writer.append(event);
    this.#apply(event, appended.sequence, appended.timeMicros);
    // Most callers do not wait for the acknowledgement: the JobMaster hears of a refusal here.
    appended.durable.catch((error) => this.#options.onRefused(error));
    return appended.durable;
  }

  #apply(event: JobEvent, sequence: number, timeMicros: number | null): void {
    applyEvent(this.graph, { sequence, timeMicros, epoch: this.#options.epoch }, event);
  }
}
