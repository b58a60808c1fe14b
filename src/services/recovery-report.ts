// The recoveries of a job as `run`, `inspect` and `replay` report them: what each kept, what ran again and why, how long
// it took, and whether it was what `diff` predicts. Spec: docs/commands.md "run".
import type { RecoveryCause } from '../model/job-events.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';

export interface RecoveryEntry {
  readonly epoch: number;
  readonly cause: RecoveryCause;
  /** Numbers of finished tasks. */
  readonly kept: number;
  readonly rerun: number;
  /** Of RECONCILING. */
  readonly durationMs: number;
  /** Reason codes of `diff`, with the number of tasks whose first reason it was. Empty where nothing ran again. */
  readonly reasons: readonly { readonly code: string; readonly tasks: number }[];
  /** The tasks that ran again, up to a bound. */
  readonly reruns: readonly RecoveredTask[];
  /** What `diff` would have said right before; null: nobody did (a worker that came back, or an older jobrec). */
  readonly predicted: { readonly kept: number; readonly rerun: number } | null;
  /** Tasks whose fate was not the predicted one, up to a bound: a bug in jobrec. */
  readonly differences: readonly (Omit<RecoveredTask, 'code'> & { readonly predictedRerun: boolean })[];
  /** Only of a streaming job: the checkpoint or savepoint that its tasks began from; null: the beginning. */
  readonly checkpointId?: number | null;
}

export interface RecoveredTask {
  readonly vertexId: string;
  readonly vertexName: string | null;
  readonly subtask: number;
  readonly code: string;
}

/** Oldest first. */
export function recoveryEntries(graph: ExecutionGraph): RecoveryEntry[] {
  const nameOf = (vertexId: string) => graph.vertices.get(vertexId)?.name ?? null;
  return graph.recoveries.map(({ epoch, cause, kept, rerun, durationMs, detail }) => ({
    epoch,
    cause,
    kept,
    rerun,
    durationMs,
    reasons: detail?.reasons ?? [],
    reruns: (detail?.reruns ?? []).map((task) => ({ ...task, vertexName: nameOf(task.vertexId) })),
    predicted: detail?.predicted ?? null,
    differences: (detail?.differences ?? []).map((task) => ({ ...task, vertexName: nameOf(task.vertexId) })),
    ...(detail?.checkpointId === undefined ? {} : { checkpointId: detail.checkpointId }),
  }));
}
