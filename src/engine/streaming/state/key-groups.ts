// Key groups: the unit in which keyed state is divided among subtasks, and divided anew for another parallelism. A key
// belongs to one group for ever, a subtask owns a contiguous range of groups. The hash is part of the format of
// checkpoints (docs/streaming.md, "Key groups"): it must never change.
import { JobrecError } from '../../../model/errors.ts';
import type { Row } from '../../../model/streaming-plan.ts';

/** First and last key group, both inclusive; empty where the last lies before the first. */
export interface KeyGroupRange {
  readonly first: number;
  readonly last: number;
}

/**
 * The text by which a row's key is known: equal keys have equal texts, and `1`, `'1'` and `1n` are three keys.
 * Throws JOB_FAILED for a field that is missing, or is no text, number, bigint, boolean, Date or null.
 */
export function keyText(row: Row, fields: readonly string[]): string {
  const [first = ''] = fields;
  if (fields.length === 1) return fieldText(row, first);
  return fields.map((field) => fieldText(row, field)).join(',');
}

function fieldText(row: Row, field: string): string {
  const value = row[field];
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      if (Number.isNaN(value)) break;
      return Object.is(value, -0) ? '0' : String(value);
    case 'boolean':
      return String(value);
    case 'bigint':
      return `${value}n`;
    default:
      if (value === null) return 'null';
      if (value instanceof Date && !Number.isNaN(value.getTime())) return `d${value.getTime()}`;
  }
  const what = value === undefined ? `has no field ${field}` : `has no usable key in field ${field}`;
  throw new JobrecError('JOB_FAILED', `keyBy ${field}: a row ${what}`, { data: { field } });
}

/** The key's group: 32-bit FNV-1a over its UTF-16 units, finished as MurmurHash3 finishes, modulo `maxParallelism`. */
export function keyGroupOf(key: string, maxParallelism: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) {
    const unit = key.charCodeAt(index);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % maxParallelism;
}

/** The subtask that owns a key group, as Flink divides them. */
export function subtaskOfKeyGroup(keyGroup: number, maxParallelism: number, parallelism: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** The key groups of one subtask. */
export function keyGroupRangeOf(subtask: number, maxParallelism: number, parallelism: number): KeyGroupRange {
  const first = Math.ceil((subtask * maxParallelism) / parallelism);
  const last = Math.ceil(((subtask + 1) * maxParallelism) / parallelism) - 1;
  return { first, last };
}
