// What makes Flink's replay throw, although every frame could be read (recovery rule 13): it then deletes the whole store
// and runs the job from scratch. Found in the order in which Flink meets it. Doc: docs/flink.md "When replay fails".
import type { FinishedStep, FlinkStep, InitializedStep, StepPlace } from './flink-history.ts';
import type { FlinkTopology } from './flink-topology.ts';

export interface ReplayFailure extends StepPlace {
  /** For an operator, one line, without a full stop. */
  readonly message: string;
}

/** The first failure, or null. `kept` are the finishes that are not dropped; the others are never looked at. */
export function findReplayFailure(
  history: readonly FlinkStep[],
  kept: readonly FinishedStep[],
  topology: FlinkTopology,
): ReplayFailure | null {
  const parallelismOf = new Map<string, number>();
  for (const step of history) {
    if (step.kind !== 'initialized') continue;
    const message = initializationProblem(step, parallelismOf, topology);
    if (message !== null) return { ...placeOf(step), message };
    parallelismOf.set(step.event.vertexId, step.event.parallelism);
  }
  const restorable = restorableOperators(parallelismOf, topology);
  for (const step of kept) {
    const message = finishProblem(step, parallelismOf, restorable);
    if (message !== null) return { ...placeOf(step), message };
  }
  return null;
}

function initializationProblem(
  { event }: InitializedStep,
  initialized: ReadonlyMap<string, number>,
  { basis, vertices, edges }: FlinkTopology,
): string | null {
  const { vertexId } = event;
  if (initialized.has(vertexId)) return `${vertexId} is initialized a second time`;
  const nameOf = (id: string) => vertices.find((vertex) => vertex.id === id)?.name ?? id;
  const isJobKnown = basis === 'job-graph' || basis === 'plan';
  if (isJobKnown && !vertices.some((vertex) => vertex.id === vertexId)) return `the job has no vertex ${vertexId}`;
  const missing = edges.find((edge) => edge.consumerVertexId === vertexId && !initialized.has(edge.producerVertexId));
  if (missing === undefined) return null;
  return `${nameOf(vertexId)} is initialized, but its producer ${nameOf(missing.producerVertexId)} is not`;
}

function finishProblem(
  step: FinishedStep,
  parallelismOf: ReadonlyMap<string, number>,
  restorable: ReadonlySet<string> | null,
): string | null {
  const parallelism = parallelismOf.get(step.vertexId);
  if (parallelism === undefined)
    return `${step.vertexId}#${step.subtask} finished, but no event initialized its vertex`;
  if (step.subtask >= parallelism) {
    return `${step.vertexId}#${step.subtask} finished, but its vertex was initialized with ${parallelism} tasks`;
  }
  if (restorable === null || step.snapshot === null) return null;
  const stranger = step.snapshot.coordinators.find(({ operatorId }) => !restorable.has(operatorId));
  if (stranger === undefined) return null;
  return `a snapshot is of the operator ${stranger.operatorId}, whose vertex no event initialized`;
}

/** Operators of the initialized vertices; null where the topology does not name the coordinators. */
function restorableOperators(
  initialized: ReadonlyMap<string, number>,
  { vertices }: FlinkTopology,
): ReadonlySet<string> | null {
  if (vertices.some((vertex) => vertex.coordinators === null)) return null;
  const restored = vertices.filter(({ id }) => initialized.has(id));
  return new Set(restored.flatMap(({ coordinators }) => (coordinators ?? []).map(({ operatorId }) => operatorId)));
}

function placeOf({ sequence, segment, offset }: StepPlace): StepPlace {
  return { sequence, segment, offset };
}
