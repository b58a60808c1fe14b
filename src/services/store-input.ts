// The store that a reading command was pointed at: opened, and with the names by which a user may speak of its
// vertices. Reads only. Spec: cli-contract "A store location", "<vertex>".
import { JobrecError } from '../model/errors.ts';
import type { JobLog } from '../model/job-log.ts';
import { applyEvent } from '../replay/apply-event.ts';
import { createExecutionGraph, type ExecutionGraph } from '../replay/execution-graph.ts';
import { openJobLog } from '../store/open-log.ts';

export interface StoreInputOptions {
  /** A path: the `job-events` folder, or a folder above it that holds exactly one store. */
  readonly location: string;
  /** Files that name a Flink store's vertices; refused for a jobrec store, which names its own. */
  readonly topology: readonly string[];
}

export async function openStore(options: StoreInputOptions): Promise<JobLog> {
  const log = await openJobLog(options.location);
  if (options.topology.length > 0) throw topologyRefused(log);
  return log;
}

function topologyRefused(log: JobLog): JobrecError {
  const why =
    log.format === 'jobrec'
      ? 'a jobrec store holds its own names and edges'
      : 'reading Flink job files is not part of this version';
  return new JobrecError('UNSUPPORTED_FOR_FORMAT', `--topology: ${why}; leave it out`, {
    data: { flag: '--topology', format: log.format },
  });
}

/** The graph of the store's first event alone: names, edges, data sets, but no progress. */
export async function plannedGraph(log: JobLog): Promise<ExecutionGraph> {
  const graph = createExecutionGraph();
  for await (const record of log.records()) {
    if (record.event.type === 'job-submitted') applyEvent(graph, record, record.event);
    break;
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
