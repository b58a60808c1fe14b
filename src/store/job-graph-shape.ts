// The shape of a JobGraph as recorded in `job-submitted`: checked once a store, before anything relies on it.
// Mirrors model/job-graph.ts; a field added there is added here as optional, because old stores lack it.
import type { JobGraph } from '../model/job-graph.ts';
import { exchangeKinds, shuffleKinds } from '../model/job-graph.ts';
import {
  isCount,
  isFlag,
  isNumber,
  isText,
  listOf,
  mapOf,
  nullable,
  objectOf,
  oneOf,
  optional,
  tupleOf,
  variantsOf,
} from './shape.ts';

const column = objectOf({ name: isText, type: isText });
const columns = nullable(listOf(column));
const exchange = oneOf(...exchangeKinds);
const stepInput = variantsOf({ step: objectOf({ step: isCount }), input: objectOf({ input: isCount }) });

const step = variantsOf({
  sql: objectOf({ stage: isText, sql: isText, inputs: mapOf(stepInput), columns }),
  map: objectOf({ stage: isText, module: isText, exportName: isText, input: stepInput, columns }),
});

const vertexInput = variantsOf({ dataset: objectOf({ datasetId: isText }), source: objectOf({ source: isText }) });

const dataSet = objectOf({
  id: isText,
  from: stepInput,
  exchange,
  by: listOf(objectOf({ column: isText, castType: nullable(isText) })),
  subpartitions: isCount,
  columns: nullable(listOf(isText)),
});

const vertex = objectOf({
  id: isText,
  name: isText,
  stages: listOf(isText),
  inputs: listOf(vertexInput),
  steps: listOf(step),
  outputs: listOf(dataSet),
  sinks: listOf(objectOf({ sink: isText, from: stepInput })),
  parallelism: nullable(isCount),
  maxParallelism: isCount,
});

const reader = objectOf({ module: isText, exportName: isText });

const source = objectOf({
  name: isText,
  format: oneOf('parquet', 'csv', 'json'),
  files: listOf(objectOf({ path: isText, bytes: isCount, modifiedMs: isNumber })),
  options: objectOf({
    delimiter: optional(isText),
    header: optional(isFlag),
    quote: optional(isText),
    nullString: optional(isText),
    columns: optional(mapOf(isText)),
  }),
  onBadRow: oneOf('fail', 'skip', 'quarantine'),
  columns: listOf(column),
  enumerator: optional(
    objectOf({ module: isText, exportName: isText, reader: nullable(reader), parallelism: isCount, folder: isText }),
  ),
  splits: listOf(objectOf({ file: isCount, rows: nullable(tupleOf(isCount, isCount)), bytes: isCount })),
});

const sink = objectOf({
  name: isText,
  path: isText,
  format: oneOf('parquet', 'csv', 'json'),
  mode: oneOf('error-if-occupied', 'overwrite', 'append'),
});

const edge = objectOf({ producerVertexId: isText, consumerVertexId: isText, datasetId: isText, exchange });

const streamOperator = objectOf({
  name: isText,
  uid: isText,
  operatorId: isText,
  input: nullable(isCount),
  // Its fields are the engine's: an older jobrec that does not know a kind can still replay the job.
  spec: objectOf({ kind: isText }),
});

const streamVertex = objectOf({
  vertexId: isText,
  name: isText,
  parallelism: isCount,
  operators: listOf(streamOperator),
  inputs: listOf(objectOf({ datasetId: isText, producerVertexId: isText })),
  outputs: listOf(objectOf({ datasetId: isText, consumerVertexId: isText, operator: isCount, exchange: isText })),
});

const jobGraph = objectOf({
  name: isText,
  shuffle: optional(oneOf(...shuffleKinds)),
  vertices: listOf(vertex),
  edges: listOf(edge),
  sources: listOf(source),
  sinks: listOf(sink),
  duckdbVersion: isText,
  streaming: optional(
    objectOf({
      restore: optional(objectOf({ path: isText, allowNonRestoredState: isFlag })),
      maxParallelism: isCount,
      vertices: listOf(streamVertex),
    }),
  ),
});

export function isJobGraph(value: unknown): value is JobGraph {
  return jobGraph(value);
}
