// The event time in a row's field: a number or bigint of milliseconds, a Date, or an ISO-8601 text.
import { JobrecError } from '../../../model/errors.ts';
import type { Row } from '../../../model/streaming-plan.ts';

/** Milliseconds. Throws JOB_FAILED for a field that holds no time. */
export function eventTimeOf(row: Row, field: string): number {
  const time = millisecondsOf(row[field]);
  if (time !== null) return time;
  const given = row[field] === undefined ? 'is missing' : `is ${JSON.stringify(String(row[field]))}`;
  throw new JobrecError('JOB_FAILED', `the time field ${field} of a row ${given}`, {
    data: { field },
    hint: 'a time is a number of milliseconds or an ISO-8601 text',
  });
}

function millisecondsOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number(value);
  const parsed = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? null : parsed;
}
