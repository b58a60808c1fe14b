// What a repair does to each file of a Flink store: from "these first events stay" to "this file keeps so many bytes, that
// one goes". The numbers of kept files never change, so that Flink finds them without a gap. Pure.
// Spec: docs/flink.md "Repair".
import type { SegmentInfo } from '../../model/job-log.ts';

/** Where the kept events end; null: no event stays. */
export interface KeptEnd {
  readonly segment: string;
  /** Bytes of that file that stay. */
  readonly bytes: number;
  /** Whether everything that can be read stays, and nothing that cannot be read lies behind it. */
  readonly isWhole: boolean;
}

export interface FileRepair {
  readonly name: string;
  readonly size: number;
  /** Whole frames from the start that stay; null: the file goes. Equal to `size`: it is left alone. */
  readonly keptBytes: number | null;
}

/** `segments` are all files of the store in Flink's order, those behind a gap last. */
export function planFileRepairs(segments: readonly SegmentInfo[], end: KeptEnd | null): FileRepair[] {
  if (end === null) return segments.map(({ name, bytes }) => ({ name, size: bytes, keptBytes: null }));
  const last = segments.findIndex(({ name }) => name === end.segment);
  const isLastWritten = (index: number) => end.isWhole && index === segments.length - 1;
  const olderIsTorn = segments.some(({ tornBytes }, index) => tornBytes > 0 && !isLastWritten(index));
  return segments.map(({ name, bytes, tornBytes }, index) => {
    const whole = { name, size: bytes, keptBytes: bytes - tornBytes };
    // A torn tail of the last file is what every crash leaves, and Flink reads it rightly.
    if (isLastWritten(index) && !olderIsTorn) return { ...whole, keptBytes: bytes };
    if (index < last || end.isWhole) return whole;
    return { name, size: bytes, keptBytes: index === last ? end.bytes : null };
  });
}

export function isChanged({ size, keptBytes }: FileRepair): boolean {
  return keptBytes !== size;
}
