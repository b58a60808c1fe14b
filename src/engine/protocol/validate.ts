// Checks every received message before anyone acts on it. A message that does not fit is a ProtocolViolation that names
// the sender and the first field that is wrong. The plan inside a deployment is checked for its shape only: it comes
// from the JobMaster that holds the job's token, and it is the largest and most frequent message.
import * as v from 'valibot';
import type { JobVertex, SinkSpec, SourceSpec } from '../../model/job-graph.ts';
import { jobStates } from '../../model/states.ts';
import { streamToJobMaster, streamToTaskManager } from '../streaming/protocol/validate-stream.ts';
import {
  savepointPurposes,
  type ToClient,
  type ToJobMaster,
  type ToShuffleService,
  type ToTaskManager,
} from './messages.ts';
import { ProtocolViolation } from './protocol-violation.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(4096));
/** Becomes part of a path: nothing that leads elsewhere. */
const fileName = v.pipe(name, v.regex(/^[^./\\][^/\\]*$/, 'is no file name'));
const text = v.pipe(v.string(), v.maxLength(1024 * 1024));
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(65536));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
/** Inclusive; a range that ends just before it begins is empty: such a task has no rows to read of that input. */
const range = v.pipe(
  v.tuple([count, v.pipe(v.number(), v.safeInteger(), v.minValue(-1))]),
  v.check(([from, to]) => from <= to + 1, 'is a range that ends before it begins'),
);

const executionRef = v.object({ vertexId: name, subtask: count, attempt: count });
const partitionFields = { datasetId: name, partitionIndex: count, attempt: count, epoch: count };
const partitionName = v.object({ ...partitionFields, datasetId: fileName });
const wholePartition = v.object({ ...partitionFields, bytes: count });
const partitionLocation = v.object({ ...partitionFields, path });
const producedPartition = v.object({
  datasetId: name,
  partitionIndex: count,
  bytes: v.nullable(count),
  rows: v.nullable(count),
  subpartitionRows: v.nullable(v.array(count)),
});
const metrics = v.object({
  recordsIn: count,
  recordsOut: count,
  bytesIn: count,
  bytesOut: count,
  durationMs: milliseconds,
});
const stagedPart = v.object({ sink: name, file: name, rows: count, bytes: count });
const taskResult = v.object({
  partitions: v.array(producedPartition),
  parts: v.array(stagedPart),
  metrics,
  badRows: count,
});
const taskFailure = v.object({
  kind: v.picklist(['task', 'partition', 'source-changed', 'disk', 'canceled']),
  message: text,
  partition: v.nullable(v.object({ datasetId: name, partitionIndex: count })),
});

const toJobMaster = v.variant('type', [
  v.object({ type: v.literal('stream'), epoch: count, message: streamToJobMaster }),
  v.object({
    type: v.literal('register-worker'),
    token: name,
    workerId: name,
    pid: count,
    slots: v.pipe(count, v.minValue(1)),
    partitions: v.array(wholePartition),
  }),
  v.object({
    type: v.literal('register-shuffle-service'),
    token: name,
    serviceId: fileName,
    pid: count,
    partitions: v.array(wholePartition),
  }),
  v.object({ type: v.literal('partitions-taken'), epoch: count, handOver: count }),
  v.object({
    type: v.literal('partitions-refused'),
    epoch: count,
    handOver: count,
    missing: v.boolean(),
    message: text,
  }),
  v.object({ type: v.literal('heartbeat') }),
  v.object({ type: v.literal('task-finished'), epoch: count, execution: executionRef, result: taskResult }),
  v.object({ type: v.literal('task-failed'), epoch: count, execution: executionRef, failure: taskFailure }),
  v.object({ type: v.literal('split-request'), epoch: count, execution: executionRef, input: count }),
  v.object({ type: v.literal('attach-client'), token: name, pid: count }),
  v.object({
    type: v.literal('control'),
    token: name,
    command: v.picklist(['cancel', 'suspend']),
    reason: text,
  }),
  v.object({ type: v.literal('savepoint'), token: name, folder: path, purpose: v.picklist(savepointPurposes) }),
]);

/** Whether `value` is an object with an array under each of `arrays` and a string under each of `strings`. */
function hasShape(value: unknown, strings: readonly string[], arrays: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return strings.every((key) => typeof fields[key] === 'string') && arrays.every((key) => Array.isArray(fields[key]));
}

