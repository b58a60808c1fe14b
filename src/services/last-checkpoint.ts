// The newest checkpoint or savepoint of a streaming job, for `run` and `jobs`.
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { LastCheckpoint } from './run-report.ts';
import { isoTime } from './times.ts';

/** Empty for a batch job. */
export function lastCheckpointOf(graph: ExecutionGraph): { readonly lastCheckpoint?: LastCheckpoint | null } {
  if (!graph.graph?.streaming) return {};
  const last = graph.checkpoints.at(-1);
  if (!last) return { lastCheckpoint: null };
  const { checkpointId, kind, location, completedAtMicros } = last;
  return { lastCheckpoint: { checkpointId, kind, location, completedAt: isoTime(completedAtMicros) } };
}
