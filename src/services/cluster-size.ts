// How many processes a run has and what each may use, when the flags leave it open: this machine's share.
import { availableParallelism, totalmem } from 'node:os';
import type { ClusterSize } from '../engine/processes.ts';
import { JobrecError } from '../model/errors.ts';
import type { Options } from '../model/options.ts';

const defaultWorkersMax = 4;
/** Part of the machine's memory that the queries of all slots together may use. */
const memoryShare = 0.6;
const orphanTimeoutMs = 60_000;
/** Of all workers together, each a process or a query with its share of the memory: beyond, the shares are none. */
const slotsMax = 1024;

export interface SlotCount {
  readonly workers: number;
  /** Slots of each worker. */
  readonly slots: number;
  readonly total: number;
}

/** Throws INVALID_FLAG where that is more than one machine can divide itself into. */
export function defaultSlots(flags: { readonly workers: number | null; readonly slots: number | null }): SlotCount {
  const cores = availableParallelism();
  const workers = flags.workers ?? Math.min(cores, defaultWorkersMax);
  const slots = flags.slots ?? Math.max(1, Math.floor(cores / workers));
  const total = workers * slots;
  if (total <= slotsMax) return { workers, slots, total };
  throw new JobrecError(
    'INVALID_FLAG',
    `${workers} workers of ${slots} slots are ${total} slots; allowed: ${slotsMax}`,
    {
      data: { workers, slots, allowed: slotsMax },
      hint: 'lower --workers or --slots',
    },
  );
}

/** `slotsNeeded`: at the same time, by a streaming job. Throws INVALID_ARGUMENT where stated slots are too few. */
export function clusterSize(
  flags: { readonly workers: number | null; readonly slots: number | null },
  options: Options,
  slotsNeeded = 0,
): ClusterSize {
  const { workers, slots: usual } = defaultSlots(flags);
  const needed = Math.ceil(slotsNeeded / workers);
  if (flags.slots !== null && flags.slots < needed) throw tooFewSlots(workers * flags.slots, slotsNeeded, needed);
  const slots = Math.max(usual, needed);
  const total = workers * slots;
  const slotMemoryBytes =
    options.workerMemoryBytes === null ? (totalmem() * memoryShare) / total : options.workerMemoryBytes / slots;
  return { workers, slots, slotMemoryBytes: Math.floor(slotMemoryBytes), orphanTimeoutMs };
}

function tooFewSlots(slots: number, needed: number, perWorker: number): JobrecError {
  const message = `the tasks of a streaming job all run at once: it needs ${needed} slots, and there are ${slots}`;
  return new JobrecError('INVALID_ARGUMENT', message, {
    data: { slots, needed },
    hint: `--slots ${perWorker}, or leave it out`,
  });
}
