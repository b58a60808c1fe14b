// The store that a reading command was pointed at: opened, and with the names by which a user may speak of its
// vertices. Reads only. Spec: cli-contract "A store location", "<vertex>".
import { JobrecError } from '../model/errors.ts';
import type { FlinkJob } from '../model/flink-job.ts';
import type { JobLog, LogSnapshot } from '../model/job-log.ts';
import { applyEvent } from '../replay/apply-event.ts';
import { createExecutionGraph, type ExecutionGraph } from '../replay/execution-graph.ts';
import { openJobLog } from '../store/open-log.ts';

export interface StoreInputOptions {
  /** A path: the `job-events` folder, or a folder above it that holds exactly one store. */
  readonly location: string;
  /** Files that tell a Flink job's vertices and edges; refused for a jobrec store, which records its own. */
  readonly topology: readonly string[];
}

/** A store with what is known of its job from beside it. */
export interface OpenedStore {
  readonly log: JobLog;
  /** The job of a Flink store, from files or a cluster; null for a jobrec store, or where nothing tells it. */
  readonly job: FlinkJob | null;
  /** Names of vertices that the log does not hold itself. */
  readonly names: ReadonlyMap<string, string>;
  /** The earliest state that a store whose history was retired still holds; null: its events are all there. */
  readonly retired: LogSnapshot | null;
  /** What lay beside the store and could not be used, one line each. */
  readonly warnings: readonly string[];
}

/** Opens the store; `known` are jobs that the caller has learned of elsewhere (a cluster). */
export async function openStore(options: StoreInputOptions, known: readonly FlinkJob[] = []): Promise<OpenedStore> {
  const log = await openJobLog(options.location);
  if (log.format === 'flink') {
    const { flinkJobOf } = await import('./flink-job-input.ts');
    const { job, warnings } = await flinkJobOf(log, options, known);
    const named = job?.vertices.flatMap(({ id, name }) => (name === null ? [] : [[id, name] as const])) ?? [];
    return { log, job, names: new Map(named), retired: null, warnings };
  }
  if (options.topology.length > 0) throw topologyRefused(log);
  const retired = log.firstSequence === 0 ? null : await earliestState(log);
  const names = retired?.submitted.graph.vertices.map(({ id, name }) => [id, name] as const) ?? [];
  return { log, job: null, names: new Map(names), retired, warnings: [] };
}

async function earliestState(log: JobLog): Promise<LogSnapshot | null> {
  return (await log.snapshots()).findLast(({ sequence }) => sequence + 1 >= log.firstSequence) ?? null;
}

function topologyRefused(log: JobLog): JobrecError {
  const message = '--topology: a jobrec store holds its own names and edges; leave it out';
  return new JobrecError('UNSUPPORTED_FOR_FORMAT', message, { data: { flag: '--topology', format: log.format } });
}

/** The vertices by which a user may speak of the store's: names, but no progress. */
export async function plannedGraph({ log, names, retired }: OpenedStore): Promise<ExecutionGraph> {
  const graph = createExecutionGraph();
  if (retired !== null) {
    const { sequence, timeMicros, epoch, submitted } = retired;
    applyEvent(graph, { sequence, timeMicros, epoch }, submitted);
    return graph;
  }
  for await (const record of log.records()) {
    const { event } = record;
    if (event.type === 'job-submitted' || event.type === 'job-vertex-initialized') applyEvent(graph, record, event);
    // Only Flink's stores name their vertices bit by bit.
    if (log.format === 'jobrec') break;
  }
  for (const [id, vertex] of graph.vertices) {
    graph.vertices.set(id, { ...vertex, name: vertex.name ?? names.get(id) ?? null });
  }
  return graph;
}

/** The vertex that a user named by id or by unique name. Errors: INVALID_ARGUMENT, with the known ones. */
export function vertexNamed(graph: ExecutionGraph, text: string): string {
  const vertices = [...graph.vertices.values()];
  const named = vertices.filter((vertex) => vertex.id === text || vertex.name === text);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only.id;
  throw named.length === 0 ? unknownVertex(text, vertices) : ambiguousVertex(text, named);
}

type Named = { readonly id: string; readonly name: string | null };

function unknownVertex(text: string, known: readonly Named[]): JobrecError {
  const names = known.map((vertex) => vertex.name ?? vertex.id);
  const list =
    names.length === 0 ? 'the store holds none yet' : `known: ${names.map((name) => `"${name}"`).join(', ')}`;
  return new JobrecError('INVALID_ARGUMENT', `no vertex "${text}"; ${list}`, { data: { vertex: text, known: names } });
}

function ambiguousVertex(text: string, named: readonly Named[]): JobrecError {
  const ids = named.map((vertex) => vertex.id);
  const message = `${ids.length} vertices are named "${text}"; give an id: ${ids.join(', ')}`;
  return new JobrecError('INVALID_ARGUMENT', message, { data: { vertex: text, ids } });
}