const vertex = v.custom<JobVertex>(
  (value) => hasShape(value, ['id', 'name'], ['stages', 'inputs', 'steps', 'outputs', 'sinks']),
  'is not a job vertex',
);
const source = v.custom<SourceSpec>(
  (value) => hasShape(value, ['name', 'format', 'onBadRow'], ['files', 'columns', 'splits']),
  'is not a source',
);
const sink = v.custom<SinkSpec>((value) => hasShape(value, ['name', 'path', 'format', 'mode'], []), 'is not a sink');
const taskInput = v.variant('kind', [
  v.object({ kind: v.literal('dataset'), partitions: v.array(partitionLocation), subpartitions: range }),
  v.object({ kind: v.literal('source'), source, splits: v.array(count) }),
  v.object({ kind: v.literal('enumerated'), source }),
]);
const deployment = v.pipe(
  v.object({
    jobId: name,
    epoch: count,
    execution: executionRef,
    vertex,
    parallelism: v.pipe(count, v.minValue(1)),
    inputs: v.array(taskInput),
    sinks: v.array(v.object({ sink, stagingFolder: path })),
    quarantine: v.exactOptional(v.object({ sink: name, stagingFolder: path })),
    functionsFolder: path,
    timeoutMs: v.nullable(milliseconds),
  }),
  v.check((value) => value.inputs.length === value.vertex.inputs.length, 'has not one input for each of its vertex'),
  v.check((value) => value.sinks.length === value.vertex.sinks.length, 'has not one sink for each of its vertex'),
);

const foundSplit = v.object({
  id: text,
  file: v.nullable(v.object({ path, bytes: count, modifiedMs: v.pipe(v.number(), v.finite()) })),
  rows: v.nullable(v.tuple([count, count])),
  data: v.nullable(text),
});

const toTaskManager = v.variant('type', [
  v.object({ type: v.literal('stream'), epoch: count, message: streamToTaskManager }),
  v.object({ type: v.literal('registered'), epoch: count }),
  v.object({ type: v.literal('heartbeat') }),
  v.object({ type: v.literal('deploy'), deployment }),
  v.object({ type: v.literal('cancel'), epoch: count, execution: executionRef }),
  v.object({ type: v.literal('release-partitions'), epoch: count, partitions: v.array(partitionName) }),
  v.object({
    type: v.literal('split'),
    epoch: count,
    execution: executionRef,
    input: count,
    split: v.nullable(foundSplit),
  }),
  v.object({ type: v.literal('shutdown'), epoch: count }),
]);

const toShuffleService = v.variant('type', [
  v.object({ type: v.literal('registered'), epoch: count }),
  v.object({ type: v.literal('heartbeat') }),
  v.object({
    type: v.literal('take-partitions'),
    epoch: count,
    handOver: count,
    workerId: fileName,
    partitions: v.array(partitionName),
  }),
  v.object({ type: v.literal('release-partitions'), epoch: count, partitions: v.array(partitionName) }),
  v.object({ type: v.literal('shutdown'), epoch: count }),
]);

const jobState = v.picklist(jobStates);
const vertexProgress = v.object({
  name,
  parallelism: v.nullable(count),
  finished: count,
  running: count,
  lastCheckpointId: v.exactOptional(count),
});
const toClient = v.variant('type', [
  v.object({ type: v.literal('status'), state: jobState, reason: v.nullable(text) }),
  v.object({ type: v.literal('progress'), vertices: v.array(vertexProgress) }),
  v.object({ type: v.literal('notice'), message: text }),
  v.object({ type: v.literal('savepoint-taken'), checkpointId: count, path, bytes: count }),
  v.object({ type: v.literal('savepoint-failed'), reason: text }),
]);

/** A message to the JobMaster from `side`, or what is wrong with it. */
export function parseToJobMaster(value: unknown, side = 'the other side'): ToJobMaster | ProtocolViolation {
  return parse<ToJobMaster>(toJobMaster, value, side);
}

/** A message to a TaskManager from `side`, or what is wrong with it. */
export function parseToTaskManager(value: unknown, side = 'the JobMaster'): ToTaskManager | ProtocolViolation {
  return parse<ToTaskManager>(toTaskManager, value, side);
}

/** A message to the shuffle service from `side`, or what is wrong with it. */
export function parseToShuffleService(value: unknown, side = 'the JobMaster'): ToShuffleService | ProtocolViolation {
  return parse<ToShuffleService>(toShuffleService, value, side);
}

/** A message to the client from `side`, or what is wrong with it. */
export function parseToClient(value: unknown, side = 'the JobMaster'): ToClient | ProtocolViolation {
  return parse<ToClient>(toClient, value, side);
}

function parse<Message>(
  schema: v.GenericSchema<unknown, Message>,
  value: unknown,
  side: string,
): Message | ProtocolViolation {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const type = v.getDotPath(result.issues[0]) === 'type' ? 'message' : typeOf(value);
  const field = v.getDotPath(result.issues[0]);
  const where = field === null ? '' : ` in ${field}`;
  return new ProtocolViolation(side, `sent a ${type} that does not fit${where}: ${result.issues[0].message}`);
}

function typeOf(value: unknown): string {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
  return typeof type === 'string' ? `'${type.slice(0, 40)}' message` : 'message';
}
