// The job behind a Flink store, from the files that the user named, else from what lies in the high-availability folder
// around the store, and from a cluster. A file of another job is refused where it was named, and passed over where it
// was only found. Spec: docs/flink.md "What answers rest on".
import { JobrecError } from '../model/errors.ts';
import type { FlinkJob } from '../model/flink-job.ts';
import type { JobVertexInitialized } from '../model/job-events.ts';
import type { JobLog } from '../model/job-log.ts';
import { findJobsNear } from '../store/flink/find-job.ts';
import { joinJobs, readJobFile } from '../store/flink/job-file.ts';
import type { StoreInputOptions } from './store-input.ts';

export interface FlinkJobInput {
  readonly job: FlinkJob | null;
  readonly warnings: readonly string[];
}

/** Errors: INVALID_ARGUMENT for a named file that cannot be read or is of another job. */
export async function flinkJobOf(
  log: JobLog,
  { location, topology: files }: StoreInputOptions,
  known: readonly FlinkJob[],
): Promise<FlinkJobInput> {
  const first = await firstInitialized(log);
  const named = await Promise.all(files.map((file) => namedJob(file, first)));
  if (named.some((job) => job.source !== 'plan')) return { job: joinJobs([...named, ...known]), warnings: [] };
  const found = await findJobsNear(log.location, location);
  const fitting = await closestJobs(
    found.jobs.filter((job) => fits(job, first)),
    log,
  );
  const [only] = fitting;
  if (fitting.length === 1 && only !== undefined) {
    return { job: joinJobs([only, ...named, ...known]), warnings: found.problems };
  }
  const several =
    fitting.length > 1 ? [`${fitting.length} submitted jobs beside the store fit it; name one with --topology`] : [];
  return { job: joinJobs([...named, ...known]), warnings: [...found.problems, ...several] };
}

/** Any recorded vertex tells jobs apart; the first is the cheapest. */
export async function firstInitialized(log: JobLog): Promise<JobVertexInitialized | null> {
  for await (const { event } of log.records()) if (event.type === 'job-vertex-initialized') return event;
  return null;
}

function fits(job: FlinkJob, first: JobVertexInitialized | null): boolean {
  return first === null || job.vertices.some((vertex) => vertex.id === first.vertexId);
}

/** Several runs of one program have the same vertices; 1.20 gives their data sets ids of their own. */
async function closestJobs(jobs: readonly FlinkJob[], log: JobLog): Promise<readonly FlinkJob[]> {
  if (jobs.length < 2) return jobs;
  const initialized: JobVertexInitialized[] = [];
  for await (const { event } of log.records()) if (event.type === 'job-vertex-initialized') initialized.push(event);
  return jobs.filter((job) => initialized.every((event) => fits(job, event) && namesInputs(job, event)));
}

function namesInputs({ source, edges }: FlinkJob, { inputs }: JobVertexInitialized): boolean {
  const known = new Set(edges.map((edge) => edge.datasetId));
  return source !== 'job-graph' || inputs.every(({ datasetId }) => known.has(datasetId));
}

async function namedJob(file: string, first: JobVertexInitialized | null): Promise<FlinkJob> {
  const job = await readJobFile(file);
  if (fits(job, first) || job.edges.length === 0) return job;
  const message = `--topology ${file} is of another job: it has no vertex ${first?.vertexId}, which the store has`;
  throw new JobrecError('INVALID_ARGUMENT', message, {
    data: { flag: '--topology', path: file, vertexId: first?.vertexId },
  });
}
