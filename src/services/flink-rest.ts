// Asks a running Flink cluster over its REST interface: which TaskManagers it has, and the job's plan with names and
// times. Only GET, each with a timeout and a bound; every answer is checked. Spec: docs/flink.md "REST".
import * as v from 'valibot';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { FlinkJob } from '../model/flink-job.ts';
import { joinJobs } from '../store/flink/job-file.ts';
import { jobOfRestJson } from '../store/flink/plan-json.ts';

const timeoutMs = 10_000;
const answerBytesMax = 64 * 1024 * 1024;
/** One request each for the times of finished subtasks. */
const verticesMax = 200;
/** Looked through where the store does not tell its job's id. */
const jobsMax = 50;

export interface FlinkCluster {
  /** Resource ids of the registered TaskManagers. */
  readonly workers: readonly string[];
  /** null: the cluster does not know the job (any more). */
  readonly job: FlinkJob | null;
  /** Tasks that have finished, of a job that runs; null where that is not known. */
  readonly finished: readonly { readonly vertexId: string; readonly subtask: number }[] | null;
}

/** How the store's job is known. */
export interface AskedJob {
  /** null: not told by the store's place; then the cluster's jobs are looked through. */
  readonly jobId: string | null;
  /** A vertex that it has; null: none is recorded, so that any job may be it. */
  readonly vertexId: string | null;
}

/** Errors: INVALID_FLAG for what is no URL, REST_UNAVAILABLE, one line each. */
export async function askFlinkCluster(baseUrl: string, asked: AskedJob): Promise<FlinkCluster> {
  const base = parsedBase(baseUrl);
  const [workers, found] = await Promise.all([taskManagers(base), findJob(base, asked)]);
  if (found === null || found.job.vertices.length > verticesMax)
    return { workers, job: found?.job ?? null, finished: null };
  const { id, job, isRunning } = found;
  const times = await Promise.all(job.vertices.map((vertex) => get(base, `jobs/${id}/vertices/${vertex.id}`)));
  const joined = joinJobs([job, ...times.map(jobOfRestJson).filter((each) => each !== null)]);
  const isKnown = isRunning && times.every((answer) => answer !== undefined);
  return { workers, job: joined, finished: isKnown ? (joined?.subtasks ?? null) : null };
}

interface FoundJob {
  readonly id: string;
  readonly job: FlinkJob;
  readonly isRunning: boolean;
}

async function findJob(base: URL, { jobId, vertexId }: AskedJob): Promise<FoundJob | null> {
  if (jobId !== null) return jobOf(base, jobId);
  const listed = v.safeParse(jobsSchema, await get(base, 'jobs'));
  const ids = listed.success ? listed.output.jobs.slice(0, jobsMax).map(({ id }) => id) : [];
  const jobs = (await Promise.all(ids.map((id) => jobOf(base, id)))).filter((found) => found !== null);
  const fitting = jobs.filter(({ job }) => vertexId === null || job.vertices.some(({ id }) => id === vertexId));
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

const jobsSchema = v.object({ jobs: v.array(v.object({ id: v.string() })) });

/** A history server or a proxy may know the plan only. */
async function jobOf(base: URL, id: string): Promise<FoundJob | null> {
  const answer = await get(base, `jobs/${id}`);
  const job = jobOfRestJson(answer) ?? jobOfRestJson(await get(base, `jobs/${id}/plan`));
  return job && { id, job, isRunning: v.is(runningSchema, answer) };
}

/** What has ended, or is about to be recovered, says nothing of what has been released. */
const runningSchema = v.object({ state: v.literal('RUNNING') });

const taskManagersSchema = v.object({ taskmanagers: v.array(v.object({ id: v.string() })) });

async function taskManagers(base: URL): Promise<string[]> {
  const answer = v.safeParse(taskManagersSchema, await get(base, 'taskmanagers'));
  if (answer.success) return answer.output.taskmanagers.map((taskManager) => taskManager.id);
  throw unavailable(base, "'/taskmanagers' is not answered as Flink does");
}

function parsedBase(text: string): URL {
  const url = urlOf(text.endsWith('/') ? text : `${text}/`);
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  const message = `--flink-rest: "${text}" is no URL; allowed: http://host:port or https://host:port`;
  throw new JobrecError('INVALID_FLAG', message, { data: { flag: '--flink-rest', value: text } });
}

/** Parsed JSON; undefined where Flink does not know the path (404). */
export async function get(base: URL, path: string): Promise<unknown> {
  const url = new URL(path, base);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
    if (response.status === 404) return undefined;
    if (!response.ok) throw unavailable(base, `${url.pathname} answers ${response.status}`);
    const text = await boundedText(response);
    if (text === null) throw unavailable(base, `${url.pathname} answers with more than ${answerBytesMax} bytes`);
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof JobrecError) throw error;
    throw unavailable(base, reasonOf(error));
  }
}

/** null: longer than is allowed. Counted as it comes: a chunked answer declares no length, a compressed one the wrong one. */
async function boundedText({ headers, body }: Response): Promise<string | null> {
  if (Number(headers.get('content-length') ?? 0) > answerBytesMax) {
    await body?.cancel(); // or its connection would keep the process waiting
    return null;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) return null;
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(cause) || messageOf(error);
}

function unavailable(base: URL, what: string): JobrecError {
  const message = `Flink's REST interface at ${base.origin}: ${what}`;
  return new JobrecError('REST_UNAVAILABLE', message, {
    data: { url: base.href },
    hint: 'look whether its JobManager is up and this its REST address; diff can do without it: --workers or --lost-worker',
  });
}

function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
