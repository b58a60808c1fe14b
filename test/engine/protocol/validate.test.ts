// Every kind of message passes as it is; every field that does not fit is named together with the sender.
import { describe, expect, it } from 'vitest';
import type { TaskDeployment } from '../../../src/engine/protocol/messages.ts';
import { ProtocolViolation } from '../../../src/engine/protocol/protocol-violation.ts';
import {
  parseToClient,
  parseToJobMaster,
  parseToShuffleService,
  parseToTaskManager,
} from '../../../src/engine/protocol/validate.ts';

const execution = { vertexId: 'a'.repeat(32), subtask: 0, attempt: 1 };
const metrics = { recordsIn: 1, recordsOut: 2, bytesIn: 3, bytesOut: 4, durationMs: 5.5 };
const result = {
  partitions: [{ datasetId: 'd', partitionIndex: 0, bytes: 1, rows: 2, subpartitionRows: [1, 1] }],
  parts: [{ sink: 'out', file: 'part-0.parquet', rows: 1, bytes: 9 }],
  metrics,
  badRows: 0,
};
const deployment: TaskDeployment = {
  jobId: 'j',
  epoch: 1,
  execution,
  vertex: {
    id: execution.vertexId,
    name: 'v',
    stages: ['v'],
    inputs: [{ kind: 'dataset', datasetId: 'd' }],
    steps: [],
    outputs: [],
    sinks: [],
    parallelism: 1,
    maxParallelism: 1,
  },
  parallelism: 1,
  inputs: [{ kind: 'dataset', partitions: [], subpartitions: [0, 0] }],
  sinks: [],
  functionsFolder: '/f',
  timeoutMs: null,
};

const toJobMaster = [
  { type: 'heartbeat' },
  {
    type: 'register-worker',
    token: 't',
    workerId: 'w',
    pid: 1,
    slots: 2,
    partitions: [{ datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1, bytes: 2 }],
  },
  { type: 'task-finished', epoch: 1, execution, result },
  { type: 'task-failed', epoch: 1, execution, failure: { kind: 'task', message: 'm', partition: null } },
  { type: 'attach-client', token: 't', pid: 3 },
  { type: 'control', token: 't', command: 'cancel', reason: 'r' },
  { type: 'split-request', epoch: 1, execution, input: 0 },
  {
    type: 'register-shuffle-service',
    token: 't',
    serviceId: 'shuffle-service',
    pid: 1,
    partitions: [{ datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1, bytes: 2 }],
  },
  { type: 'partitions-taken', epoch: 1, handOver: 3 },
  { type: 'partitions-refused', epoch: 1, handOver: 3, missing: true, message: 'm' },
  { type: 'savepoint', token: 't', folder: '/s', purpose: 'drain' },
];
const toTaskManager = [
  { type: 'registered', epoch: 1 },
  { type: 'heartbeat' },
  { type: 'deploy', deployment },
  { type: 'cancel', epoch: 1, execution },
  {
    type: 'release-partitions',
    epoch: 1,
    partitions: [{ datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1 }],
  },
  {
    type: 'split',
    epoch: 1,
    execution,
    input: 1,
    split: { id: 'a', file: { path: '/a', bytes: 3, modifiedMs: 1.5 }, rows: [0, 9], data: '{}' },
  },
  { type: 'split', epoch: 1, execution, input: 0, split: null },
  { type: 'shutdown', epoch: 1 },
];
const partition = { datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1 };
const takePartitions = { type: 'take-partitions', epoch: 1, handOver: 2, workerId: 'w', partitions: [partition] };
const toShuffleService = [
  { type: 'registered', epoch: 1 },
  { type: 'heartbeat' },
  takePartitions,
  { type: 'release-partitions', epoch: 1, partitions: [partition] },
  { type: 'shutdown', epoch: 1 },
];
const toClient = [
  { type: 'status', state: 'RUNNING', reason: null },
  { type: 'progress', vertices: [{ name: 'v', parallelism: null, finished: 0, running: 1 }] },
  { type: 'notice', message: 'm' },
];

