// What lies in the folders of a job's sinks and is not its own is never overwritten: a new run is refused before anything
// changes, and a dry run says the same. Spec: docs/job-file.md, "Sinks".
import { foreignEntries } from '../engine/sinks/sink-commit.ts';
import { foreignParts } from '../engine/streaming/sinks/part-commit.ts';
import { fileSinksOf } from '../engine/streaming/stream-files.ts';
import { JobrecError } from '../model/errors.ts';
import type { PlannedJob } from '../plan/plan-job.ts';

/** Throws SINK_OCCUPIED. */
export async function requireFreeSinks(planned: PlannedJob): Promise<void> {
  for (const { sink, path } of planned.graph.streaming ? fileSinksOf(planned.graph.streaming) : []) {
    const entries = await foreignParts(path, planned.graph.name);
    if (entries.length > 0) throw sinkOccupied(sink, path, entries, 'empty the folder, or name another one');
  }
  for (const sink of planned.graph.sinks.filter(({ mode }) => mode === 'error-if-occupied')) {
    const entries = await foreignEntries(sink, planned.graph.name);
    const hint = 'empty the folder, name another one, or set mode: overwrite or append';
    if (entries.length > 0) throw sinkOccupied(sink.name, sink.path, entries, hint);
  }
}

function sinkOccupied(sink: string, path: string, entries: readonly string[], hint: string): JobrecError {
  const others = entries.length === 1 ? '' : ` and ${entries.length - 1} more`;
  const message = `sink ${sink}: ${path} holds ${entries[0]}${others}, which this job did not write`;
  return new JobrecError('SINK_OCCUPIED', message, { data: { sink, path, entries: entries.slice(0, 20) }, hint });
}
