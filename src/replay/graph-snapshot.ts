// The ExecutionGraph as the parts of a snapshot, and back. Invariant (design 5): the graph of a snapshot equals the graph
// that replaying the same events gives, in every field. What `job-submitted` says is not repeated; a field that is added
// to the graph is in the next snapshot, and has the empty graph's value where an older one lacks it.
// Spec: docs/format.md, "Snapshots".
import { CellError, text } from '../model/cells.ts';
import { messageOf } from '../model/errors.ts';
import type { JobSubmitted } from '../model/job-events.ts';
import type { LogSnapshot, SnapshotPart } from '../model/job-log.ts';
import { edgesOf } from './apply-event.ts';
import { createExecutionGraph, type ExecutionGraph, type ExecutionJobVertex } from './execution-graph.ts';
import { fromPlain, kindOf, toPlain } from './plain-data.ts';
import { tasksFromCells, tasksToCells } from './snapshot-tasks.ts';

/** Tasks in one part: large enough to share its table of ids, small enough to be read in one piece. */
const tasksInPart = 1000;

/** The event that a snapshot begins with; null where no job was submitted yet, and there is nothing to keep. */
export function submissionOf(graph: ExecutionGraph): JobSubmitted | null {
  const { jobId, name, graph: jobGraph, config, fingerprint } = graph;
  if (jobId === null || name === null || jobGraph === null || fingerprint === null) return null;
  return { type: 'job-submitted', jobId, name, graph: jobGraph, config, fingerprint };
}

/** The graph, part by part. It must not change meanwhile. */
export function* graphToParts(graph: ExecutionGraph): Generator<SnapshotPart> {
  yield ['graph', toPlain(headOf(graph))];
  for (const { tasks, ...vertex } of graph.vertices.values()) {
    yield ['vertex', toPlain(vertex)];
    for (let first = 0; first < tasks.length; first += tasksInPart)
      yield ['tasks', ...tasksToCells(tasks.slice(first, first + tasksInPart))];
  }
}

/** Beside vertices and what the submission says. */
function headOf(graph: ExecutionGraph): Partial<ExecutionGraph> {
  const { jobId: _jobId, name: _name, graph: _graph, config: _config, fingerprint: _fingerprint, ...more } = graph;
  const { edges: _edges, vertices: _vertices, ...head } = more;
  return head;
}

/** The graph of a snapshot; a reason where its parts are not those of one. Errors are only those of reading the file. */
export async function graphOfSnapshot(snapshot: LogSnapshot): Promise<ExecutionGraph | string> {
  const graph = submittedGraph(snapshot.submitted);
  let vertex: ExecutionJobVertex | null = null;
  try {
    for await (const [kind, content, tasks] of snapshot.parts()) {
      if (kind === 'graph') takeHead(graph, content);
      else if (kind === 'vertex') vertex = takeVertex(graph, content);
      else if (kind === 'tasks' && vertex !== null) vertex.tasks.push(...tasksFromCells(content, tasks));
      else throw new CellError('a part has an unknown kind');
    }
    assertWhole(graph, snapshot);
    return graph;
  } catch (error) {
    if (error instanceof CellError) return messageOf(error);
    throw error;
  }
}

function submittedGraph(submitted: JobSubmitted): ExecutionGraph {
  const { jobId, name, graph, config, fingerprint } = submitted;
  return { ...createExecutionGraph(), jobId, name, graph, config, fingerprint, edges: edgesOf(graph) };
}

function takeHead(graph: ExecutionGraph, content: unknown): void {
  const head = recordOf(fromPlain(content));
  for (const [field, empty] of Object.entries(headOf(createExecutionGraph()))) {
    const value = head[field];
    if (value === undefined) continue;
    if (empty !== null && kindOf(value) !== kindOf(empty)) throw new CellError(`the ${field} of the graph is none`);
    Object.assign(graph, { [field]: value });
  }
}

function takeVertex(graph: ExecutionGraph, content: unknown): ExecutionJobVertex {
  const fields = recordOf(fromPlain(content));
  const vertex = { ...fields, id: text(fields.id), tasks: [] } as unknown as ExecutionJobVertex;
  graph.vertices.set(vertex.id, vertex);
  return vertex;
}

function recordOf(value: unknown): Record<string, unknown> {
  if (kindOf(value) !== 'object') throw new CellError('an object was expected');
  return value as Record<string, unknown>;
}

function assertWhole(graph: ExecutionGraph, { sequence }: LogSnapshot): void {
  if (graph.lastSequence !== sequence) throw new CellError(`it holds the state at sequence ${graph.lastSequence}`);
  for (const { id, tasks, parallelism } of graph.vertices.values()) {
    const isWhole = tasks.length === (parallelism ?? 0) && tasks.every((task, index) => task.subtask === index);
    if (!isWhole) throw new CellError(`tasks of vertex ${id} are missing`);
  }
}
