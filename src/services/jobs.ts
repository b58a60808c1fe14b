// `jobs`: the jobs of a home, from their stores.
import { isGloballyTerminal } from '../model/states.ts';
import { createExecutionGraph } from '../replay/execution-graph.ts';
import { isLed, type JobEntry, listJobEntries, readDamaged } from './job-home.ts';
import { lastCheckpointOf } from './last-checkpoint.ts';
import type { JobsEntry, JobsReport } from './run-report.ts';

export async function listJobs(options: { readonly home: string }): Promise<JobsReport> {
  const jobs: JobsEntry[] = [];
  for (const entry of await listJobEntries(options.home)) jobs.push(await describe(entry));
  return { jobs };
}

async function describe(entry: JobEntry): Promise<JobsEntry> {
  const { graph: recorded, damage } = await readDamaged(entry.folder);
  const graph = recorded ?? createExecutionGraph();
  const tasks = [...graph.vertices.values()].flatMap((vertex) => vertex.tasks);
  const finished = tasks.filter((task) => task.state === 'FINISHED').length;
  const { jobId, name, submittedAtMs } = entry.submission;
  const live = await isLed(entry.folder);
  return {
    jobId,
    name,
    // A job without a JobMaster that has not ended waits for the run that resumes it, whatever was recorded last.
    state: live || isGloballyTerminal(graph.state) ? graph.state : 'SUSPENDED',
    store: entry.folder.jobEvents,
    startedAt: new Date(submittedAtMs).toISOString(),
    finished,
    total: tasks.length,
    live,
    damage,
    ...lastCheckpointOf(graph),
  };
}
