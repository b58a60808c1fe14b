// Times of the log as the reports show them, and positions (`--from`, `--until`) in terms of one store's records.
// Spec: cli-contract "A position".
import { JobrecError } from '../model/errors.ts';
import type { JobLog, LogRecord, LogSnapshot } from '../model/job-log.ts';
import { type Bound, parsePosition, resolvePosition } from '../replay/bound.ts';
import { formatTime } from '../replay/time-text.ts';
import type { OpenedStore } from './store-input.ts';

/** `2026-05-04T10:20:30.123456Z`; null for null. */
export function isoTime(timeMicros: number | null): string | null {
  return timeMicros === null ? null : formatTime(timeMicros);
}

/** The last record that `--until` takes in; undefined without one. Errors: POSITION_INVALID. */
export async function boundOf(store: OpenedStore, until: string | null): Promise<Bound | undefined> {
  if (until === null) return undefined;
  const { names, retired } = store;
  const first = retired === null ? undefined : retired;
  return resolvePosition(parsePosition(until), store.log.records(first), { names, retired });
}

/** Whether a record lies at or behind `--from`. Errors: POSITION_INVALID. */
export type IsFrom = (record: LogRecord) => boolean;

/**
 * A time, or a duration before the last event, may lie before the first event: then all records are taken, which is
 * what `--from -10m` means for a job of two minutes.
 */
export async function fromFilter({ log, names, retired }: OpenedStore, from: string | null): Promise<IsFrom> {
  if (from === null) return () => true;
  const position = parsePosition(from);
  switch (position.kind) {
    case 'time':
      await lastTimeMicros(log, from, retired);
      return atOrAfter(position.timeMicros);
    case 'before-last':
      return atOrAfter((await lastTimeMicros(log, from, retired)) - position.durationMicros);
    case 'sequence':
    case 'finished':
    case 'initialized': {
      const { sequence } = await resolvePosition(position, log.records(), { names, retired });
      return (record) => record.sequence >= sequence;
    }
  }
}

function atOrAfter(limitMicros: number): IsFrom {
  return ({ timeMicros }) => timeMicros !== null && timeMicros >= limitMicros;
}

async function lastTimeMicros(log: JobLog, text: string, retired: LogSnapshot | null): Promise<number> {
  let last: number | null = retired?.timeMicros ?? null;
  for await (const { timeMicros } of log.records()) last = timeMicros ?? last;
  if (last !== null) return last;
  const message = `position ${text}: this store records no times; give a sequence number or an event`;
  throw new JobrecError('POSITION_INVALID', message, { data: { position: text } });
}
