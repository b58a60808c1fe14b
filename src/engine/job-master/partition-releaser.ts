// Gives partitions up once nobody needs them: recorded first, deleted only when the record is acknowledged, so that no
// crash in between leaves the record believing in what is gone. What a crash left undeleted goes when its worker reports
// it again. Only exact attempts are named, so a partition that is produced anew is never hit. Doc: docs/recovery.md "Partitions".
import { messageOf } from '../../model/errors.ts';
import type { WorkerId } from '../../model/ids.ts';
import { decide } from '../../replay/decision-table.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { isProducedBy } from '../../replay/partition-holder.ts';
import { releasableAfter } from '../../replay/partition-release.ts';
import { recordedTopology, type Topology } from '../../replay/topology.ts';
import { type JobFolder, workerFolder } from '../../store/job-folder.ts';
import { deletePartitions } from '../partition-store/partition-deletion.ts';
import { partitionNameOf } from '../partition-store/partition-path.ts';
import type { PartitionName } from '../protocol/messages.ts';
import { heldPartitionCases } from '../shuffle-service/held-partition-cases.ts';
import type { ShuffleMaster } from '../shuffle-service/shuffle-master.ts';
import type { EventRecorder } from './event-recorder.ts';
import type { HeldPartition, PartitionTracker } from './partition-tracker.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Of one message: far below the protocol's limit. */
const partitionsPerMessageMax = 10_000;

export interface PartitionReleaserOptions {
  readonly folder: JobFolder;
  readonly epoch: number;
  readonly recorder: Pick<EventRecorder, 'graph' | 'record'>;
  readonly pool: Pick<WorkerPool, 'workers'>;
  readonly tracker: PartitionTracker;
  /** null: partitions stay with the workers. */
  readonly shuffle: ShuffleMaster | null;
  /** Whether this run starts that worker; the folders of others belong to nobody. */
  readonly isConfigured: (workerId: WorkerId) => boolean;
  /** Records what must be recorded first: nothing is given up that rests on a finish that a recovery would drop. */
  readonly beforeRelease: () => void;
  readonly onNotice: (message: string) => void;
}

export class PartitionReleaser {
  readonly #options: PartitionReleaserOptions;
  readonly #topology: Topology;

  constructor(options: PartitionReleaserOptions) {
    this.#options = options;
    this.#topology = recordedTopology(options.recorder.graph);
  }

  /** Gives up what the task was the last to read. */
  taskFinished(vertexId: string, subtask: number): void {
    const { recorder, tracker } = this.#options;
    const partitions = releasableAfter(recorder.graph, this.#topology, vertexId, subtask);
    if (partitions.length === 0) return;
    this.#options.beforeRelease();
    const copies = partitions.flatMap((partition) => tracker.copiesOf(partition));
    void recorder.record({ type: 'partitions-released', partitions }).then(
      () => this.#delete(copies),
      // The store took no more: nothing was given up, and nothing is deleted.
      () => {},
    );
  }

  /** Deletes what is held and what no finished task vouches for: given up before, or of an attempt that never counted. */
  deleteUnwanted(workerId?: WorkerId): void {
    const { recorder, tracker } = this.#options;
    const unwanted = tracker
      .allCopies()
      .filter(
        (copy) => (workerId === undefined || copy.workerId === workerId) && this.#isUnwanted(recorder.graph, copy),
      );
    this.#delete(unwanted);
  }

  #isUnwanted(graph: ExecutionGraph, copy: HeldPartition): boolean {
    const decision = decide(heldPartitionCases, {
      recorded: isProducedBy(graph, copy, copy.workerId),
      handingOver: this.#options.shuffle?.isHandingOver(copy) ?? false,
    });
    return decision === 'release';
  }

  #delete(copies: readonly HeldPartition[]): void {
    this.#options.tracker.drop(copies);
    for (const workerId of new Set(copies.map((copy) => copy.workerId))) {
      const held = copies.filter((copy) => copy.workerId === workerId);
      for (let at = 0; at < held.length; at += partitionsPerMessageMax) {
        this.#deleteOn(workerId, held.slice(at, at + partitionsPerMessageMax).map(partitionNameOf));
      }
    }
  }

  /** A worker that is away deletes them when it comes back and reports them. */
  #deleteOn(workerId: WorkerId, partitions: readonly PartitionName[]): void {
    const { pool, epoch, folder, shuffle, isConfigured } = this.#options;
    if (workerId === shuffle?.serviceId) return shuffle.release(partitions);
    const worker = pool.workers.get(workerId);
    if (worker) worker.connection.send({ type: 'release-partitions', epoch, partitions });
    if (worker || isConfigured(workerId)) return;
    void deletePartitions(workerFolder(folder, workerId), partitions).catch((error) => {
      this.#options.onNotice(`cannot delete released partitions of ${workerId}: ${messageOf(error)}`);
    });
  }
}
