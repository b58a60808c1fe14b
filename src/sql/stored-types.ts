// How columns are stored in a result partition's Parquet file, so that every DuckDB type comes back exactly. Parquet
// loses some (seen: HUGEINT becomes DOUBLE, INTERVAL loses microseconds, TIMETZ its offset, ENUM its dictionary): those
// are cast to a type that it keeps when written, and every column is cast to its exact type, recorded in the sidecar,
// when read. CAST works through nested types, so one cast a column is enough. Spec: docs/adr/0004-partition-files.md.
import { JobrecError } from '../model/errors.ts';
import type { Column } from '../model/job-graph.ts';
import { quoteIdentifier } from './duckdb.ts';
import { hasUnnamedFields, parseType, replaceLeaves, typeText } from './duckdb-type.ts';

/** Leaves that Parquet changes, and what they are stored as. Text keeps every value of these types. */
const storedAs: ReadonlyMap<string, string> = new Map([
  ['HUGEINT', 'VARCHAR'],
  ['UHUGEINT', 'VARCHAR'],
  ['BIGNUM', 'VARCHAR'],
  ['INTERVAL', 'VARCHAR'],
  ['TIME WITH TIME ZONE', 'VARCHAR'],
  ['ENUM', 'VARCHAR'],
  ['BIT', 'VARCHAR'],
  ['TIMESTAMP_S', 'TIMESTAMP'],
  ['TIMESTAMP_MS', 'TIMESTAMP'],
]);

/** Leaves that Parquet changes in a sink's file, where the file's own type counts: exact up to 38 digits. */
const sinkAs: ReadonlyMap<string, string> = new Map([
  ['HUGEINT', 'DECIMAL(38,0)'],
  ['UHUGEINT', 'DECIMAL(38,0)'],
]);

/** The type that a column of `type` has in the Parquet file of a partition. */
export function storedType(type: string): string {
  const node = parseType(type);
  return typeText(replaceLeaves(node, (name) => storedAs.get(name) ?? null, false));
}

/** SELECT-list items that write `columns` losslessly. Throws SQL_INVALID naming a column that cannot be kept. */
export function writeExpressions(columns: readonly Column[]): string[] {
  return columns.map((column) => castExpression(column, checkedStoredType(column), column.type));
}

/** SELECT-list items that read `columns`, as writeExpressions wrote them, back with their exact types. */
export function readExpressions(columns: readonly Column[]): string[] {
  return columns.map(({ name: columnName, type }) => {
    const name = quoteIdentifier(columnName);
    // What has unnamed fields was written as it is and cannot be spelled; everything else is cast, mostly a no-op.
    if (hasUnnamedFields(parseType(type))) return name;
    // Parquet gives a union back as a struct, which is cast to the union of just these member types and no other.
    const stored = storedType(type);
    const read = stored.includes('UNION(') ? `CAST(${name} AS ${stored})` : name;
    return `CAST(${read} AS ${type}) AS ${name}`;
  });
}

/** SELECT-list items for a Parquet file that others read: integers that Parquet has not become decimals, not doubles. */
export function parquetSinkExpressions(columns: readonly Column[]): string[] {
  return columns.map((column) => {
    const node = parseType(column.type);
    if (hasUnnamedFields(node)) return quoteIdentifier(column.name);
    return castExpression(column, typeText(replaceLeaves(node, (name) => sinkAs.get(name) ?? null, true)), column.type);
  });
}

function castExpression(column: Column, target: string, type: string): string {
  const name = quoteIdentifier(column.name);
  return target === type ? name : `CAST(${name} AS ${target}) AS ${name}`;
}

function checkedStoredType(column: Column): string {
  const stored = storedType(column.type);
  if (stored !== typeText(parseType(column.type)) && hasUnnamedFields(parseType(column.type))) {
    throw new JobrecError('SQL_INVALID', `column ${column.name} has the type ${column.type}, which cannot be stored`, {
      data: { column: column.name, type: column.type },
      hint: 'name the fields of the struct, e.g. with struct_pack(a := …)',
    });
  }
  return stored === typeText(parseType(column.type)) ? column.type : stored;
}
