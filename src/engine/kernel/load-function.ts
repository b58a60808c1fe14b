// Loads a map stage's function from its bundled module in the job's functions folder.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JS } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import type { MapStep } from '../../model/job-graph.ts';
import { TaskError } from './task-error.ts';

export type Row = Record<string, JS>;

/** What a map function is told about the task that it runs in. */
export interface MapTask {
  readonly vertexName: string;
  readonly subtask: number;
  readonly parallelism: number;
  readonly attempt: number;
  /** Aborted when the attempt is canceled, out of time, or has ended. */
  readonly signal: AbortSignal;
}

export type MapFunction = (rows: AsyncIterable<Row>, task: MapTask) => unknown;

export async function loadMapFunction(functionsFolder: string, step: MapStep): Promise<MapFunction> {
  const url = pathToFileURL(join(functionsFolder, step.module)).href;
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    throw new TaskError('task', `stage ${step.stage}: its module cannot be loaded: ${messageOf(cause)}`);
  }
  const found = module[step.exportName];
  if (typeof found !== 'function') {
    throw new TaskError('task', `stage ${step.stage}: its module exports no function ${step.exportName}`);
  }
  return found as MapFunction;
}
