// Everything that a JobMaster has of its shuffle service: the process, the ShuffleMaster that speaks to it, and what the
// job's record and the partition tracker hear of the two. Spec: docs/adr/0008-shuffle-service.md.
import { shuffleServiceId } from '../../model/shuffle-placements.ts';
import { type JobFolder, shuffleServiceFolder } from '../../store/job-folder.ts';
import type { EventRecorder } from '../job-master/event-recorder.ts';
import type { Mastership } from '../job-master/mastership.ts';
import type { PartitionTracker } from '../job-master/partition-tracker.ts';
import { registrationTimeoutOf } from '../job-master/worker-supervisor.ts';
import { reportPartitions } from '../partition-store/report-partitions.ts';
import type { ToJobMaster, WholePartition } from '../protocol/messages.ts';
import { type ServiceConnection, ServiceProcess, type ServiceRegistration } from './service-process.ts';
import { ShuffleMaster } from './shuffle-master.ts';

export interface ShuffleHostListener {
  /** It has (again) registered: what it holds may be less than what is recorded. */
  registered(): void;
  /** The whole state of the ShuffleMaster is on disk: what no record names can be deleted. */
  settled(): void;
  /** One line that a user should see. */
  noticed(what: string): void;
  /** The process that works is another one. */
  changed(): void;
  /** It cannot be started, or looked after. */
  hopeless(error: unknown): void;
}

export class ShuffleHost {
  readonly master: ShuffleMaster;
  readonly #folder: JobFolder;
  readonly #recorder: EventRecorder;
  readonly #tracker: PartitionTracker;
  readonly #listener: ShuffleHostListener;
  readonly #process: ServiceProcess;
  #concluding = false;

  constructor(
    folder: JobFolder,
    mastership: Mastership,
    tracker: PartitionTracker,
    orphanTimeoutMs: number,
    listener: ShuffleHostListener,
  ) {
    const { epoch, recorder, options } = mastership;
    this.#folder = folder;
    this.#recorder = recorder;
    this.#tracker = tracker;
    this.#listener = listener;
    this.#process = new ServiceProcess({
      folder,
      serviceId: shuffleServiceId,
      epoch,
      orphanTimeoutMs,
      mayStart: () => mastership.leads(),
      registrationTimeoutMs: registrationTimeoutOf(options),
      listener: {
        registered: (pid, partitions) => this.#registered(pid, partitions),
        received: (message) => this.#received(message),
        lost: (reason) => this.#lost(reason),
        started: () => listener.changed(),
        hopeless: (error) => listener.hopeless(error),
      },
    });
    this.master = new ShuffleMaster({
      serviceId: shuffleServiceId,
      epoch,
      graph: recorder.graph,
      record: (event) => recorder.record(event),
      send: (message) => this.#process.send(message),
      onSettled: () => listener.settled(),
    });
  }

  get pid(): number | null {
    return this.#process.pid;
  }

  anyAlive(): Promise<boolean> {
    return this.#process.anyAlive();
  }

  ensure(): void {
    this.#process.ensure().catch((error) => this.#listener.hopeless(error));
  }

  register(connection: ServiceConnection, registration: ServiceRegistration): void {
    this.#process.register(connection, registration);
  }

  /** Waits for the service and its report; one that does not come loses nothing that lies whole in its folder. */
  async recover(timeoutMs: number): Promise<void> {
    if (await this.#process.awaitRegistered(timeoutMs)) return;
    const own = shuffleServiceFolder(this.#folder, shuffleServiceId);
    this.#tracker.report(shuffleServiceId, await reportPartitions(own));
  }

  heartbeat(timeoutMs: number): void {
    this.#process.send({ type: 'heartbeat' });
    this.#process.dropSilent(timeoutMs);
  }

  /** From now on its end is no loss, and it is not started again. */
  stop(): void {
    this.#concluding = true;
    this.#process.stop();
  }

  end(timeoutMs: number): Promise<void> {
    return this.#process.end(timeoutMs);
  }

  #registered(pid: number, partitions: readonly WholePartition[]): void {
    const workerId = shuffleServiceId;
    // In the record it is a worker without slots.
    void this.#recorder.record({ type: 'worker-registered', workerId, pid, slots: 0, partitions: partitions.length });
    this.#tracker.report(workerId, partitions);
    this.master.registered();
    this.#listener.changed();
    if (!this.#concluding) this.#listener.registered();
  }

  #received(message: ToJobMaster): void {
    if (message.type === 'partitions-taken' || message.type === 'partitions-refused') this.master.answered(message);
  }

  #lost(reason: string): void {
    if (this.#concluding) return;
    void this.#recorder.record({ type: 'worker-lost', workerId: shuffleServiceId, reason });
    this.#listener.noticed(`${shuffleServiceId} was lost: ${reason}`);
    this.#listener.changed();
    this.ensure();
  }
}
