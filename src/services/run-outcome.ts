// The report of a run, read from its store: so that the client that attached late, or that saw three JobMasters die,
// reports the same as one that saw it all.
import { fileSinksOf } from '../engine/streaming/stream-files.ts';
import type { JobState } from '../model/states.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import type { JobFolder } from '../store/job-folder.ts';
import { readGraph } from './job-home.ts';
import { lastCheckpointOf } from './last-checkpoint.ts';
import { recoveryEntries } from './recovery-report.ts';
import type { RunFailure, RunReport, RunSink, RunVertex } from './run-report.ts';

export async function runReport(
  folder: JobFolder,
  state: JobState,
  failure: RunFailure | null,
  durationMs: number,
): Promise<RunReport> {
  const graph = await readGraph(folder);
  return {
    jobId: graph?.jobId ?? '',
    name: graph?.name ?? '',
    state,
    store: folder.jobEvents,
    durationMs,
    vertices: graph ? vertexReports(graph) : [],
    sinks: graph ? sinkReports(graph) : [],
    recoveries: graph ? recoveryEntries(graph) : [],
    ...(graph ? lastCheckpointOf(graph) : {}),
    ...(failure === null ? {} : { failure }),
  };
}

function vertexReports(graph: ExecutionGraph): RunVertex[] {
  return [...graph.vertices.values()].map((vertex) => ({
    vertexId: vertex.id,
    vertexName: vertex.name ?? vertex.id,
    parallelism: vertex.parallelism,
    finished: vertex.tasks.filter((task) => task.state === 'FINISHED').length,
  }));
}

/** Rows are those committed: 0 before the commit; of a streaming job all since its state began, also by the jobs before it. */
function sinkReports(graph: ExecutionGraph): RunSink[] {
  const plan = graph.graph?.streaming;
  if (plan) {
    const rows = graph.checkpoints.at(-1)?.sinks ?? [];
    const rowsOf = (sink: string) => rows.find((entry) => entry.sink === sink)?.rows ?? 0;
    return fileSinksOf(plan).map(({ sink, path }) => ({ name: sink, path, rows: rowsOf(sink) }));
  }
  return (graph.graph?.sinks ?? []).map((sink) => {
    const committed = graph.commit?.sinks.find((entry) => entry.sink === sink.name);
    const rows = (committed?.parts ?? []).reduce((sum, part) => sum + part.rows, 0);
    return { name: sink.name, path: sink.path, rows };
  });
}
