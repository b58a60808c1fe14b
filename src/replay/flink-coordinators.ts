// Which vertices have operator coordinators, and whether these support batch snapshots. Flink does not record it: a
// snapshot is taken of all vertices with a finish since the last one, so an operator of such a vertex that gave no bytes
// does not support them (recovery rule 4). Doc: docs/flink.md "Sources without batch snapshots".
import type { ExecutionGraph, ExecutionJobVertex, OperatorCoordinatorState } from './execution-graph.ts';
import type { FinishedStep, FlinkStep } from './flink-history.ts';
import type { FlinkTopology } from './flink-topology.ts';

/** Sources of Flink itself whose enumerators support batch snapshots. */
const supportingSources = [
  'org.apache.flink.connector.file.src.FileSource',
  'org.apache.flink.connectors.hive.HiveSource',
  'org.apache.flink.api.connector.source.lib.NumberSequenceSource',
];

/** Operator id → whether it gave bytes when it was asked to. */
type Answers = Map<string, boolean>;

export interface CoordinatorEvidence {
  /** All that is known to have happened. */
  readonly happened: readonly FlinkStep[];
  /** The finishes that a recovery keeps, in its order. */
  readonly kept: readonly FinishedStep[];
  /** Vertices of which the user says that they have a coordinator without snapshots. */
  readonly withoutSnapshot: ReadonlySet<string>;
}

/** Sets `coordinator` of every vertex that has one. */
export function judgeCoordinators(
  graph: ExecutionGraph,
  topology: FlinkTopology,
  { happened, kept, withoutSnapshot }: CoordinatorEvidence,
): void {
  const operatorsOf = coordinatorsByVertex(graph, topology);
  const answers = answersOf(happened, operatorsOf, new Set(graph.vertices.keys()));
  const bytes = lastBytes(kept);
  for (const [vertexId, operators] of operatorsOf) {
    const vertex = graph.vertices.get(vertexId);
    if (vertex === undefined) continue;
    const states = operators.map((operatorId) =>
      stateOf(operatorId, vertexId, { topology, answers, bytes, withoutSnapshot }),
    );
    const all = states.map((state) => state.supportsBatchSnapshot);
    const supportsBatchSnapshot = all.includes(false) ? false : all.includes(null) ? null : true;
    vertex.coordinator = {
      operators: new Map(states.map((state) => [state.operatorId, state])),
      supportsBatchSnapshot,
    };
  }
}

function coordinatorsByVertex(graph: ExecutionGraph, topology: FlinkTopology): Map<string, readonly string[]> {
  const operatorsOf = new Map<string, readonly string[]>();
  for (const { id, coordinators } of topology.vertices) {
    const vertex = graph.vertices.get(id);
    const operators = coordinators?.map((coordinator) => coordinator.operatorId) ?? assumedOperators(vertex, topology);
    if (operators.length > 0) operatorsOf.set(id, operators);
  }
  return operatorsOf;
}

/** Where nothing says it: a vertex without inputs is a source, and the head of its chain has the vertex's id. */
function assumedOperators(vertex: ExecutionJobVertex | undefined, { edges }: FlinkTopology): string[] {
  if (vertex === undefined || vertex.inputs.length > 0) return [];
  return edges.some((edge) => edge.consumerVertexId === vertex.id) ? [] : [vertex.id];
}

function answersOf(
  history: readonly FlinkStep[],
  operatorsOf: ReadonlyMap<string, readonly string[]>,
  vertexIds: ReadonlySet<string>,
): Answers {
  const answers: Answers = new Map();
  let asked = new Set<string>();
  let executionGraphId: string | null = null;
  for (const step of history) {
    if (step.kind !== 'finished') continue;
    if (step.executionGraphId !== executionGraphId) asked = new Set();
    executionGraphId = step.executionGraphId;
    asked.add(step.vertexId);
    if (step.snapshot === null) continue;
    for (const vertexId of asked) noteAnswers(answers, operatorsOf.get(vertexId) ?? [], step, vertexIds);
    asked = new Set();
  }
  return answers;
}

function noteAnswers(
  answers: Answers,
  operators: readonly string[],
  { snapshot }: FinishedStep,
  vertexIds: ReadonlySet<string>,
): void {
  const given = new Set(snapshot?.coordinators.map((coordinator) => coordinator.operatorId));
  // An id that is no vertex's is of an operator inside a chain: it may be the source's that is asked for by a vertex id.
  const hasChained = [...given].some((operator) => !vertexIds.has(operator));
  for (const operator of operators) {
    if (given.has(operator) || (hasChained && vertexIds.has(operator))) answers.set(operator, true);
    else answers.set(operator, false);
  }
}

/** The last one in the order of the replay wins, not the last one written. */
function lastBytes(kept: readonly FinishedStep[]): Map<string, number> {
  const coordinators = kept.flatMap(({ snapshot }) => snapshot?.coordinators ?? []);
  return new Map(coordinators.map(({ operatorId, bytes }) => [operatorId, bytes]));
}

interface Judgement {
  readonly topology: FlinkTopology;
  readonly answers: Answers;
  readonly bytes: ReadonlyMap<string, number>;
  readonly withoutSnapshot: ReadonlySet<string>;
}

function stateOf(operatorId: string, vertexId: string, known: Judgement): OperatorCoordinatorState {
  const supportsBatchSnapshot = known.withoutSnapshot.has(vertexId)
    ? false
    : (known.answers.get(operatorId) ?? bySourceClass(operatorId, known.topology));
  const bytes = known.bytes.get(operatorId) ?? 0;
  return {
    operatorId,
    supportsBatchSnapshot,
    assigned: new Map(),
    splits: new Map(),
    enumeratorState: null,
    finished: new Set(),
    bytes,
  };
}

function bySourceClass(operatorId: string, { vertices }: FlinkTopology): true | null {
  const coordinators = vertices.flatMap((vertex) => vertex.coordinators ?? []);
  const found = coordinators.find((coordinator) => coordinator.operatorId === operatorId)?.sourceClass ?? null;
  return found !== null && supportingSources.includes(found) ? true : null;
}
