// `run --dry-run`: the plan, and nothing started.
import type { JobGraph } from '../model/job-graph.ts';
import { restoreSettings, withRestore } from './restore-from.ts';
import { planOf } from './run-plan.ts';
import type { DryRunReport, RunOptions } from './run-report.ts';

export async function planDryRun(options: RunOptions): Promise<DryRunReport> {
  const { graph, edges } = await withRestore(await planOf(options), restoreSettings(options));
  const shuffle = graph.shuffle ?? 'workers';
  return { name: graph.name, shuffle, sources: sources(graph), vertices: vertices(graph), edges };
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
