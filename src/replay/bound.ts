// Positions of the contract ("A position"): what `--until` and `--from` take, parsed, and resolved against a log to the
// sequence number of one event. Inclusive: the state right after it.
import { JobrecError } from '../model/errors.ts';
import type { LogRecord } from '../model/job-log.ts';
import type { EventPosition, VertexNames } from './event-position.ts';
import { findEvent } from './event-position.ts';
import { formatTime, parseTimeMicros } from './time-text.ts';

/** A resolved position: the last event that counts. */
export interface Bound {
  readonly sequence: number;
}

export type Position =
  | { readonly kind: 'sequence'; readonly sequence: number; readonly text: string }
  | { readonly kind: 'time'; readonly timeMicros: number; readonly text: string }
  | { readonly kind: 'before-last'; readonly durationMicros: number; readonly text: string }
  | EventPosition;

const allowed =
  'a position is a sequence number (1234), an ISO-8601 time (2026-01-31T12:00:00Z), a duration before the last event ' +
  '(-10m), finished:<vertex>#<subtask> or initialized:<vertex>';

const microsByUnit: Readonly<Record<string, number>> = {
  ms: 1e3,
  s: 1e6,
  m: 60e6,
  min: 60e6,
  h: 3_600e6,
  d: 86_400e6,
};

/** Parses a position. Errors: POSITION_INVALID, saying what is allowed. */
export function parsePosition(text: string): Position {
  const trimmed = text.trim();
  const position = parseSequence(trimmed) ?? parseDuration(trimmed) ?? parseEvent(trimmed) ?? parseTime(trimmed);
  if (position !== null) return position;
  throw new JobrecError('POSITION_INVALID', `"${text}" is not a position; ${allowed}`, { data: { position: text } });
}

function parseSequence(text: string): Position | null {
  if (!/^\d+$/.test(text)) return null;
  return { kind: 'sequence', sequence: Number(text), text };
}

function parseDuration(text: string): Position | null {
  const match = /^-\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/.exec(text);
  if (match === null) return null;
  const [, amount = '', unit = ''] = match;
  return { kind: 'before-last', durationMicros: Math.round(Number(amount) * (microsByUnit[unit] ?? 0)), text };
}

function parseEvent(text: string): Position | null {
  const finished = /^finished:(.+)#(\d{1,9})$/s.exec(text);
  if (finished !== null) {
    return { kind: 'finished', vertex: finished[1] ?? '', subtask: Number(finished[2]), text };
  }
  const initialized = /^initialized:(.+)$/s.exec(text);
  return initialized === null ? null : { kind: 'initialized', vertex: initialized[1] ?? '', text };
}

function parseTime(text: string): Position | null {
  const timeMicros = parseTimeMicros(text);
  return timeMicros === null ? null : { kind: 'time', timeMicros, text };
}

/** The state from which a log goes on whose events before were retired: the earliest that can still be asked for. */
export interface RetiredUpTo {
  readonly sequence: number;
  readonly timeMicros: number;
}

/** What is known of a log beside its records. */
export interface PositionContext {
  /** Of vertices whose names the log does not hold. */
  readonly names?: VertexNames;
  readonly retired?: RetiredUpTo | null;
}

/**
 * The event that a position means in this log, by one pass over `records`. Errors: POSITION_INVALID where there is no
 * such event, with what there is.
 */
export async function resolvePosition(
  position: Position,
  records: AsyncIterable<LogRecord>,
  { names, retired = null }: PositionContext = {},
): Promise<Bound> {
  switch (position.kind) {
    case 'sequence':
      return resolveSequence(position, records, retired);
    case 'time':
      return resolveTime(position.text, () => position.timeMicros, records, retired);
    case 'before-last':
      return resolveTime(position.text, (lastMicros) => lastMicros - position.durationMicros, records, retired);
    case 'finished':
    case 'initialized':
      return resolveEvent(position, records, names, retired);
  }
}

