// From a line of text to a row: `json`, one object a line, or `raw`, the line itself.
import { JobrecError, messageOf } from '../../../model/errors.ts';
import type { RecordFormat, Row } from '../../../model/streaming-plan.ts';

/** @param where how an error names the line */
export function rowOf(line: string, format: RecordFormat, where: () => string): Row {
  if (format === 'raw') return { line };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw badRow(`${where()} is no JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  throw badRow(`${where()} is JSON, but no object`);
}

function badRow(message: string): JobrecError {
  return new JobrecError('SOURCE_UNREADABLE', message, { hint: 'repair it, or state onBadRow: skip' });
}