describe('messages that fit', () => {
  it.each(toJobMaster)('pass to the JobMaster: $type', (message) => {
    expect(parseToJobMaster(message)).toEqual(message);
  });
  it.each(toTaskManager)('pass to a TaskManager: $type', (message) => {
    expect(parseToTaskManager(message)).toEqual(message);
  });
  it.each(toShuffleService)('pass to the shuffle service: $type', (message) => {
    expect(parseToShuffleService(message)).toEqual(message);
  });
  it.each(toClient)('pass to the client: $type', (message) => {
    expect(parseToClient(message)).toEqual(message);
  });
});

describe('messages that do not fit', () => {
  it.each([
    [{ type: 'nonsense' }, /^TaskManager w1 sent a message that does not fit in type/],
    [{}, /^TaskManager w1 sent a message that does not fit in type/],
    [{ ...toJobMaster[2], epoch: -1 }, /^TaskManager w1 sent a 'task-finished' message that does not fit in epoch/],
    [{ ...toJobMaster[1], slots: 0 }, /in slots/],
    [{ ...toJobMaster[1], partitions: [{ datasetId: 'd' }] }, /in partitions\.0\./],
    [{ ...toJobMaster[5], command: 'explode' }, /in command/],
    [{ ...toJobMaster[6], input: -1 }, /'split-request' message that does not fit in input/],
    [{ ...toJobMaster[6], execution: null }, /in execution/],
    [{ ...toJobMaster[2], result: { ...result, badRows: 1.5 } }, /in result\.badRows/],
  ])('to the JobMaster: %j', (message, expected) => {
    const violation = parseToJobMaster(message, 'TaskManager w1');
    expect(violation).toBeInstanceOf(ProtocolViolation);
    expect((violation as ProtocolViolation).message).toMatch(expected);
    expect((violation as ProtocolViolation).side).toBe('TaskManager w1');
  });

  it.each([
    [{ ...takePartitions, workerId: '../worker-1' }, /^the JobMaster sent .* in workerId/],
    [{ ...takePartitions, partitions: [{ ...partition, datasetId: 'a/b' }] }, /in partitions\.0\.datasetId/],
    [{ ...takePartitions, handOver: -1 }, /in handOver/],
  ])('to the shuffle service: %j', (message, expected) => {
    const violation = parseToShuffleService(message);
    expect(violation).toBeInstanceOf(ProtocolViolation);
    expect((violation as ProtocolViolation).message).toMatch(expected);
  });

  it.each([
    [{ split: { id: 'a', file: null, rows: [0], data: null } }, /in split\.rows/],
    [
      { split: { id: 'a', file: { path: '', bytes: 1, modifiedMs: 1 }, rows: null, data: null } },
      /in split\.file\.path/,
    ],
    [{ split: { id: 5, file: null, rows: null, data: null } }, /in split\.id/],
    [{ split: undefined }, /in split/],
  ])('a split: %j', (change, expected) => {
    const violation = parseToTaskManager({ type: 'split', epoch: 1, execution, input: 0, ...change });
    expect(violation).toBeInstanceOf(ProtocolViolation);
    expect((violation as ProtocolViolation).message).toMatch(expected);
  });

  it.each([
    ['no vertex', { ...deployment, vertex: { id: 'x' } }, /in deployment\.vertex/],
    ['fewer inputs than the vertex', { ...deployment, inputs: [] }, /not one input for each/],
    ['a range upside down', { ...deployment, inputs: [{ ...deployment.inputs[0], subpartitions: [3, 1] }] }, /range/],
    ['no parallelism', { ...deployment, parallelism: 0 }, /in deployment\.parallelism/],
  ])('a deployment with %s', (_what, bad, expected) => {
    const violation = parseToTaskManager({ type: 'deploy', deployment: bad });
    expect(violation).toBeInstanceOf(ProtocolViolation);
    expect((violation as ProtocolViolation).message).toMatch(expected);
  });
});
