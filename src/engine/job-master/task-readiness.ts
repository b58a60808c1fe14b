// Which vertices can be initialized and which tasks can run, read from the ExecutionGraph alone. Pure. Exchanges are
// blocking: a consumer runs when the producers of all that it reads have finished.
import type { VertexInputInfo } from '../../model/job-events.ts';
import type { JobGraph, JobVertex } from '../../model/job-graph.ts';
import type { ExecutionGraph, ExecutionJobVertex, ExecutionVertex } from '../../replay/execution-graph.ts';

export function isWhollyFinished(vertex: ExecutionJobVertex | undefined): boolean {
  if (!vertex || vertex.parallelism === null) return false;
  return vertex.tasks.every((task) => task.state === 'FINISHED');
}

/** Vertices without parallelism whose producers have all finished, in topological order. */
export function initializableVertices(graph: ExecutionGraph, jobGraph: JobGraph): JobVertex[] {
  return jobGraph.vertices.filter((vertex) => {
    if (graph.vertices.get(vertex.id)?.parallelism !== null) return false;
    return producersOf(graph, jobGraph, vertex).every((producer) => isWhollyFinished(producer));
  });
}

/** Tasks that have not run or whose attempt failed, and whose inputs are all there. */
export function* readyTasks(
  graph: ExecutionGraph,
  jobGraph: JobGraph,
): Generator<{ readonly vertex: JobVertex; readonly task: ExecutionVertex }> {
  for (const vertex of jobGraph.vertices) {
    const state = graph.vertices.get(vertex.id);
    if (!state || state.parallelism === null) continue;
    const waiting = state.tasks.filter((task) => task.state === 'CREATED' || task.state === 'FAILED');
    if (waiting.length === 0) continue;
    const allReady = producersOf(graph, jobGraph, vertex).every((producer) => isWhollyFinished(producer));
    for (const task of waiting) {
      if (allReady || state.inputs.every((input) => rangeIsReady(graph, jobGraph, input, task.subtask))) {
        yield { vertex, task };
      }
    }
  }
}

function producersOf(graph: ExecutionGraph, jobGraph: JobGraph, vertex: JobVertex): (ExecutionJobVertex | undefined)[] {
  const edges = jobGraph.edges.filter((edge) => edge.consumerVertexId === vertex.id);
  return edges.map((edge) => graph.vertices.get(edge.producerVertexId));
}

/** After a partial restart some consumers can run before the whole upstream vertex has finished again. */
function rangeIsReady(graph: ExecutionGraph, jobGraph: JobGraph, input: VertexInputInfo, subtask: number): boolean {
  const edge = jobGraph.edges.find((candidate) => candidate.datasetId === input.datasetId);
  const producer = edge && graph.vertices.get(edge.producerVertexId);
  const range = input.ranges[subtask];
  if (!producer || !range) return false;
  const [first, last] = range.partitions;
  // Even a task that reads no rows needs one partition of its input for the types.
  const needed = last < first ? producer.tasks.slice(0, 1) : producer.tasks.slice(first, last + 1);
  return needed.every((task) => task.state === 'FINISHED');
}
