// The ShuffleMaster's state as bytes: which holder apart from the workers (the shuffle service) has which partitions.
// JSON, so that it can be read in a hex dump; partitions of one data set, attempt and epoch are runs of indices, so that
// a full snapshot grows with the runs and not with the partitions. Bad bytes are a value, never an exception, and what
// they claim is bounded before it is unfolded. Spec: docs/adr/0008-shuffle-service.md.
import type { IntermediateDataSetId, WorkerId } from './ids.ts';

/** The id of the job's shuffle service: the name of its folder, and its name wherever workers are named. */
export const shuffleServiceId: WorkerId = 'shuffle-service';

/** One partition and who has it. */
export interface PartitionPlacement {
  readonly holderId: WorkerId;
  readonly datasetId: IntermediateDataSetId;
  readonly partitionIndex: number;
  readonly attempt: number;
  /** Epoch of the JobMaster that deployed the attempt. */
  readonly epoch: number;
}

/** `opaque`: not written by this program (another engine's state). */
export type DecodedPlacements = readonly PartitionPlacement[] | 'opaque' | 'invalid';

const format = 1;
/** Of one snapshot: a job of 128 data sets with the highest parallelism. */
const placementsMax = 128 * 32_768;
const partitionIndexMax = 32_767;

/** First index and length of each run, flat. */
type Runs = number[];
type Group = readonly [holderId: WorkerId, datasetId: IntermediateDataSetId, attempt: number, epoch: number, Runs];

export function encodePlacements(placements: Iterable<PartitionPlacement>): Uint8Array {
  const groups = new Map<string, { readonly head: PartitionPlacement; readonly indices: number[] }>();
  for (const placement of placements) {
    const { holderId, datasetId, attempt, epoch, partitionIndex } = placement;
    const key = `${holderId} ${datasetId} ${attempt} ${epoch}`;
    const group = groups.get(key);
    if (group) group.indices.push(partitionIndex);
    else groups.set(key, { head: placement, indices: [partitionIndex] });
  }
  const cells = [...groups.values()].map(({ head, indices }): Group => {
    const { holderId, datasetId, attempt, epoch } = head;
    return [holderId, datasetId, attempt, epoch, runsOf(indices)];
  });
  return new TextEncoder().encode(JSON.stringify({ shuffleMaster: format, held: cells }));
}

function runsOf(indices: readonly number[]): Runs {
  const runs: Runs = [];
  for (const index of [...new Set(indices)].sort((a, b) => a - b)) {
    const length = runs.at(-1) ?? 0;
    const first = runs.at(-2) ?? 0;
    if (runs.length > 0 && first + length === index) runs[runs.length - 1] = length + 1;
    else runs.push(index, 1);
  }
  return runs;
}

export function decodePlacements(state: Uint8Array): DecodedPlacements {
  if (state[0] !== 0x7b) return 'opaque';
  const groups = groupsIn(state);
  if (groups === null || !groups.every(isGroup)) return 'invalid';
  const total = groups.reduce((sum, group) => sum + partitionsIn(group[4]), 0);
  return total > placementsMax ? 'invalid' : groups.flatMap(placementsOf);
}

function groupsIn(state: Uint8Array): unknown[] | null {
  try {
    const { shuffleMaster, held } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(state));
    return shuffleMaster === format && Array.isArray(held) ? held : null;
  } catch {
    return null;
  }
}

function isGroup(value: unknown): value is Group {
  if (!Array.isArray(value) || value.length !== 5) return false;
  const [holderId, datasetId, attempt, epoch, runs] = value as unknown[];
  return isText(holderId) && isText(datasetId) && isCount(attempt) && isCount(epoch) && isRuns(runs);
}

function isRuns(value: unknown): value is Runs {
  if (!Array.isArray(value) || value.length % 2 !== 0 || !value.every(isCount)) return false;
  return value.every(
    (number, at) => at % 2 === 0 || (number > 0 && Number(value[at - 1]) + number - 1 <= partitionIndexMax),
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function partitionsIn(runs: Runs): number {
  return runs.reduce((sum, number, at) => (at % 2 === 0 ? sum : sum + number), 0);
}

function placementsOf([holderId, datasetId, attempt, epoch, runs]: Group): PartitionPlacement[] {
  const placements: PartitionPlacement[] = [];
  for (let at = 0; at < runs.length; at += 2) {
    const first = runs[at] ?? 0;
    for (let index = first; index < first + (runs[at + 1] ?? 0); index += 1) {
      placements.push({ holderId, datasetId, partitionIndex: index, attempt, epoch });
    }
  }
  return placements;
}
