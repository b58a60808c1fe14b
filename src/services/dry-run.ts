// `run --dry-run`: the plan, and nothing started.
import type { JobGraph } from '../model/job-graph.ts';
import { readOptions } from '../model/options.ts';
import { guaranteeOf, isReplayable } from '../model/streaming-plan.ts';
import type { PlannedJob } from '../plan/plan-job.ts';
import { requireFreeSinks } from './free-sinks.ts';
import { hasEnded, latestRun } from './job-home.ts';
import { restoreSettings, withRestore } from './restore-from.ts';
import { planOf } from './run-plan.ts';
import type { DryRunReport, RunOptions } from './run-report.ts';

export async function planDryRun(options: RunOptions): Promise<DryRunReport> {
  const planned = await withRestore(await planOf(options), restoreSettings(options));
  if (!(await resumes(options, planned))) await requireFreeSinks(planned);
  const { graph, edges, warnings } = planned;
  const streaming = streamingOf(planned);
  const shuffle = streaming ? null : (graph.shuffle ?? 'workers');
  return { name: graph.name, shuffle, streaming, warnings, sources: sources(graph), vertices: vertices(graph), edges };
}

/** Whether `run` would go on with the last run: what lies in the sinks then may be half of its commit. */
async function resumes({ home, fresh }: RunOptions, { graph }: PlannedJob): Promise<boolean> {
  const last = fresh ? null : await latestRun(home, graph.name);
  return last !== null && !(await hasEnded(last));
}

function streamingOf({ graph, config }: PlannedJob): DryRunReport['streaming'] {
  if (!graph.streaming) return null;
  const operators = graph.streaming.vertices.flatMap((vertex) => vertex.operators);
  return {
    checkpointIntervalMs: readOptions(config).streaming.intervalMs,
    sources: operators.flatMap(({ name, spec }) =>
      spec.kind === 'source' ? [{ name, kind: spec.connector.kind, replayable: isReplayable(spec.connector) }] : [],
    ),
    sinks: operators.flatMap(({ name, spec }) =>
      spec.kind === 'sink' ? [{ name, kind: spec.connector.kind, guarantee: guaranteeOf(spec.connector) }] : [],
    ),
  };
}

function vertices(graph: JobGraph): DryRunReport['vertices'] {
  return graph.vertices.map(({ name, stages, parallelism }) => ({ vertexName: name, stages, parallelism }));
}

function sources(graph: JobGraph): DryRunReport['sources'] {
  return graph.sources.map(({ name, splits, enumerator }) => ({
    name,
    splits: enumerator === undefined ? splits.length : null,
    enumerator: enumerator?.exportName ?? null,
  }));
}
