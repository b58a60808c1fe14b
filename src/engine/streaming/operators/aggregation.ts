// What sum and reduce do with two rows of a key: the only difference between them.
import { JobrecError } from '../../../model/errors.ts';
import type { FunctionRef, Row } from '../../../model/streaming-plan.ts';
import { UserFunction } from './user-function.ts';

/** The aggregate after `row`; `before` is undefined for the first row of a key (of a window). */
export type Aggregation = (before: Row | undefined, row: Row) => Row;

/** As Flink's `sum`: the other fields stay those of the first row. */
export function sumOf(stage: string, field: string): Aggregation {
  return (before, row) => {
    const value = numberIn(stage, row, field);
    if (before === undefined) return row;
    const sum = before[field] as number | bigint;
    if (typeof sum !== typeof value) throw mixed(stage, field);
    return { ...before, [field]: (sum as number) + (value as number) };
  };
}

export async function reductionOf(stage: string, ref: FunctionRef, functionsFolder: string): Promise<Aggregation> {
  const loaded = await UserFunction.load(stage, ref, functionsFolder);
  return (before, row) => (before === undefined ? row : loaded.row(before, row));
}

function numberIn(stage: string, row: Row, field: string): number | bigint {
  const value = row[field];
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  const given = value === undefined ? 'is missing' : `is ${JSON.stringify(String(value))}, not a number`;
  throw new JobrecError('JOB_FAILED', `stage ${stage}: field ${field} of a row ${given}`, { data: { stage, field } });
}

function mixed(stage: string, field: string): JobrecError {
  const message = `stage ${stage}: field ${field} is a number in one row and a bigint in another`;
  return new JobrecError('JOB_FAILED', message, { data: { stage, field } });
}
