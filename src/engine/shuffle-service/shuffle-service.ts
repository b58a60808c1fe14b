// The shuffle service: holds the result partitions of a job apart from its workers. It takes them over from the workers'
// folders on the JobMaster's command, vouches for each only when it lies whole and synced in its own folder, and deletes
// what it is told to release. Like a TaskManager it follows the newest epoch and refuses commands of others; before it
// changes its folder it looks whether the folder is still its own. Spec: docs/adr/0008-shuffle-service.md.
import { messageOf } from '../../model/errors.ts';
import type { WorkerId } from '../../model/ids.ts';
import { latestGenerationNumber } from '../../store/generation.ts';
import { type JobFolder, shuffleServiceFolder, workerFolder } from '../../store/job-folder.ts';
import { deletePartitions, deleteStale } from '../partition-store/partition-deletion.ts';
import { transferPartition } from '../partition-store/partition-transfer.ts';
import { reportPartitions } from '../partition-store/report-partitions.ts';
import { type LeaderConnection, LeaderFinder } from '../protocol/leader-finder.ts';
import type { ToShuffleService } from '../protocol/messages.ts';
import { parseToShuffleService } from '../protocol/validate.ts';
import { workerClaims } from '../task-manager/worker-claim.ts';

type Leader = LeaderConnection<ToShuffleService>;
type TakePartitions = Extract<ToShuffleService, { type: 'take-partitions' }>;
type ReleasePartitions = Extract<ToShuffleService, { type: 'release-partitions' }>;

const heartbeatIntervalMs = 1_000;

export interface ShuffleServiceOptions {
  readonly folder: JobFolder;
  readonly serviceId: WorkerId;
  /** Number of the claim by which the folder is this process's own. */
  readonly claim: number;
  readonly orphanTimeoutMs: number;
  /** Called once, when the process may end. */
  readonly onEnd: (reason: string) => void;
  /** Called when another process has the folder: this one must end. */
  readonly onReplaced: (reason: string) => void;
}

export class ShuffleService {
  readonly #options: ShuffleServiceOptions;
  readonly #ownFolder: string;
  readonly #finder: LeaderFinder<ToShuffleService>;
  /** Changes of the folder that have begun. */
  readonly #changes = new Set<Promise<void>>();
  #leader: Leader | null = null;
  #epoch = 0;

  constructor(options: ShuffleServiceOptions) {
    this.#options = options;
    this.#ownFolder = shuffleServiceFolder(options.folder, options.serviceId);
    this.#finder = new LeaderFinder({
      masterFile: options.folder.masterFile,
      orphanTimeoutMs: options.orphanTimeoutMs,
      parse: parseToShuffleService,
      onLeader: (connection, token) => void this.#register(connection, token),
      onMessage: (connection, message) => this.#obey(connection, message),
      onLost: () => {
        this.#leader = null;
      },
      onOrphaned: () => options.onEnd(`no JobMaster for ${options.orphanTimeoutMs / 1000} s`),
    });
  }

  start(): void {
    this.#finder.start();
    setInterval(() => this.#leader?.send({ type: 'heartbeat' }), heartbeatIntervalMs);
  }

  /** Resolves when no change of the folder is under way any more; takes no new commands. */
  async stop(): Promise<void> {
    this.#epoch = Number.POSITIVE_INFINITY;
    await this.#settled();
  }

  /** What an earlier master ordered is finished first: the report must not race with it. */
  async #register(connection: Leader, token: string): Promise<void> {
    this.#leader = null;
    await this.#settled();
    const { serviceId } = this.#options;
    const partitions = await reportPartitions(this.#ownFolder);
    // Transfers that were cut short, and what is damaged: nobody will ever read them.
    if (await this.#isOwner()) await deleteStale(this.#ownFolder, partitions);
    connection.send({ type: 'register-shuffle-service', token, serviceId, pid: process.pid, partitions });
  }

  #obey(connection: Leader, message: ToShuffleService): void {
    switch (message.type) {
      case 'registered':
        if (message.epoch < this.#epoch) return connection.destroy();
        this.#epoch = message.epoch;
        this.#leader = connection;
        return;
      case 'take-partitions':
        if (message.epoch === this.#epoch) this.#change(this.#take(connection, message));
        return;
      case 'release-partitions':
        if (message.epoch === this.#epoch) this.#change(this.#release(message, [...this.#changes]));
        return;
      case 'shutdown':
        if (message.epoch === this.#epoch) this.#options.onEnd('the JobMaster ended the job');
        return;
      case 'heartbeat':
        connection.send({ type: 'heartbeat' });
        return;
    }
  }

  #change(change: Promise<void>): void {
    this.#changes.add(change);
    void change.finally(() => this.#changes.delete(change));
  }

  async #take(connection: Leader, { epoch, handOver, workerId, partitions }: TakePartitions): Promise<void> {
    const from = workerFolder(this.#options.folder, workerId);
    const refuse = (missing: boolean, message: string) =>
      connection.send({ type: 'partitions-refused', epoch, handOver, missing, message });
    try {
      if (!(await this.#isOwner())) return;
      for (const partition of partitions) {
        if (await transferPartition(from, this.#ownFolder, partition)) continue;
        refuse(true, `its partition of data set ${partition.datasetId} does not lie whole with ${workerId}`);
        return;
      }
      connection.send({ type: 'partitions-taken', epoch, handOver });
    } catch (error) {
      refuse(false, messageOf(error));
    }
  }

  /** Behind what was ordered before: one of the partitions may be on its way here. */
  async #release({ partitions }: ReleasePartitions, before: readonly Promise<void>[]): Promise<void> {
    await Promise.all(before);
    if (!(await this.#isOwner())) return;
    // What cannot be deleted now is released again when the next JobMaster, or the next service, asks what is here.
    await deletePartitions(this.#ownFolder, partitions).catch(() => {});
  }

  /** A service that was stopped, replaced and continued changes nothing any more. */
  async #isOwner(): Promise<boolean> {
    const { claim, serviceId, onReplaced } = this.#options;
    const latest = await latestGenerationNumber(workerClaims(this.#ownFolder));
    if (latest > claim) onReplaced(`another process has the folder of ${serviceId}`);
    return latest === claim;
  }

  async #settled(): Promise<void> {
    while (this.#changes.size > 0) await Promise.all(this.#changes);
  }
}
