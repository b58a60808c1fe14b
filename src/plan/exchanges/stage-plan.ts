// What the planner knows of a stage and its inputs while it chooses exchanges, and what it decides.
import type { Column, ExchangeKind, HashKey } from '../../model/job-graph.ts';
import type { ArrivalKey } from '../sql-analysis/context.ts';

export interface PlanInput {
  /** The name in the SQL. */
  readonly alias: string;
  /** The source or stage that is read. */
  readonly from: string;
  readonly fromKind: 'source' | 'stage';
  readonly columns: readonly Column[] | null;
  /** Source bytes behind it, as an upper bound of its size. */
  readonly bytes: number;
  /** Keys of the producer's output, which a forward exchange keeps. */
  readonly keys: readonly ArrivalKey[];
  /** The exchange stated in the job file; null: to be chosen. */
  readonly stated: ExchangeKind | null;
  readonly by: readonly string[];
}

/** null where the column, or its type, is not known. */
export function columnTypeOf(input: PlanInput, column: string): string | null {
  return input.columns?.find((each) => each.name === column)?.type ?? null;
}

export interface ChosenExchange {
  readonly exchange: ExchangeKind;
  readonly by: readonly HashKey[];
  readonly why: string;
}

/** The exchange of one input in a combination that is tried. */
export interface TriedExchange {
  readonly exchange: ExchangeKind;
  readonly by: readonly string[];
}
