// `run --dry-run`: the plan, and nothing started.
import type { JobGraph } from '../model/job-graph.ts';
import { planOf } from './run-plan.ts';
import type { DryRunReport, RunOptions } from './run-report.ts';

export async function planDryRun(options: RunOptions): Promise<DryRunReport> {
  const { graph, edges } = await planOf(options);
  return { name: graph.name, shuffle: graph.shuffle ?? 'workers', vertices: vertices(graph), edges };
}

function vertices(graph: JobGraph): DryRunReport['vertices'] {
  return graph.vertices.map(({ name, stages, parallelism }) => ({ vertexName: name, stages, parallelism }));
}
