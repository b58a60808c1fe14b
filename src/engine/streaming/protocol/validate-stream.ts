// Checks the messages of a streaming job on receipt. The plan inside a deployment is checked for its shape only: it
// comes from the JobMaster that holds the job's token.
import * as v from 'valibot';
import type { StreamingPlan } from '../../../model/streaming-plan.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const name = v.pipe(v.string(), v.maxLength(4096));
const text = v.pipe(v.string(), v.maxLength(1024 * 1024));
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(65_536));
const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const bytes = v.custom<Uint8Array>((value) => value instanceof Uint8Array, 'is not bytes');
const task = v.object({ vertexId: name, subtask: count });
const port = v.pipe(count, v.minValue(1), v.maxValue(65_535));

const plan = v.custom<StreamingPlan>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'vertices' in value &&
    Array.isArray(value.vertices) &&
    'maxParallelism' in value &&
    typeof value.maxParallelism === 'number',
  'is not a streaming plan',
);

const deployment = v.object({
  jobId: name,
  epoch: count,
  attempt: count,
  slot: count,
  plan,
  tasks: v.array(task),
  restoreFrom: v.nullable(path),
  functionsFolder: path,
  logsFolder: path,
  inlineThresholdBytes: count,
  writesFiles: v.boolean(),
  bufferTimeoutMs: milliseconds,
  watermarkIntervalMs: milliseconds,
  token: name,
});

export const barrierSchema = v.object({
  checkpointId: count,
  folder: path,
  mode: v.picklist(['go-on', 'stop', 'drain']),
});

export const streamToTaskManager = v.variant('type', [
  v.object({ type: v.literal('deploy'), deployment }),
  v.object({
    type: v.literal('connect'),
    attempt: count,
    addresses: v.array(v.object({ vertexId: name, subtask: count, port })),
  }),
  v.object({ type: v.literal('trigger'), attempt: count, barrier: barrierSchema }),
  v.object({ type: v.literal('complete'), attempt: count, checkpointId: count }),
  v.object({ type: v.literal('finish'), attempt: count }),
  v.object({ type: v.literal('cancel'), attempt: count }),
]);

const stateHandle = v.variant('kind', [
  v.object({ kind: v.literal('inline'), bytes }),
  v.object({ kind: v.literal('file'), name, length: count, crc: count }),
]);
const keyedHandle = v.object({
  state: stateHandle,
  blocks: v.array(v.object({ keyGroup: count, length: count })),
});
const part = v.object({ sink: name, staged: path, final: path, rows: count, bytes: count });

export const streamToJobMaster = v.variant('type', [
  v.object({ type: v.literal('listening'), attempt: count, slot: count, port }),
  v.object({ type: v.literal('running'), attempt: count, slot: count }),
  v.object({
    type: v.literal('acknowledge'),
    attempt: count,
    checkpointId: count,
    task,
    operators: v.array(
      v.object({
        operatorId: name,
        keyed: v.nullable(keyedHandle),
        operator: v.nullable(stateHandle),
        droppedRows: count,
      }),
    ),
    parts: v.array(part),
  }),
  v.object({ type: v.literal('decline'), attempt: count, checkpointId: count, task, reason: text }),
  v.object({ type: v.literal('notice'), attempt: count, message: text }),
  v.object({ type: v.literal('end-of-data'), attempt: count, task }),
  v.object({
    type: v.literal('failed'),
    attempt: count,
    task: v.nullable(task),
    message: text,
    isConsequence: v.boolean(),
  }),
  v.object({ type: v.literal('ended'), attempt: count, slot: count }),
]);
