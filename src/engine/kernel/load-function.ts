// Loads a map stage's or a source's function from its bundled module in the job's functions folder.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JS } from '@duckdb/node-api';
import { messageOf } from '../../model/errors.ts';
import type { FunctionRef } from '../../model/job-graph.ts';
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

/** A split as a reader function sees it. */
export interface ReadableSplit {
  readonly id: string;
  /** Absolute; null where the enumerator gave none. */
  readonly path: string | null;
  readonly rows: readonly [number, number] | null;
  /** What the enumerator gave with it; null: nothing. */
  readonly data: unknown;
}

export type ReaderFunction = (split: ReadableSplit, task: MapTask) => unknown;

/** `owner`: whose function it is, for messages: `stage x`. */
export async function loadMapFunction(functionsFolder: string, owner: string, step: FunctionRef): Promise<MapFunction> {
  return (await loadFunction(functionsFolder, owner, step)) as MapFunction;
}

export async function loadReader(functionsFolder: string, owner: string, reader: FunctionRef): Promise<ReaderFunction> {
  return (await loadFunction(functionsFolder, owner, reader)) as ReaderFunction;
}

async function loadFunction(functionsFolder: string, owner: string, named: FunctionRef): Promise<unknown> {
  const url = pathToFileURL(join(functionsFolder, named.module)).href;
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    throw new TaskError('task', `${owner}: its module cannot be loaded: ${messageOf(cause)}`);
  }
  const found = module[named.exportName];
  if (typeof found === 'function') return found;
  throw new TaskError('task', `${owner}: its module exports no function ${named.exportName}`);
}
