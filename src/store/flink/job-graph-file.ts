// Reads a persisted JobGraph (`submittedJobGraph*` of Flink 1.20, and what 2.x persists of a job submitted as one) out of
// its Java stream: vertices, their results and inputs, their coordinators. Spec: docs/flink.md "The submitted job".
import type { FlinkCoordinator, FlinkJob, FlinkJobEdge, FlinkJobVertex } from '../../model/flink-job.ts';
import type { Distribution } from '../../model/job-graph.ts';
import { intField } from './java-collections.ts';
import { JavaEnum, JavaObject } from './java-stream.ts';
import {
  configOf,
  idField,
  idText,
  mapEntries,
  nestedValue,
  objectField,
  objectsIn,
  refField,
  stringField,
} from './topology-values.ts';

export const jobGraphClass = 'org.apache.flink.runtime.jobgraph.JobGraph';

/** The job, or null where the vertices cannot be found in it. */
export function readJobGraph(graph: JavaObject): FlinkJob | null {
  const entries = mapEntries(refField(graph, 'taskVertices'));
  if (entries === null) return null;
  const vertices = [...entries].map(([, vertex]) => vertex).filter((vertex) => vertex instanceof JavaObject);
  return {
    source: 'job-graph',
    jobId: idField(graph, 'jobID') ?? idField(graph, 'jobId'),
    name: stringField(graph, 'jobName'),
    vertices: vertices.flatMap(vertexOf),
    edges: vertices.flatMap(inputEdges),
    config: configOf(objectField(graph, 'jobConfiguration')),
    subtasks: [],
  };
}

function vertexOf(vertex: JavaObject): FlinkJobVertex[] {
  const id = idField(vertex, 'id');
  if (id === null) return [];
  const parallelism = intField(vertex, 'parallelism');
  return [
    {
      id,
      name: stringField(vertex, 'name'),
      parallelism: parallelism !== null && parallelism > 0 ? parallelism : null,
      coordinators: objectsIn(refField(vertex, 'operatorCoordinators')).flatMap(coordinatorOf),
    },
  ];
}

/** A serialized provider: of a source, or of another operator with a coordinator. */
function coordinatorOf(serialized: JavaObject): FlinkCoordinator[] {
  const provider = nestedValue(serialized);
  if (!(provider instanceof JavaObject)) return [];
  for (const { value } of provider.fields()) {
    const isOperatorId = value instanceof JavaObject && value.className.endsWith('.OperatorID');
    const operatorId = isOperatorId ? idText(value) : null;
    if (operatorId !== null) return [{ operatorId, sourceClass: objectField(provider, 'source')?.className ?? null }];
  }
  return [];
}

function inputEdges(consumer: JavaObject): FlinkJobEdge[] {
  const consumerVertexId = idField(consumer, 'id');
  return objectsIn(refField(consumer, 'inputs')).flatMap((edge) => {
    const dataSet = objectField(edge, 'source');
    const producer = dataSet === null ? null : objectField(dataSet, 'producer');
    const producerVertexId = producer === null ? null : idField(producer, 'id');
    if (consumerVertexId === null || producerVertexId === null || dataSet === null) return [];
    return [
      { producerVertexId, consumerVertexId, datasetId: idField(dataSet, 'id'), distribution: distributionOf(edge) },
    ];
  });
}

function distributionOf(edge: JavaObject): Distribution | null {
  if (edge.field('isBroadcast') === true) return 'BROADCAST';
  const pattern = edge.field('distributionPattern');
  if (!(pattern instanceof JavaEnum)) return null;
  return pattern.name === 'POINTWISE' ? 'POINTWISE' : 'ALL_TO_ALL';
}
