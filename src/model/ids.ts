// Identifiers: 32 hexadecimal digits for jobs, vertices and data sets (as Flink prints its AbstractIDs), and the
// textual partition id of the contract. Vertex and data set ids are derived from names, so that the same job file
// has the same ids in every run.
import { createHash, randomBytes } from 'node:crypto';

export type JobId = string;
export type JobVertexId = string;
export type IntermediateDataSetId = string;
/** The TaskManager's id, kept in its folder, so that it outlives the process. */
export type WorkerId = string;

export function newJobId(): JobId {
  return randomBytes(16).toString('hex');
}

/** A stable id of 32 hex digits derived from `parts`. */
export function derivedId(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** One producer subtask's share of a data set. */
export interface PartitionRef {
  readonly datasetId: IntermediateDataSetId;
  /** The producer's subtask index, 0-based. */
  readonly partitionIndex: number;
  /** The attempt that produced it; null where it is not known ("the recorded one"). */
  readonly attempt: number | null;
}

/** `<datasetId>#<partitionIndex>`, without the attempt: the key of maps and sets. */
export function partitionKey(datasetId: IntermediateDataSetId, partitionIndex: number): string {
  return `${datasetId}#${partitionIndex}`;
}

/** The contract's `<partitionId>`: `<datasetId>#<partitionIndex>`, then `@<attempt>` where it is known. */
export function formatPartitionId(ref: PartitionRef): string {
  const key = partitionKey(ref.datasetId, ref.partitionIndex);
  return ref.attempt === null ? key : `${key}@${ref.attempt}`;
}

/** Parses a `<partitionId>`; null where the text is not one. */
export function parsePartitionId(text: string): PartitionRef | null {
  const match = /^([0-9a-f]{32})#(\d{1,9})(?:@(\d{1,9}))?$/.exec(text);
  if (!match) return null;
  const [, datasetId = '', index = '', attempt] = match;
  return { datasetId, partitionIndex: Number(index), attempt: attempt === undefined ? null : Number(attempt) };
}
