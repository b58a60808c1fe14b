// Which partitions and staged parts the JobMaster believes to lie whole on the workers' disks: what workers reported,
// plus what finished since, minus what could not be read or was given up. It answers as the recovery's Survivors.
import { partitionKey, type WorkerId } from '../../model/ids.ts';
import type { ProducedPartition, StagedPart } from '../../model/job-events.ts';
import type { Survivors } from '../../replay/recovery-plan.ts';
import { partitionNameOf } from '../partition-store/partition-path.ts';
import type { PartitionName, WholePartition } from '../protocol/messages.ts';
import { stagedPartKey } from '../sinks/sink-folders.ts';

/** One attempt's partition in one worker's folder. */
export interface HeldPartition extends PartitionName {
  readonly workerId: WorkerId;
}

export class PartitionTracker implements Survivors {
  /** Partition key → the copies that are there, by worker, attempt and epoch. */
  readonly #held = new Map<string, Map<string, HeldPartition>>();
  readonly #parts = new Set<string>();

  /** Replaces what is known of a worker by its report. */
  report(workerId: WorkerId, partitions: readonly WholePartition[]): void {
    this.forget(workerId);
    for (const partition of partitions) this.#add({ ...partitionNameOf(partition), workerId });
  }

  forget(workerId: WorkerId): void {
    this.drop(this.allCopies().filter((copy) => copy.workerId === workerId));
  }

  produced(
    workerId: WorkerId,
    execution: { readonly attempt: number; readonly epoch: number },
    partitions: readonly ProducedPartition[],
    parts: readonly StagedPart[],
  ): void {
    const { attempt, epoch } = execution;
    for (const { datasetId, partitionIndex } of partitions) {
      this.#add({ datasetId, partitionIndex, attempt, epoch, workerId });
    }
    for (const part of parts) this.#parts.add(stagedPartKey(part));
  }

  /** A consumer could not read it: no copy counts any more. */
  lost(datasetId: string, partitionIndex: number): void {
    this.#held.delete(partitionKey(datasetId, partitionIndex));
  }

  /** These copies are not there any more. */
  drop(copies: readonly HeldPartition[]): void {
    for (const copy of copies) {
      const key = partitionKey(copy.datasetId, copy.partitionIndex);
      const known = this.#held.get(key);
      known?.delete(copyKey(copy));
      if (known?.size === 0) this.#held.delete(key);
    }
  }

  /** All copies of a partition, whichever attempt made them. */
  copiesOf(partition: { readonly datasetId: string; readonly partitionIndex: number }): HeldPartition[] {
    return [...(this.#held.get(partitionKey(partition.datasetId, partition.partitionIndex))?.values() ?? [])];
  }

  allCopies(): HeldPartition[] {
    return [...this.#held.values()].flatMap((copies) => [...copies.values()]);
  }

  /** Replaces what is known of the staged parts, by their keys. */
  reportParts(parts: Iterable<string>): void {
    this.#parts.clear();
    for (const part of parts) this.#parts.add(part);
  }

  has(partition: Parameters<Survivors['has']>[0]): boolean {
    const copies = this.#held.get(partitionKey(partition.datasetId, partition.partitionIndex));
    return copies?.has(copyKey(partition)) ?? false;
  }

  partHas(part: Parameters<Survivors['partHas']>[0]): boolean {
    return this.#parts.has(stagedPartKey(part));
  }

  #add(copy: HeldPartition): void {
    const key = partitionKey(copy.datasetId, copy.partitionIndex);
    const copies = this.#held.get(key) ?? new Map<string, HeldPartition>();
    copies.set(copyKey(copy), copy);
    this.#held.set(key, copies);
  }
}

function copyKey(copy: Pick<Parameters<Survivors['has']>[0], 'workerId' | 'attempt' | 'epoch'>): string {
  return `${copy.workerId} ${copy.attempt} ${copy.epoch}`;
}