async function resolveEvent(
  position: EventPosition,
  records: AsyncIterable<LogRecord>,
  names: VertexNames | undefined,
  retired: RetiredUpTo | null,
): Promise<Bound> {
  try {
    return await findEvent(position, records, names);
  } catch (error) {
    if (retired === null || !(error instanceof JobrecError)) throw error;
    const message = `${error.message}, in what is left of the log; the events up to sequence ${retired.sequence} were retired`;
    throw new JobrecError('POSITION_INVALID', message, { data: { ...error.data, retiredUpTo: retired.sequence } });
  }
}

function beforeRetired(text: string, { sequence }: RetiredUpTo): JobrecError {
  const message = `position ${text} lies before the snapshot at sequence ${sequence}: the events up to there were retired, and what they did step by step is gone`;
  return new JobrecError('POSITION_INVALID', message, { data: { position: text, retiredUpTo: sequence } });
}

async function resolveSequence(
  position: Extract<Position, { kind: 'sequence' }>,
  records: AsyncIterable<LogRecord>,
  retired: RetiredUpTo | null,
): Promise<Bound> {
  if (retired !== null && position.sequence < retired.sequence) throw beforeRetired(position.text, retired);
  let first: number | null = retired?.sequence ?? null;
  let last: number | null = first;
  if (position.sequence === retired?.sequence) return { sequence: retired.sequence };
  for await (const { sequence } of records) {
    first ??= sequence;
    last = sequence;
    if (sequence >= position.sequence) break;
  }
  if (first === null || last === null) throw noEvents(position.text);
  if (last === position.sequence) return { sequence: last };
  const message =
    position.sequence < first
      ? `position ${position.text} lies before the first event that the store still holds (sequence ${first})`
      : last > position.sequence
        ? `the store holds no event with sequence ${position.text}; the next one is ${last}`
        : `position ${position.text} lies beyond the last event (sequence ${last})`;
  throw new JobrecError('POSITION_INVALID', message, { data: { position: position.text, first, last } });
}

/** The last event at or before a time, which may depend on the last event's. */
async function resolveTime(
  text: string,
  limitOf: (lastMicros: number) => number,
  records: AsyncIterable<LogRecord>,
  retired: RetiredUpTo | null,
): Promise<Bound> {
  const sequences: number[] = retired === null ? [] : [retired.sequence];
  const times: number[] = retired === null ? [] : [retired.timeMicros];
  let untimed = 0;
  for await (const { sequence, timeMicros } of records) {
    if (timeMicros === null) untimed += 1;
    else times.push(timeMicros);
    if (timeMicros !== null) sequences.push(sequence);
  }
  const lastMicros = times.at(-1);
  if (lastMicros === undefined) throw untimed === 0 ? noEvents(text) : noTimes(text);
  const limit = limitOf(lastMicros);
  const found = sequences[times.findLastIndex((timeMicros) => timeMicros <= limit)];
  if (found === undefined && retired !== null) throw beforeRetired(text, retired);
  if (found === undefined) throw beforeFirst(text, times[0] ?? lastMicros, lastMicros);
  return { sequence: found };
}

function noEvents(text: string): JobrecError {
  return new JobrecError('POSITION_INVALID', `position ${text}: the store holds no events`, {
    data: { position: text },
  });
}

function noTimes(text: string): JobrecError {
  const message = `position ${text}: this store records no times; give a sequence number or an event`;
  return new JobrecError('POSITION_INVALID', message, { data: { position: text } });
}

function beforeFirst(text: string, firstMicros: number, lastMicros: number): JobrecError {
  const [first, last] = [formatTime(firstMicros), formatTime(lastMicros)];
  const message = `position ${text} lies before the first event; the store's events are from ${first} to ${last}`;
  return new JobrecError('POSITION_INVALID', message, { data: { position: text, first, last } });
}
