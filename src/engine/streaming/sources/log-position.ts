// A position in a log as it stands in checkpoints: the byte offset at which a reader goes on; of a bounded log
// `{offset, end}`. Spec: docs/streaming.md, "_metadata".
import type { SplitPosition } from './stream-source.ts';

export interface LogPosition {
  readonly offset: number;
  /** Where the split ends; null: never, or nobody has asked yet. */
  readonly end: number | null;
}

export function writeLogPosition(offset: number, end: number | null): SplitPosition {
  return end === null ? offset : { offset, end };
}

export function readLogPosition(position: SplitPosition): LogPosition {
  if (typeof position !== 'object') return { offset: Number(position), end: null };
  return { offset: Number(position.offset), end: Number(position.end) };
}

export function hasEnd(position: SplitPosition): boolean {
  return readLogPosition(position).end !== null;
}
