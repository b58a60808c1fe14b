// What really happened, as far as it can be known: the events that Flink replays, those that lie in bytes that it does not
// read, what a running cluster says of its tasks, and finishes that follow from others (a task that finished had all its
// inputs). A lost event still had its effects: results that were released are gone. Doc: docs/flink.md "Partitions that
// are gone although their worker lives".
import type { JobEvent } from '../model/job-events.ts';
import { applyEvent } from './apply-event.ts';
import type { ExecutionEdge, ExecutionGraph } from './execution-graph.ts';
import { taskKey } from './flink-finishes.ts';
import { type FinishedStep, type FlinkStep, type InitializedStep, stepOf } from './flink-history.ts';
import { connectedRanges } from './flink-inputs.ts';
import type { FlinkTopology } from './flink-topology.ts';

/** An event that Flink's replay does not see. */
export interface UnreadEvent {
  /** Events that Flink reads before it. */
  readonly after: number;
  readonly event: JobEvent;
}

/** A task that a running cluster calls finished. */
export interface FinishedTask {
  readonly vertexId: string;
  readonly subtask: number;
}

/** The history with the unread events in their places. */
export function withUnread(history: readonly FlinkStep[], unread: readonly UnreadEvent[]): readonly FlinkStep[] {
  if (unread.length === 0) return history;
  const place = { segment: '', offset: 0 };
  const steps = unread.flatMap(({ after, event }) => {
    const step = stepOf({ ...place, sequence: after, timeMicros: null, epoch: null, bytes: 0, event });
    return step === null ? [] : [{ at: after, step }];
  });
  const read = history.map((step) => ({ at: step.sequence + 0.5, step }));
  return [...steps, ...read].toSorted((one, other) => one.at - other.at).map(({ step }) => step);
}

/** Tasks of which the history has no finish, as finishes at its end under its last JobMaster. */
export function withFinished(history: readonly FlinkStep[], finished: readonly FinishedTask[]): readonly FlinkStep[] {
  if (finished.length === 0) return history;
  const known = new Set(history.flatMap((step) => (step.kind === 'finished' ? [keyOf(step)] : [])));
  const last = history.findLast((step) => step.kind === 'finished');
  const unknown = finished.filter((task) => !known.has(keyOf(task)));
  return [...history, ...unknown.map((task) => impliedFinish(task, last?.executionGraphId ?? ''))];
}

/** A copy of the graph in which vertices are initialized that only an unread event initializes. */
export function withUnreadVertices(
  graph: ExecutionGraph,
  unread: readonly UnreadEvent[],
  { edges }: FlinkTopology,
): ExecutionGraph {
  const vertices = new Map([...graph.vertices].map(([id, vertex]) => [id, { ...vertex }] as const));
  const copy: ExecutionGraph = { ...graph, vertices, byType: new Map(), edges };
  const position = { sequence: 0, timeMicros: null, epoch: null };
  for (const { event } of unread) {
    const isNew = event.type === 'job-vertex-initialized' && !isInitialized(copy, event.vertexId);
    if (isNew) applyEvent(copy, position, event);
  }
  return copy;
}

function isInitialized({ vertices }: ExecutionGraph, vertexId: string): boolean {
  return (vertices.get(vertexId)?.parallelism ?? null) !== null;
}

/** With the finishes that others prove, each before its first proof. `adaptive`: vertices initialized when their inputs were whole. */
export function withImplied(
  history: readonly FlinkStep[],
  graph: ExecutionGraph,
  adaptive: ReadonlySet<string>,
): readonly FlinkStep[] {
  const proof = new Proof(graph);
  return history.flatMap((step): readonly FlinkStep[] => {
    switch (step.kind) {
      case 'finished':
        return [...proof.inputsOf(step, step.executionGraphId), proof.seen(step)];
      case 'initialized':
        return adaptive.has(step.event.vertexId) ? [...proof.allInputsOf(step), step] : [step];
      default:
        return [step];
    }
  });
}

class Proof {
  readonly #graph: ExecutionGraph;
  readonly #edgesTo = new Map<string, ExecutionEdge[]>();
  readonly #known = new Set<string>();
  #executionGraphId = '';

  constructor(graph: ExecutionGraph) {
    this.#graph = graph;
    for (const edge of graph.edges) {
      this.#edgesTo.set(edge.consumerVertexId, [...(this.#edgesTo.get(edge.consumerVertexId) ?? []), edge]);
    }
  }

  seen(step: FinishedStep): FinishedStep {
    this.#known.add(keyOf(step));
    this.#executionGraphId = step.executionGraphId;
    return step;
  }

  /** Unknown finishes that this one rests on, the first of them first. */
  inputsOf({ vertexId, subtask }: FinishedTask, executionGraphId: string): FinishedStep[] {
    const found: FinishedStep[] = [];
    for (const task of this.#producersOf(vertexId, subtask)) {
      if (this.#known.has(keyOf(task))) continue;
      this.#known.add(keyOf(task));
      found.push(...this.inputsOf(task, executionGraphId), impliedFinish(task, executionGraphId));
    }
    return found;
  }

  allInputsOf({ event }: InitializedStep): FinishedStep[] {
    const subtasks = Array.from({ length: event.parallelism }, (_, subtask) => subtask);
    return subtasks.flatMap((subtask) => this.inputsOf({ vertexId: event.vertexId, subtask }, this.#executionGraphId));
  }

  *#producersOf(vertexId: string, subtask: number): Generator<FinishedTask> {
    const consumer = this.#graph.vertices.get(vertexId);
    for (const { producerVertexId, datasetId, distribution } of this.#edgesTo.get(vertexId) ?? []) {
      const producer = this.#graph.vertices.get(producerVertexId);
      const input = consumer?.inputs.find((each) => each.datasetId === datasetId);
      if (producer === undefined || input === undefined) continue;
      const [range] = connectedRanges(input.ranges.slice(subtask, subtask + 1), distribution, producer.tasks.length);
      const [first, last] = range?.partitions ?? [0, -1];
      for (let index = first; index <= last; index += 1) {
        if (producer.tasks[index] !== undefined) yield { vertexId: producerVertexId, subtask: index };
      }
    }
  }
}

function keyOf({ vertexId, subtask }: FinishedTask): string {
  return taskKey(vertexId, subtask);
}

function impliedFinish({ vertexId, subtask }: FinishedTask, executionGraphId: string): FinishedStep {
  return {
    kind: 'finished',
    sequence: 0,
    segment: '',
    offset: 0,
    vertexId,
    subtask,
    attempt: 0,
    workerId: '',
    metrics: { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0, durationMs: 0 },
    executionGraphId,
    hasSnapshot: false,
    snapshot: null,
  };
}
