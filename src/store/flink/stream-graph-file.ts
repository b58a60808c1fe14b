// Reads a persisted StreamGraph (`submittedExecutionPlan*` of Flink 2.x) out of its Java stream. Its operators lie in
// streams of their own inside it. Fields that are not as Flink writes them leave the operator out, never a guess.
// Spec: docs/flink.md "The submitted job".
import { intField, unboxed } from './java-collections.ts';
import { JavaEnum, JavaObject } from './java-stream.ts';
import type { StreamEdgeFacts, StreamGraphFacts, StreamNodeFacts, StreamOperatorFacts } from './stream-graph.ts';
import {
  configOf,
  idField,
  listItems,
  mapEntries,
  nestedValue,
  objectField,
  objectsIn,
  refField,
  simpleName,
  stringField,
} from './topology-values.ts';

export const streamGraphClass = 'org.apache.flink.streaming.api.graph.StreamGraph';

/** The graph, or null where the operators cannot be found in it. */
export function readStreamGraph(graph: JavaObject): StreamGraphFacts | null {
  const holder = objectField(graph, 'userDefinedObjectsHolder');
  const nodeMap = holder === null ? null : mapEntries(nestedValue(objectField(holder, 'serializedStreamNodes')));
  if (holder === null || nodeMap === null) return null;
  const operators = operatorsIn(refField(holder, 'streamNodeToSerializedOperatorFactories'));
  const nodes = new Map<number, StreamNodeFacts>();
  for (const [, value] of nodeMap) {
    const node = value instanceof JavaObject ? nodeOf(value, operators) : null;
    if (node !== null) nodes.set(node.id, node);
  }
  const sources = [...(listItems(refField(graph, 'sources')) ?? [])]
    .map(unboxed)
    .filter((id) => typeof id === 'number');
  return {
    jobId: idField(graph, 'jobId'),
    name: stringField(graph, 'jobName'),
    nodes,
    sourceIds:
      sources.length > 0
        ? sources
        : [...nodes.values()].filter((node) => node.inEdges.length === 0).map((node) => node.id),
    config: configOf(objectField(graph, 'jobConfiguration')),
  };
}

type Operators = ReadonlyMap<number, StreamOperatorFacts>;

/** Pairs of node id and serialized factory. */
function operatorsIn(pairs: unknown): Operators {
  const operators = new Map<number, StreamOperatorFacts>();
  for (const pair of objectsIn(pairs)) {
    const id = unboxed(refField(pair, 'f0'));
    const factory = nestedValue(objectField(pair, 'f1'));
    if (typeof id === 'number' && factory instanceof JavaObject) operators.set(id, operatorOf(factory));
  }
  return operators;
}

function operatorOf(factory: JavaObject): StreamOperatorFacts {
  const chaining = factory.field('chainingStrategy');
  return {
    factory: factory.className,
    chaining: chaining instanceof JavaEnum ? chaining.name : 'ALWAYS',
    sourceClass: objectField(factory, 'source')?.className ?? null,
  };
}

function nodeOf(node: JavaObject, operators: Operators): StreamNodeFacts | null {
  const id = intField(node, 'id');
  if (id === null) return null;
  return {
    id,
    name: stringField(node, 'operatorName') ?? `node ${id}`,
    parallelism: intField(node, 'parallelism') ?? -1,
    maxParallelism: intField(node, 'maxParallelism') ?? -1,
    parallelismConfigured: node.field('parallelismConfigured') === true,
    slotSharingGroup: stringField(node, 'slotSharingGroup'),
    uid: stringField(node, 'transformationUID'),
    inEdges: edgesIn(refField(node, 'inEdges')),
    outEdges: edgesIn(refField(node, 'outEdges')),
    operator: operators.get(id) ?? null,
  };
}

function edgesIn(value: unknown): StreamEdgeFacts[] {
  return objectsIn(value).flatMap((edge) => {
    const [sourceId, targetId] = [intField(edge, 'sourceId'), intField(edge, 'targetId')];
    const edgeId = stringField(edge, 'edgeId');
    if (sourceId === null || targetId === null || edgeId === null) return [];
    const mode = edge.field('exchangeMode');
    return [
      {
        edgeId,
        sourceId,
        targetId,
        typeNumber: intField(edge, 'typeNumber') ?? 0,
        partitioner: simpleName(objectField(edge, 'outputPartitioner')?.className ?? ''),
        exchangeMode: mode instanceof JavaEnum ? mode.name : 'UNDEFINED',
        hasOutputTag: refField(edge, 'outputTag') !== null,
      },
    ];
  });
}
