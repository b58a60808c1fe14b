// The ShuffleMaster of a job with a shuffle service, in the JobMaster: hands finished partitions over to the service, says
// what its snapshots record, and has deleted what is given up. A finish is recorded only behind the service's answer, in
// one batch with the increment that places its partitions. Spec: docs/adr/0008-shuffle-service.md.
import { partitionKey, type WorkerId } from '../../model/ids.ts';
import type { JobEvent, ProducedPartition } from '../../model/job-events.ts';
import { encodePlacements, type PartitionPlacement } from '../../model/shuffle-placements.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { isProduced } from '../../replay/partition-holder.ts';
import type { ExecutionRef, PartitionName, ToJobMaster, ToShuffleService } from '../protocol/messages.ts';

export interface ShuffleMasterOptions {
  readonly serviceId: WorkerId;
  readonly epoch: number;
  readonly graph: ExecutionGraph;
  /** Records an event; resolves when it is on disk. */
  readonly record: (event: JobEvent) => Promise<void>;
  /** Says something to the service; nothing where it is away. */
  readonly send: (message: ToShuffleService) => void;
  /** A full snapshot is on disk: what no record names can be deleted. */
  readonly onSettled: () => void;
}

export interface HandOverListener {
  taken(): void;
  /** `missing`: it does not lie whole with its worker any more. */
  refused(missing: boolean, message: string): void;
}

interface HandOver {
  readonly workerId: WorkerId;
  readonly execution: ExecutionRef;
  readonly partitions: readonly PartitionName[];
  readonly listener: HandOverListener;
}

type Answer = Extract<ToJobMaster, { type: 'partitions-taken' | 'partitions-refused' }>;

export class ShuffleMaster {
  readonly serviceId: WorkerId;
  readonly #options: ShuffleMasterOptions;
  readonly #handOvers = new Map<number, HandOver>();
  #lastHandOver = 0;

  constructor(options: ShuffleMasterOptions) {
    this.#options = options;
    this.serviceId = options.serviceId;
  }

  /** Asks the service to take what an attempt has written. While the service is away, the next one is asked. */
  handOver(
    workerId: WorkerId,
    execution: ExecutionRef,
    produced: readonly ProducedPartition[],
    listener: HandOverListener,
  ): void {
    const partitions = produced.map((partition) => this.#nameOf(execution, partition));
    this.#lastHandOver += 1;
    this.#handOvers.set(this.#lastHandOver, { workerId, execution, partitions, listener });
    this.#ask(this.#lastHandOver);
  }

  /** Gives up the hand-overs of these attempts, and says which they were. */
  cancel(isCanceled: (execution: ExecutionRef) => boolean): { execution: ExecutionRef; workerId: WorkerId }[] {
    const canceled = [...this.#handOvers].filter(([, { execution }]) => isCanceled(execution));
    for (const [id] of canceled) this.#giveUp(id);
    return canceled.map(([, { execution, workerId }]) => ({ execution, workerId }));
  }

  answered(answer: Answer): void {
    const { handOver: id, epoch } = answer;
    const handOver = this.#handOvers.get(id);
    if (handOver === undefined || epoch !== this.#options.epoch) return;
    if (answer.type === 'partitions-refused') {
      this.#giveUp(id);
      return handOver.listener.refused(answer.missing, answer.message);
    }
    this.#handOvers.delete(id);
    handOver.listener.taken();
  }

  /** A service has registered: it is asked for what is still to be taken. */
  registered(): void {
    for (const id of this.#handOvers.keys()) this.#ask(id);
  }

  /** To be recorded in front of the finish: where its partitions are. */
  increments(execution: ExecutionRef, produced: readonly ProducedPartition[]): JobEvent[] {
    const placements = produced.map((partition) => this.#placement(this.#nameOf(execution, partition)));
    if (placements.length === 0) return [];
    return [{ type: 'shuffle-master-snapshot', incremental: true, state: encodePlacements(placements) }];
  }

  /** Whether a partition is on its way to the service, and its finish about to be recorded. */
  isHandingOver(partition: PartitionName): boolean {
    const asked = [...this.#handOvers.values()].flatMap((handOver) => handOver.partitions);
    return asked.some((each) => nameKey(each) === nameKey(partition));
  }

  /** Records the whole state in the place of all increments; `onSettled` is called when that is on disk. */
  settle(): void {
    const { graph, onSettled } = this.#options;
    const placed = graph.shuffleMaster?.placements.values() ?? [];
    const placements = [...placed].filter((partition) => isProduced(graph, partition));
    const event: JobEvent = {
      type: 'shuffle-master-snapshot',
      incremental: false,
      state: encodePlacements(placements),
    };
    // A refused event ends this JobMaster: nothing follows it.
    void this.#options.record(event).then(onSettled, () => {});
  }

  /** Has partitions deleted. A service that is away deletes them when it comes back and reports them. */
  release(partitions: readonly PartitionName[]): void {
    if (partitions.length === 0) return;
    this.#options.send({ type: 'release-partitions', epoch: this.#options.epoch, partitions });
  }

  #giveUp(id: number): void {
    const handOver = this.#handOvers.get(id);
    this.#handOvers.delete(id);
    // The service takes in order: what it has taken already is deleted behind that.
    if (handOver) this.release(handOver.partitions);
  }

  #ask(id: number): void {
    const handOver = this.#handOvers.get(id);
    if (handOver === undefined) return;
    const { workerId, partitions } = handOver;
    this.#options.send({
      type: 'take-partitions',
      epoch: this.#options.epoch,
      handOver: id,
      workerId,
      partitions,
    });
  }

  #nameOf(execution: ExecutionRef, { datasetId, partitionIndex }: ProducedPartition): PartitionName {
    return { datasetId, partitionIndex, attempt: execution.attempt, epoch: this.#options.epoch };
  }

  #placement({ datasetId, partitionIndex, attempt, epoch }: PartitionName): PartitionPlacement {
    return { holderId: this.serviceId, datasetId, partitionIndex, attempt, epoch };
  }
}

function nameKey({ datasetId, partitionIndex, attempt, epoch }: PartitionName): string {
  return `${partitionKey(datasetId, partitionIndex)}@${attempt} ${epoch}`;
}
