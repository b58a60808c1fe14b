// Which subpartition a row belongs to. Producers evaluate this expression while they write; nobody else decides it.
// Invariant: rows whose keys are equal (`IS NOT DISTINCT FROM`) after the cast get the same number, whichever side,
// process or task they come from: DuckDB's hash() already treats -0.0 as 0.0, all NaNs as one and NULL as a value,
// but it depends on the type (hash(1::INTEGER) <> hash(1::BIGINT)), hence the cast to the common type of both sides.
import type { HashKey } from '../model/job-graph.ts';
import { quoteIdentifier } from './duckdb.ts';

/**
 * SQL (type INTEGER) giving 0..subpartitions-1 for a row. `rowAlias` qualifies the columns where several relations are
 * in scope. Without keys every row goes to subpartition 0.
 */
export function subpartitionExpression(by: readonly HashKey[], subpartitions: number, rowAlias?: string): string {
  if (by.length === 0 || subpartitions === 1) return '0::INTEGER';
  const values = by.map((key) => keyExpression(key, rowAlias)).join(', ');
  return `(hash(${values}) % ${subpartitions}::UBIGINT)::INTEGER`;
}

function keyExpression(key: HashKey, rowAlias: string | undefined): string {
  const prefix = rowAlias === undefined ? '' : `${quoteIdentifier(rowAlias)}.`;
  const column = `${prefix}${quoteIdentifier(key.column)}`;
  return key.castType === null ? column : `CAST(${column} AS ${key.castType})`;
}
