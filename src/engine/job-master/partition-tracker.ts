// Which partitions and staged parts the JobMaster believes to lie whole on the workers' disks: what workers reported,
// plus what finished since, minus what could not be read. It answers as the recovery's Survivors.
import { partitionKey } from '../../model/ids.ts';
import type { ProducedPartition, StagedPart } from '../../model/job-events.ts';
import type { Survivors } from '../../replay/recovery-plan.ts';
import type { WholePartition } from '../protocol/messages.ts';
import { stagedPartKey } from '../sinks/sink-folders.ts';

export class PartitionTracker implements Survivors {
  /** Partition key → attempts that are there, as `<worker> <attempt> <epoch>`. */
  readonly #held = new Map<string, Set<string>>();
  readonly #parts = new Set<string>();

  /** Replaces what is known of a worker by its report. */
  report(workerId: string, partitions: readonly WholePartition[]): void {
    this.forget(workerId);
    for (const partition of partitions) this.#add(workerId, partition);
  }

  forget(workerId: string): void {
    for (const copies of this.#held.values()) {
      for (const copy of copies) if (copy.startsWith(`${workerId} `)) copies.delete(copy);
    }
  }

  produced(
    workerId: string,
    execution: { readonly attempt: number; readonly epoch: number },
    partitions: readonly ProducedPartition[],
    parts: readonly StagedPart[],
  ): void {
    for (const partition of partitions) this.#add(workerId, { ...partition, ...execution });
    for (const part of parts) this.#parts.add(stagedPartKey(part));
  }

  /** A consumer could not read it: no copy counts any more. */
  lost(datasetId: string, partitionIndex: number): void {
    this.#held.delete(partitionKey(datasetId, partitionIndex));
  }

  /** Replaces what is known of the staged parts, by their keys. */
  reportParts(parts: Iterable<string>): void {
    this.#parts.clear();
    for (const part of parts) this.#parts.add(part);
  }

  has(partition: Parameters<Survivors['has']>[0]): boolean {
    const copies = this.#held.get(partitionKey(partition.datasetId, partition.partitionIndex));
    return copies?.has(`${partition.workerId} ${partition.attempt} ${partition.epoch}`) ?? false;
  }

  partHas(part: Parameters<Survivors['partHas']>[0]): boolean {
    return this.#parts.has(stagedPartKey(part));
  }

  #add(workerId: string, partition: Omit<WholePartition, 'bytes'>): void {
    const key = partitionKey(partition.datasetId, partition.partitionIndex);
    const copies = this.#held.get(key) ?? new Set<string>();
    copies.add(`${workerId} ${partition.attempt} ${partition.epoch}`);
    this.#held.set(key, copies);
  }
}
