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
import { LeaderFollower } from '../protocol/leader-follower.ts';
import type { ShuffleServiceCommand, ToJobMaster } from '../protocol/messages.ts';
import { parseToShuffleService } from '../protocol/validate.ts';
import { workerClaims } from '../task-manager/worker-claim.ts';

type TakePartitions = Extract<ShuffleServiceCommand, { type: 'take-partitions' }>;
type ReleasePartitions = Extract<ShuffleServiceCommand, { type: 'release-partitions' }>;

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
  readonly #follower: LeaderFollower<ShuffleServiceCommand>;
  /** Changes of the folder that have begun. */
  readonly #changes = new Set<Promise<void>>();

  constructor(options: ShuffleServiceOptions) {
    this.#options = options;
    this.#ownFolder = shuffleServiceFolder(options.folder, options.serviceId);
    this.#follower = new LeaderFollower({
      masterFile: options.folder.masterFile,
      orphanTimeoutMs: options.orphanTimeoutMs,
      parse: parseToShuffleService,
      registration: (token) => this.#registration(token),
      obey: (command) => this.#obey(command),
      onLost: () => {},
      onEnd: options.onEnd,
    });
  }

  start(): void {
    this.#follower.start();
  }

  /** Resolves when no change of the folder is under way any more; takes no new commands. */
  async stop(): Promise<void> {
    this.#follower.stop();
    await this.#settled();
  }

  /** What an earlier master ordered is finished first: the report must not race with it. */
  async #registration(token: string): Promise<ToJobMaster> {
    await this.#settled();
    const { serviceId } = this.#options;
    const partitions = await reportPartitions(this.#ownFolder);
    // Transfers that were cut short, and what is damaged: nobody will ever read them.
    if (await this.#isOwner()) await deleteStale(this.#ownFolder, partitions);
    return { type: 'register-shuffle-service', token, serviceId, pid: process.pid, partitions };
  }

  #obey(command: ShuffleServiceCommand): void {
    switch (command.type) {
      case 'take-partitions':
        return this.#change(this.#take(command));
      case 'release-partitions':
        return this.#change(this.#release(command, [...this.#changes]));
    }
  }

  #change(change: Promise<void>): void {
    this.#changes.add(change);
    void change.finally(() => this.#changes.delete(change));
  }

  async #take({ epoch, handOver, workerId, partitions }: TakePartitions): Promise<void> {
    const from = workerFolder(this.#options.folder, workerId);
    const refuse = (missing: boolean, message: string) =>
      this.#follower.send({ type: 'partitions-refused', epoch, handOver, missing, message });
    try {
      if (!(await this.#isOwner())) return;
      for (const partition of partitions) {
        if (await transferPartition(from, this.#ownFolder, partition)) continue;
        refuse(true, `its partition of data set ${partition.datasetId} does not lie whole with ${workerId}`);
        return;
      }
      this.#follower.send({ type: 'partitions-taken', epoch, handOver });
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
