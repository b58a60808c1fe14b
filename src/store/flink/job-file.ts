// A file that tells a Flink job's shape, recognised from its bytes: a persisted JobGraph or StreamGraph (Java streams), or
// JSON of the REST interface; and several of them joined into one picture. Spec: docs/flink.md "The submitted job".
import { readFile, stat } from 'node:fs/promises';
import { JobrecError, messageOf } from '../../model/errors.ts';
import type { FlinkJob, FlinkJobVertex } from '../../model/flink-job.ts';
import { readStandardInput, standardInput, standardInputName } from '../standard-input.ts';
import { JavaObject, parseJavaStream } from './java-stream.ts';
import { jobGraphClass, readJobGraph } from './job-graph-file.ts';
import { jobOfRestJson } from './plan-json.ts';
import { readStreamGraph, streamGraphClass } from './stream-graph-file.ts';
import { jobOfStreamGraph } from './stream-graph-job.ts';

/** A submitted job carries its user's functions; none seen comes near this. */
const fileSizeBytesMax = 256 * 1024 * 1024;

/** Reads one such file, or stdin for `-`. Errors: INVALID_ARGUMENT naming the file and what is wrong with it. */
export async function readJobFile(path: string): Promise<FlinkJob> {
  const isStdin = path === standardInput;
  const job = jobOfBytes(isStdin ? await readBoundedInput() : await readBounded(path));
  if (typeof job !== 'string') return job;
  throw invalid(isStdin ? standardInputName : path, job);
}

async function readBounded(path: string): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (size > fileSizeBytesMax) throw invalid(path, `is larger than ${fileSizeBytesMax} bytes`);
    return await readFile(path);
  } catch (error) {
    if (error instanceof JobrecError) throw error;
    throw invalid(path, messageOf(error));
  }
}

async function readBoundedInput(): Promise<Buffer> {
  const bytes = await readStandardInput(fileSizeBytesMax);
  if (bytes === null) throw invalid(standardInputName, `is larger than ${fileSizeBytesMax} bytes`);
  return bytes;
}

function invalid(path: string, what: string): JobrecError {
  return new JobrecError('INVALID_ARGUMENT', `${path}: ${what}`, {
    data: { path },
    hint: "give Flink's submittedJobGraph* or submittedExecutionPlan* file, or the JSON of REST /jobs/<id> or /jobs/<id>/plan",
  });
}

/** The job in these bytes, or what they are instead, in words. */
export function jobOfBytes(bytes: Buffer): FlinkJob | string {
  const isJava = bytes.length >= 2 && bytes.readUInt16BE(0) === 0xaced;
  const job = isJava ? jobOfJava(bytes) : jobOfText(bytes.toString('utf8'));
  return typeof job === 'string' ? job : { ...job, vertices: inTopologicalOrder(job) };
}

function jobOfJava(bytes: Buffer): FlinkJob | string {
  const parsed = parseJavaStream(bytes);
  if (!parsed.ok) return `its Java stream cannot be read: ${parsed.reason} at byte ${parsed.offset}`;
  const { value } = parsed;
  const className = value instanceof JavaObject ? value.className : 'no object';
  if (value instanceof JavaObject && className === jobGraphClass) {
    return readJobGraph(value) ?? 'its JobGraph holds no vertices that can be read';
  }
  if (value instanceof JavaObject && className === streamGraphClass) {
    const graph = readStreamGraph(value);
    return graph === null ? 'its StreamGraph holds no operators that can be read' : jobOfStreamGraph(graph);
  }
  return `it holds ${className}, which is no JobGraph and no StreamGraph`;
}

function jobOfText(text: string): FlinkJob | string {
  const unknown = 'it is neither a Java stream nor JSON of a Flink job';
  try {
    return jobOfRestJson(JSON.parse(text)) ?? unknown;
  } catch {
    return unknown;
  }
}

/** Producers first; otherwise in the order of the file. A cycle, which no job has, keeps that order. */
function inTopologicalOrder({ vertices, edges }: FlinkJob): FlinkJobVertex[] {
  const ordered: FlinkJobVertex[] = [];
  const placed = new Set<string>();
  const waiting = new Set(vertices);
  const producersOf = new Map<string, string[]>();
  for (const edge of edges) {
    const producers = producersOf.get(edge.consumerVertexId) ?? [];
    producersOf.set(edge.consumerVertexId, [...producers, edge.producerVertexId]);
  }
  for (let before = -1; before !== ordered.length; ) {
    before = ordered.length;
    for (const vertex of waiting) {
      if (!(producersOf.get(vertex.id) ?? []).every((producer) => placed.has(producer))) continue;
      waiting.delete(vertex);
      placed.add(vertex.id);
      ordered.push(vertex);
    }
  }
  return [...ordered, ...waiting];
}

const rank = { 'job-graph': 0, 'stream-graph': 1, plan: 2 } as const;

/** Several files of one job as one: shape from the one that says most, names and times from wherever they are. */
export function joinJobs(jobs: readonly FlinkJob[]): FlinkJob | null {
  const [best, ...others] = jobs.toSorted((a, b) => rank[a.source] - rank[b.source] || b.edges.length - a.edges.length);
  if (best === undefined) return null;
  const names = new Map(others.flatMap((job) => job.vertices.map((vertex) => [vertex.id, vertex.name] as const)));
  return {
    ...best,
    jobId: best.jobId ?? others.find((job) => job.jobId !== null)?.jobId ?? null,
    name: best.name ?? others.find((job) => job.name !== null)?.name ?? null,
    vertices: best.vertices.map((vertex) => ({ ...vertex, name: vertex.name ?? names.get(vertex.id) ?? null })),
    subtasks: jobs.flatMap((job) => job.subtasks),
  };
}
