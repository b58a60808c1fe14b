// A worker's database and folders in a temp folder, and deployments built from the parts that a test is about.
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBInstance, JS } from '@duckdb/node-api';
import { runTask } from '../../../src/engine/kernel/run-task.ts';
import { partitionPath } from '../../../src/engine/partition-store/partition-path.ts';
import { PartitionVerifier } from '../../../src/engine/partition-store/partition-verifier.ts';
import type {
  PartitionLocation,
  TaskDeployment,
  TaskInput,
  TaskResult,
} from '../../../src/engine/protocol/messages.ts';
import type { Column, DataSet, JobVertex, SourceSpec, Step } from '../../../src/model/job-graph.ts';
import { describeQuery, openDatabase } from '../../../src/sql/duckdb.ts';

export interface TaskParts {
  readonly steps?: readonly Step[];
  readonly inputs?: readonly TaskInput[];
  readonly outputs?: readonly DataSet[];
  readonly sinks?: TaskDeployment['sinks'];
  readonly sinkFrom?: JobVertex['sinks'][number]['from'];
  readonly subtask?: number;
  readonly parallelism?: number;
  readonly attempt?: number;
  readonly timeoutMs?: number | null;
  readonly quarantine?: TaskDeployment['quarantine'];
}

export class Workbench {
  readonly folder: string;
  readonly database: DuckDBInstance;
  readonly verifier = new PartitionVerifier();

  private constructor(folder: string, database: DuckDBInstance) {
    this.folder = folder;
    this.database = database;
  }

  static async create(): Promise<Workbench> {
    const folder = await mkdtemp(join(tmpdir(), 'jobrec-kernel-'));
    for (const name of ['temp', 'functions', 'staging', 'worker']) await mkdir(join(folder, name));
    const tempDirectory = join(folder, 'temp');
    return new Workbench(
      folder,
      await openDatabase({ threads: 1, memoryLimitBytes: 512 * 1024 * 1024, tempDirectory }),
    );
  }

  async dispose(): Promise<void> {
    this.database.closeSync();
    await rm(this.folder, { recursive: true, force: true });
  }

  get workerFolder(): string {
    return join(this.folder, 'worker');
  }

  get staging(): string {
    return join(this.folder, 'staging');
  }

  deployment(parts: TaskParts): TaskDeployment {
    const inputs = parts.inputs ?? [];
    const sinks = parts.sinks ?? [];
    const steps = parts.steps ?? [];
    const sinkFrom = parts.sinkFrom ?? { kind: 'step', step: steps.length - 1 };
    return {
      jobId: 'job-1',
      epoch: 1,
      execution: { vertexId: 'a'.repeat(32), subtask: parts.subtask ?? 0, attempt: parts.attempt ?? 0 },
      vertex: {
        id: 'a'.repeat(32),
        name: steps.map(({ stage }) => stage).join(' -> ') || 'source',
        stages: steps.map(({ stage }) => stage),
        inputs: inputs.map((input) =>
          input.kind !== 'dataset'
            ? { kind: 'source', source: input.source.name }
            : { kind: 'dataset', datasetId: input.partitions[0]?.datasetId ?? 'none' },
        ),
        steps,
        outputs: parts.outputs ?? [],
        sinks: sinks.map(({ sink }) => ({ sink: sink.name, from: sinkFrom })),
        parallelism: parts.parallelism ?? 1,
        maxParallelism: parts.parallelism ?? 1,
      },
      parallelism: parts.parallelism ?? 1,
      inputs,
      sinks,
      functionsFolder: join(this.folder, 'functions'),
      timeoutMs: parts.timeoutMs ?? null,
      ...(parts.quarantine ? { quarantine: parts.quarantine } : {}),
    };
  }

  async run(parts: TaskParts, signal: AbortSignal = new AbortController().signal): Promise<TaskResult> {
    const { database, workerFolder, verifier } = this;
    return runTask(this.deployment(parts), { database, workerFolder, signal, verifier });
  }

  /** Runs SQL and gives its rows. */
  async rows(sql: string): Promise<JS[][]> {
    const connection = await this.database.connect();
    try {
      return await (await connection.runAndReadAll(sql)).getRowsJS();
    } finally {
      connection.closeSync();
    }
  }

  async describe(sql: string): Promise<Column[]> {
    const connection = await this.database.connect();
    try {
      return await describeQuery(connection, sql);
    } finally {
      connection.closeSync();
    }
  }

  /** A step over the inputs by name; `input(0)` unless said otherwise. */
  sql(stage: string, sql: string, inputs: Extract<Step, { kind: 'sql' }>['inputs']): Step {
    return { kind: 'sql', stage, sql, inputs, columns: null };
  }

  /** A map step whose module has this source text. */
  async map(stage: string, body: string, columns: readonly Column[] | null = null): Promise<Step> {
    const module = `${stage}-${Math.random().toString(36).slice(2)}.mjs`;
    await writeFile(join(this.folder, 'functions', module), body);
    return { kind: 'map', stage, module, exportName: 'run', input: { kind: 'input', input: 0 }, columns };
  }

  /** Location of what `run` produced for the data set. */
  location(datasetId: string, partitionIndex = 0, attempt = 0): PartitionLocation {
    const name = { datasetId, partitionIndex, attempt, epoch: 1 };
    return { ...name, path: partitionPath(this.workerFolder, name) };
  }

  /** A partition of the rows of `sql`, written by a task of its own, as an input of another. */
  async dataset(id: string, sql: string, options: Partial<DataSet> = {}, subtask = 0): Promise<TaskInput> {
    const output = dataset(id, { kind: 'step', step: 0 }, options);
    await this.run({ steps: [this.sql(id, sql, {})], outputs: [output], subtask });
    return { kind: 'dataset', partitions: [this.location(id, subtask)], subpartitions: [0, output.subpartitions - 1] };
  }

  /** A source over a file with this text. */
  async source(
    name: string,
    text: string,
    spec: Partial<SourceSpec> & Pick<SourceSpec, 'columns' | 'format'>,
  ): Promise<SourceSpec> {
    const path = join(this.folder, `${name}.${spec.format}`);
    await writeFile(path, text);
    return this.sourceAt(name, path, spec);
  }

  async sourceAt(
    name: string,
    path: string,
    spec: Partial<SourceSpec> & Pick<SourceSpec, 'columns' | 'format'>,
  ): Promise<SourceSpec> {
    const { size, mtimeMs } = await stat(path);
    const files = [{ path, bytes: size, modifiedMs: mtimeMs }];
    return { name, files, options: {}, onBadRow: 'fail', splits: [{ file: 0, rows: null, bytes: size }], ...spec };
  }
}

export function dataset(id: string, from: DataSet['from'], options: Partial<DataSet> = {}): DataSet {
  return { id, from, exchange: 'gather', by: [], subpartitions: 1, columns: null, ...options };
}

export const input = (index: number) => ({ kind: 'input', input: index }) as const;
export const step = (index: number) => ({ kind: 'step', step: index }) as const;
