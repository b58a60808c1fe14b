// The few questions that the judge asks Flink's REST interface. A JobManager that does not answer (not up yet, just
// killed) is "nothing", never an error: the caller asks again.
import * as v from 'valibot';

const requestTimeoutMs = 3_000;

const overviewSchema = v.object({ taskmanagers: v.array(v.object({ id: v.string() })) });
const jobSchema = v.object({
  state: v.string(),
  vertices: v.array(v.object({ id: v.string(), name: v.string(), parallelism: v.number() })),
});
const vertexSchema = v.object({ subtasks: v.array(v.object({ subtask: v.number(), status: v.string() })) });

export interface TaskStatus {
  readonly vertexId: string;
  readonly subtask: number;
  readonly status: string;
}

export interface JobStatus {
  readonly state: string;
  readonly tasks: readonly TaskStatus[];
}

export class FlinkRest {
  readonly #base: string;

  constructor(port: number) {
    this.#base = `http://127.0.0.1:${port}`;
  }

  async workers(): Promise<string[]> {
    const answer = v.safeParse(overviewSchema, await this.get('/taskmanagers'));
    return answer.success ? answer.output.taskmanagers.map(({ id }) => id) : [];
  }

  /** State of the job and of every task of its initialized vertices; null where nobody answers. */
  async job(jobId: string): Promise<JobStatus | null> {
    const job = v.safeParse(jobSchema, await this.get(`/jobs/${jobId}`));
    if (!job.success) return null;
    const tasks: TaskStatus[] = [];
    for (const { id } of job.output.vertices.filter(({ parallelism }) => parallelism > 0)) {
      const vertex = v.safeParse(vertexSchema, await this.get(`/jobs/${jobId}/vertices/${id}`));
      if (!vertex.success) return null;
      for (const { subtask, status } of vertex.output.subtasks) tasks.push({ vertexId: id, subtask, status });
    }
    return { state: job.output.state, tasks };
  }

  /** The JSON of any path, or null. */
  async get(path: string): Promise<unknown> {
    try {
      const response = await fetch(`${this.#base}${path}`, { signal: AbortSignal.timeout(requestTimeoutMs) });
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
}
