// Rows that `onBadRow: quarantine` leaves out, as they stand in the source, staged beside a sink: they appear there with
// the job's output, once, or not at all. They are no rows of the sink: the part counts 0.
import type { StagedPart } from '../../model/job-events.ts';
import type { SourceSpec } from '../../model/job-graph.ts';
import type { Attempt } from './attempt.ts';
import type { BadRow } from './bad-rows.ts';
import { stagedName, writeStaged } from './staged-file.ts';

/** Stages the rows; nothing where there are none. */
export async function quarantine(attempt: Attempt, source: SourceSpec, rows: readonly BadRow[]): Promise<StagedPart[]> {
  const target = attempt.deployment.quarantine;
  if (rows.length === 0 || target === undefined) return [];
  const extension = source.format === 'json' ? 'ndjson' : 'csv';
  const kind = `quarantine-${source.name.replace(/[^A-Za-z0-9_-]/g, '_')}`;
  const file = stagedName(kind, attempt.deployment, extension);
  const text = rows.map((row) => `${row.text}\n`).join('');
  return [{ sink: target.sink, file, rows: 0, bytes: await writeStaged(target.stagingFolder, file, text) }];
}
