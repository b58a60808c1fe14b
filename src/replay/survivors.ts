// Survivors from what a user or a JobMaster can say: a partition report, the workers that are back, the workers that are
// lost, or nothing at all. A survivor is exact: a report that names an attempt (or an epoch) vouches for that one only;
// one that does not means the recorded attempt.
import type { PartitionRef, WorkerId } from '../model/ids.ts';
import { partitionKey } from '../model/ids.ts';
import type { RecordedPartition, Survivors } from './recovery-plan.ts';

/** A partition that a worker reports to hold whole. */
export interface ReportedPartition extends PartitionRef {
  /** Epoch of the JobMaster that deployed the attempt; absent or null: the recorded one. */
  readonly epoch?: number | null;
}

/** What one worker reports. */
export interface WorkerReport {
  readonly workerId: WorkerId;
  readonly partitions: readonly ReportedPartition[];
}

type PartCheck = Survivors['partHas'];

const allParts: PartCheck = () => true;

/**
 * Exactly the reported partitions. Which worker reports one does not matter: partitions may be served by a shuffle
 * service, or by a worker that took a folder over. Staged sink parts lie in the sink's folder and not with the
 * workers: they count as there unless `partHas` says otherwise.
 */
export function survivorsFromReport(reports: Iterable<WorkerReport>, partHas: PartCheck = allParts): Survivors {
  const reported = new Map<string, ReportedPartition[]>();
  for (const { partitions } of reports) {
    for (const partition of partitions) {
      const key = partitionKey(partition.datasetId, partition.partitionIndex);
      const known = reported.get(key);
      if (known === undefined) reported.set(key, [partition]);
      else known.push(partition);
    }
  }
  return {
    has: (recorded) => {
      const candidates = reported.get(partitionKey(recorded.datasetId, recorded.partitionIndex)) ?? [];
      return candidates.some((candidate) => isSameAttempt(candidate, recorded));
    },
    partHas,
  };
}

/**
 * Exactly the reported partitions, each with the holder that the store places it on: what a JobMaster finds, since it
 * asks each holder for its own. A copy that lies elsewhere is nobody's.
 */
export function survivorsFromHolders(reports: Iterable<WorkerReport>, partHas: PartCheck = allParts): Survivors {
  const byHolder = new Map([...reports].map((report) => [report.workerId, survivorsFromReport([report], partHas)]));
  return {
    has: (recorded) => recorded.workerId !== null && (byHolder.get(recorded.workerId)?.has(recorded) ?? false),
    partHas,
  };
}

function isSameAttempt(reported: ReportedPartition, recorded: RecordedPartition): boolean {
  const sameAttempt = reported.attempt === null || reported.attempt === recorded.attempt;
  const epoch = reported.epoch ?? null;
  return sameAttempt && (epoch === null || recorded.epoch === null || epoch === recorded.epoch);
}

/** All that the store places on these workers, and nothing else. */
export function survivorsOnWorkers(workers: Iterable<WorkerId>, partHas: PartCheck = allParts): Survivors {
  const alive = new Set(workers);
  return { has: ({ workerId }) => workerId !== null && alive.has(workerId), partHas };
}

/** All that the store places elsewhere than on these workers. */
export function survivorsWithoutWorkers(lost: Iterable<WorkerId>, partHas: PartCheck = allParts): Survivors {
  const gone = new Set(lost);
  return { has: ({ workerId }) => workerId === null || !gone.has(workerId), partHas };
}

/** All that the store records: nothing was lost. */
export function allSurvive(partHas: PartCheck = allParts): Survivors {
  return { has: () => true, partHas };
}
