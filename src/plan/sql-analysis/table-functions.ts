// Table functions that a stage may call: those that generate rows from their arguments alone. Everything that reads
// files, catalogs or tables by name would go past the job's sources, whose changes are noticed and whose rows are split.

export const tableFunctions: ReadonlySet<string> = new Set([
  'generate_series',
  'json_each',
  'json_tree',
  'range',
  'repeat',
  'repeat_row',
  'unnest',
]);
