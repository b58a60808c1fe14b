// From a line of text to a row: `json`, one object a line, or `raw`, the line itself. What is no row fails its task, or is
// skipped and counted: nothing is dropped in silence.
import { JobrecError, messageOf } from '../../../model/errors.ts';
import type { RecordFormat, Row } from '../../../model/streaming-plan.ts';

/** For the lines of one source in one task. */
export class RowDecoder {
  readonly #format: RecordFormat;
  readonly #onBadRow: 'fail' | 'skip';
  #droppedRows = 0;

  constructor(format: RecordFormat, onBadRow: 'fail' | 'skip') {
    this.#format = format;
    this.#onBadRow = onBadRow;
  }

  /** Lines that were skipped since the task began. */
  get droppedRows(): number {
    return this.#droppedRows;
  }

  /** null: skipped. @param where how an error names the line */
  decode(line: string, where: () => string): Row | null {
    try {
      return rowOf(line, this.#format, where);
    } catch (error) {
      if (this.#onBadRow === 'fail') throw error;
      this.#droppedRows += 1;
      return null;
    }
  }
}

function rowOf(line: string, format: RecordFormat, where: () => string): Row {
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
