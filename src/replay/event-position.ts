// Positions that name an event: `finished:<vertex>#<subtask>` and `initialized:<vertex>`, the last such event of the
// log. A vertex is named by its id, or by its name where that is unique.
import { JobrecError } from '../model/errors.ts';
import type { LogRecord } from '../model/job-log.ts';

export type EventPosition =
  | { readonly kind: 'finished'; readonly vertex: string; readonly subtask: number; readonly text: string }
  | { readonly kind: 'initialized'; readonly vertex: string; readonly text: string };

interface VertexEvents {
  readonly id: string;
  name: string | null;
  initialized: number | null;
  parallelism: number | null;
  /** Subtask → sequence of its last finish. */
  readonly finished: Map<number, number>;
}

type VertexIndex = Map<string, VertexEvents>;

/** Vertex id → name, for logs that do not hold the names themselves. */
export type VertexNames = ReadonlyMap<string, string>;

/** The last matching event. Errors: POSITION_INVALID, with the vertices or tasks that there are. */
export async function findEvent(
  position: EventPosition,
  records: AsyncIterable<LogRecord>,
  names: VertexNames = new Map(),
): Promise<{ sequence: number }> {
  const index: VertexIndex = new Map();
  for (const [id, name] of names) eventsOf(index, id).name = name;
  for await (const record of records) note(index, record);
  const vertex = vertexNamed(index, position);
  const sequence = position.kind === 'initialized' ? vertex.initialized : vertex.finished.get(position.subtask);
  if (sequence === null || sequence === undefined) throw noSuchEvent(position, vertex);
  return { sequence };
}

function note(index: VertexIndex, { sequence, event }: LogRecord): void {
  if (event.type === 'job-submitted') {
    for (const { id, name } of event.graph.vertices) eventsOf(index, id).name = name;
  } else if (event.type === 'job-vertex-initialized') {
    const vertex = eventsOf(index, event.vertexId);
    vertex.initialized = sequence;
    vertex.parallelism = event.parallelism;
  } else if (event.type === 'execution-vertex-finished') {
    eventsOf(index, event.vertexId).finished.set(event.subtask, sequence);
  }
}

function eventsOf(index: VertexIndex, id: string): VertexEvents {
  const known = index.get(id);
  if (known !== undefined) return known;
  const vertex: VertexEvents = { id, name: null, initialized: null, parallelism: null, finished: new Map() };
  index.set(id, vertex);
  return vertex;
}

function vertexNamed(index: VertexIndex, { vertex: wanted, text }: EventPosition): VertexEvents {
  const byId = index.get(wanted);
  if (byId !== undefined) return byId;
  const named = [...index.values()].filter((vertex) => vertex.name === wanted);
  const [only] = named;
  if (only !== undefined && named.length === 1) return only;
  const ids = named.map((vertex) => vertex.id);
  const message =
    named.length > 1
      ? `position ${text}: ${named.length} vertices are named "${wanted}"; give an id: ${ids.join(', ')}`
      : `position ${text}: no vertex "${wanted}"; ${knownVertices(index)}`;
  throw new JobrecError('POSITION_INVALID', message, { data: { position: text, vertex: wanted, ids } });
}

function knownVertices(index: VertexIndex): string {
  const names = [...index.values()].map((vertex) => vertex.name ?? vertex.id);
  return names.length === 0 ? 'the store names none' : `there are: ${names.map((name) => `"${name}"`).join(', ')}`;
}

function noSuchEvent(position: EventPosition, vertex: VertexEvents): JobrecError {
  const message = `position ${position.text}: ${whatThereIs(position, vertex)}`;
  return new JobrecError('POSITION_INVALID', message, { data: { position: position.text, vertexId: vertex.id } });
}

function whatThereIs(position: EventPosition, vertex: VertexEvents): string {
  const label = vertex.name ?? vertex.id;
  if (position.kind === 'initialized') return `${label} was never initialized`;
  const { parallelism } = vertex;
  if (parallelism === null) return `no task of ${label} has finished, and it was never initialized`;
  if (position.subtask >= parallelism) return `${label} has ${parallelism} tasks (#0 to #${parallelism - 1})`;
  const finished = [...vertex.finished.keys()].sort((a, b) => a - b);
  if (finished.length === 0) return `no task of ${label} has finished`;
  const shown = finished.slice(0, 10).map((subtask) => `#${subtask}`);
  return `${label}#${position.subtask} has not finished; finished: ${shown.join(', ')}${finished.length > 10 ? ', …' : ''}`;
}
