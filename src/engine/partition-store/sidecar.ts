// The sidecar of a partition's data file: what is in it, its length and checksum, and a checksum of the sidecar itself.
// A partition exists if and only if its sidecar does and says what the data file is. Bad bytes give null: a partition
// that is not whole is absent (invariant 7), whatever is wrong with it. Spec: docs/adr/0004-partition-files.md.
import { crc32 } from 'node:zlib';
import * as v from 'valibot';

export const sidecarFormat = 1;
/** A longer sidecar is not ours: some 60 bytes a subpartition and 100 a column. */
export const sidecarBytesMax = 16 * 1024 * 1024;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const partitionSchema = v.strictObject({
  jobId: v.string(),
  datasetId: v.string(),
  partitionIndex: count,
  attempt: count,
  epoch: count,
  /** Length of the data file. */
  bytes: count,
  /** CRC-32 of the data file. */
  crc32: count,
  rows: count,
  subpartitionRows: v.array(count),
  /** Exact DuckDB types; null: a map function yielded no rows, so nobody knows its columns. */
  columns: v.nullable(v.array(v.strictObject({ name: v.string(), type: v.string() }))),
});
const sidecarSchema = v.strictObject({
  format: v.literal(sidecarFormat),
  checksum: count,
  partition: partitionSchema,
});

export type PartitionDescription = v.InferOutput<typeof partitionSchema>;

export function encodeSidecar(partition: PartitionDescription): string {
  const ordered = v.parse(partitionSchema, partition);
  return `${JSON.stringify({ format: sidecarFormat, checksum: checksumOf(ordered), partition: ordered })}\n`;
}

/** What the sidecar says; null unless every byte of it is as it was written. */
export function decodeSidecar(text: string): PartitionDescription | null {
  const parsed = v.safeParse(sidecarSchema, parseJson(text));
  if (!parsed.success || parsed.output.checksum !== checksumOf(parsed.output.partition)) return null;
  return encodeSidecar(parsed.output.partition) === text ? parsed.output.partition : null;
}

function checksumOf(partition: PartitionDescription): number {
  return crc32(JSON.stringify(partition));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
