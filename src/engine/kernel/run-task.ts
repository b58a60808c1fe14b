// Runs one attempt of one task: inputs, the vertex's steps, outputs, the same check of the inputs again. What it wrote
// counts only when it returns; whatever it throws is a TaskError that says whose fault it was.
import { invariant, messageOf } from '../../model/errors.ts';
import type { ProducedPartition, StagedPart } from '../../model/job-events.ts';
import type { TaskDeployment, TaskResult } from '../protocol/messages.ts';
import { Attempt, type TaskEnvironment } from './attempt.ts';
import { rowMessageOf } from './bad-rows.ts';
import { isDiskError } from './disk-error.ts';
import { type RelationOf, runSteps } from './run-steps.ts';
import { TaskError } from './task-error.ts';
import { openInput, type TaskInputRelation } from './task-input.ts';
import { writePartition } from './write-partition.ts';
import { writeSink } from './write-sink.ts';

/** Throws TaskError. */
export async function runTask(deployment: TaskDeployment, environment: TaskEnvironment): Promise<TaskResult> {
  const startMs = performance.now();
  const attempt = await Attempt.open(deployment, environment);
  const inputs: TaskInputRelation[] = [];
  try {
    for (const [index, input] of deployment.inputs.entries()) inputs.push(await openInput(attempt, input, index));
    const outputs = await writeOutputs(attempt, await runSteps(attempt, inputs));
    for (const input of inputs) await input.recheck();
    attempt.throwIfStopped();
    return resultOf(inputs, outputs, performance.now() - startMs);
  } catch (error) {
    throw await failureOf(attempt, inputs, error);
  } finally {
    await attempt.close();
  }
}

interface Outputs {
  readonly partitions: readonly ProducedPartition[];
  readonly parts: readonly StagedPart[];
}

async function writeOutputs(attempt: Attempt, relationOf: RelationOf): Promise<Outputs> {
  const { vertex, sinks } = attempt.deployment;
  const partitions: ProducedPartition[] = [];
  const parts: StagedPart[] = [];
  for (const dataset of vertex.outputs) {
    partitions.push(await writePartition(attempt, dataset, relationOf(dataset.from)));
  }
  for (const [index, output] of vertex.sinks.entries()) {
    const target = sinks[index];
    invariant(target, `${vertex.name} has a folder for each of its sinks`);
    parts.push(...(await writeSink(attempt, target.sink, target.stagingFolder, relationOf(output.from))));
  }
  return { partitions, parts };
}

function resultOf(inputs: readonly TaskInputRelation[], outputs: Outputs, durationMs: number): TaskResult {
  const { partitions } = outputs;
  const parts = [...inputs.flatMap((input) => input.parts), ...outputs.parts];
  const recordsOut = sum([...partitions, ...parts].map(({ rows }) => rows));
  const metrics = {
    // Where nothing says how many rows a scan read, the rows that came out are the least it can have been.
    recordsIn: sum(inputs.map((input) => input.recordsIn ?? recordsOut)),
    recordsOut,
    bytesIn: sum(inputs.map((input) => input.bytesIn)),
    bytesOut: sum([...partitions, ...parts].map(({ bytes }) => bytes)),
    durationMs: Math.round(durationMs),
  };
  return { partitions, parts, metrics, badRows: sum(inputs.map((input) => input.badRows)) };
}

/** An input that changed or went while it was read is the cause of whatever else went wrong. */
async function failureOf(attempt: Attempt, inputs: readonly TaskInputRelation[], error: unknown): Promise<TaskError> {
  try {
    attempt.throwIfStopped();
    for (const input of inputs) await input.recheck();
  } catch (cause) {
    if (cause instanceof TaskError) return cause;
  }
  if (error instanceof TaskError && error.cause === undefined) return error;
  if (isDiskError(error)) return new TaskError('disk', messageOf(error), { cause: error });
  const message = await rowMessageOf(attempt, error instanceof TaskError ? error.cause : error).catch(() => null);
  if (message !== null) return new TaskError('task', message, { cause: error });
  return error instanceof TaskError ? error : new TaskError('task', messageOf(error), { cause: error });
}

function sum(values: readonly (number | null)[]): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}
