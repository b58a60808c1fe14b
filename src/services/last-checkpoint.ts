// The newest checkpoint or savepoint of a streaming job, for `run` and `jobs`.
import { isRetained } from '../engine/streaming/stream-files.ts';
import { readOptions } from '../model/options.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { CompletedCheckpoint, ExecutionGraph } from '../replay/execution-graph.ts';
import type { LastCheckpoint } from './run-report.ts';
import { isoTime } from './times.ts';

/** Empty for a batch job. */
export function lastCheckpointOf(graph: ExecutionGraph): { readonly lastCheckpoint?: LastCheckpoint | null } {
  if (!graph.graph?.streaming) return {};
  const last = lastOf(graph);
  if (!last) return { lastCheckpoint: null };
  const { checkpointId, kind, location, completedAtMicros } = last;
  return { lastCheckpoint: { checkpointId, kind, location, completedAt: isoTime(completedAtMicros) } };
}

/** A job that has ended deletes its checkpoints unless they are retained. Its savepoints stay: the newest, if any. */
function lastOf({ checkpoints, state, config }: ExecutionGraph): CompletedCheckpoint | undefined {
  const areKept = !isGloballyTerminal(state) || isRetained(readOptions(config).streaming.retention, state);
  return areKept ? checkpoints.at(-1) : checkpoints.findLast(({ kind }) => kind === 'savepoint');
}
