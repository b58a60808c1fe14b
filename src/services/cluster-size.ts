// How many processes a run has and what each may use, when the flags leave it open: this machine's share.
import { availableParallelism, totalmem } from 'node:os';
import type { ClusterSize } from '../engine/processes.ts';
import type { Options } from '../model/options.ts';

const defaultWorkersMax = 4;
/** Part of the machine's memory that the queries of all slots together may use. */
const memoryShare = 0.6;
const orphanTimeoutMs = 60_000;

export interface SlotCount {
  readonly workers: number;
  /** Slots of each worker. */
  readonly slots: number;
  readonly total: number;
}

export function defaultSlots(flags: { readonly workers: number | null; readonly slots: number | null }): SlotCount {
  const cores = availableParallelism();
  const workers = flags.workers ?? Math.min(cores, defaultWorkersMax);
  const slots = flags.slots ?? Math.max(1, Math.floor(cores / workers));
  return { workers, slots, total: workers * slots };
}

export function clusterSize(
  flags: { readonly workers: number | null; readonly slots: number | null },
  options: Options,
): ClusterSize {
  const { workers, slots, total } = defaultSlots(flags);
  const slotMemoryBytes =
    options.workerMemoryBytes === null ? (totalmem() * memoryShare) / total : options.workerMemoryBytes / slots;
  return { workers, slots, slotMemoryBytes: Math.floor(slotMemoryBytes), orphanTimeoutMs };
}
