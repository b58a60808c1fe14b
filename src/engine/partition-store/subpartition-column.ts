// The helper column of a partition's data file: which subpartition a row belongs to. Rows are sorted by it, so that
// the row groups of the file tell a reader which of them to skip. Present where there are several subpartitions, or no
// other column.
import type { Column } from '../../model/job-graph.ts';

/** A name that none of the columns has; the same for every task of a producer. */
export function subpartitionColumn(columns: readonly Column[]): string {
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  let name = '__subpartition';
  while (taken.has(name)) name = `${name}_`;
  return name;
}
