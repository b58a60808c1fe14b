// The planner's front door: from a job file to the JobGraph that the engine runs. Everything that can be wrong with a
// job (file, sources, SQL, exchanges, functions, options) is found here, before anything starts, as a JobrecError with
// file, line and column. Spec: docs/job-file.md.
import { dirname, resolve } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { JobrecError } from '../model/errors.ts';
import type { Fingerprint } from '../model/job-events.ts';
import type { ExchangeKind, JobGraph, SourceSpec } from '../model/job-graph.ts';
import { checkOption, type Options, readOptions } from '../model/options.ts';
import { duckdbVersion, openDatabase } from '../sql/duckdb.ts';
import { fingerprintOf } from './fingerprint.ts';
import { type BundledFunction, type BundledModule, bundleFunction } from './functions/bundle-functions.ts';
import { buildGraph } from './graph/build-graph.ts';
import type { PlannedStage } from './graph/planned-stage.ts';
import { checkJob, inputsOf } from './job-file/check-job.ts';
import type { Places } from './job-file/places.ts';
import { checkJobFile, readDocument, readJobText } from './job-file/read-job-file.ts';
import type { JobFile } from './job-file/schema.ts';
import { adaptiveParallelismMax, sourceParallelism } from './parallelism.ts';
import { planStages } from './plan-stages.ts';
import { planSinks } from './sinks.ts';
import { enumeratedSource } from './sources/enumerated-source.ts';
import { resolveSource } from './sources/resolve-sources.ts';
import { isStreaming, planStreamJob } from './streaming/plan-stream-job.ts';
import type { StreamJobFile } from './streaming/schema.ts';

export interface PlanRequest {
  /** Path of the job file, as the user wrote it; paths in the job are relative to it. `-`: to the working folder. */
  readonly path: string;
  /** The text of the file, where it is not to be read from `path` (standard input, tests). */
  readonly text?: string;
  /** Options that win over the file's `config`. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Slots of all workers together. */
  readonly totalSlots: number;
}

/** A row of `run --dry-run`: how a stage reads a source or another stage. */
export interface PlannedEdge {
  readonly from: string;
  readonly to: string;
  readonly exchange: ExchangeKind;
  readonly by: readonly string[];
  readonly why: string;
}

export interface PlannedJob {
  readonly graph: JobGraph;
  /** The effective configuration: Flink's option names, values as written. */
  readonly config: Readonly<Record<string, string>>;
  readonly fingerprint: Fingerprint;
  /** Bundled map functions, to be written into the job folder's `functions/`. */
  readonly modules: readonly BundledModule[];
  readonly edges: readonly PlannedEdge[];
  readonly warnings: readonly string[];
}

/** Plans a job. Throws JobrecError (JOB_FILE_*, SOURCE_UNREADABLE, SQL_INVALID, EXCHANGE_REFUSED, FUNCTION_INVALID). */
export async function planJob(request: PlanRequest): Promise<PlannedJob> {
  const text = request.text ?? (await readJobText(request.path));
  const isStandardInput = request.path === '-';
  const document = readDocument(isStandardInput ? '<stdin>' : request.path, text);
  const folder = isStandardInput ? process.cwd() : dirname(resolve(request.path));
  if (isStreaming(document)) {
    const configOf = (job: StreamJobFile) => ({ ...fileConfig(job, document.places), ...request.overrides });
    return planStreamJob({ document, folder, configOf });
  }
  const { job, places } = checkJobFile(document);
  const config = { ...fileConfig(job, places), ...request.overrides };
  const order = checkJob(job, places);
  const options = readOptions(config);
  const functions = startBundling(job, folder, places);
  const database = await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null });
  const connection = await database.connect();
  try {
    await connection.run('SET errors_as_json = true');
    const planning = { connection, job, places, folder, options, totalSlots: request.totalSlots, functions };
    return { config, ...(await plan(planning, order)) };
  } finally {
    connection.closeSync();
    database.closeSync();
  }
}

/** The file's options as raw text. Throws JOB_FILE_INVALID at the option that is unknown or wrong. */
function fileConfig(job: Pick<JobFile, 'config'>, places: Places): Record<string, string> {
  const config = Object.fromEntries(Object.entries(job.config ?? {}).map(([name, value]) => [name, String(value)]));
  for (const [name, value] of Object.entries(config)) {
    try {
      checkOption(name, value);
    } catch (error) {
      if (!(error instanceof JobrecError)) throw error;
      const atKey = 'nearest' in error.data;
      const hint = error.hint === null ? {} : { hint: error.hint };
      throw places.error('JOB_FILE_INVALID', ['config', name], error.message, { atKey, data: error.data, ...hint });
    }
  }
  return config;
}

/** Bundling runs beside DuckDB's work: its result is asked for when its stage is planned. */
function startBundling(job: JobFile, folder: string, places: Places): Functions {
  const bundling = new Map<string, Promise<BundledFunction>>();
  const start = (path: readonly [string, string, string], reference: string | undefined) => {
    if (reference === undefined) return;
    const result = bundleFunction(reference, folder, path, places);
    // An error in an earlier stage ends planning first; this one then goes unseen.
    result.catch(() => undefined);
    bundling.set(path.join('\0'), result);
  };
  for (const [name, source] of Object.entries(job.sources ?? {})) {
    start(['sources', name, 'enumerator'], source.enumerator);
    start(['sources', name, 'read'], source.read);
  }
  for (const [name, stage] of Object.entries(job.stages ?? {})) start(['stages', name, 'map'], stage.map);
  const of = async (...path: [string, string, string]) => (await bundling.get(path.join('\0'))) ?? null;
  return { of, all: () => Promise.all(bundling.values()) };
}

/** The job's bundled functions. They reject with FUNCTION_INVALID. */
interface Functions {
  /** The one that the key at this place names; null: there is none. */
  of(section: string, name: string, key: string): Promise<BundledFunction | null>;
  all(): Promise<BundledFunction[]>;
}

interface Planning {
  readonly connection: DuckDBConnection;
  readonly job: JobFile;
  readonly places: Places;
  readonly folder: string;
  readonly options: Options;
  readonly totalSlots: number;
  readonly functions: Functions;
}

async function plan(planning: Planning, order: readonly string[]): Promise<Omit<PlannedJob, 'config'>> {
  const { job, places, folder, options, functions } = planning;
  const warnings: string[] = [];
  const sources = await resolveSources(planning);
  const sinks = await planSinks(job, folder, sources, places);
  const tasksOf = (source: SourceSpec) => sourceParallelism(source, options.autoParallelism);
  const bundledFunction = async (stage: string) => {
    const bundled = await functions.of('stages', stage, 'map');
    if (!bundled) throw places.error('FUNCTION_INVALID', ['stages', stage, 'map'], `stage ${stage} has no function`);
    return bundled;
  };
  const stages = await planStages({ ...planning, sources, bundledFunction }, order, tasksOf, warnings);
  const built = buildGraph({
    name: job.name,
    stages,
    sources,
    sinks,
    sinkInputs: new Map(Object.entries(job.sinks).map(([name, sink]) => [name, sink.input])),
    maxParallelism: adaptiveParallelismMax(options.autoParallelism, planning.totalSlots),
    sourceParallelism: tasksOf,
    duckdbVersion: await duckdbVersion(),
  });
  const graph: JobGraph = job.shuffle === 'service' ? { ...built, shuffle: job.shuffle } : built;
  const modules = uniqueModules((await functions.all()).map((bundled) => bundled.module));
  const fingerprint = fingerprintOf(job, sources, modules);
  return { graph, fingerprint, modules, edges: stages.flatMap(edgesOf), warnings: [...unread(job), ...warnings] };
}

async function resolveSources({ functions, options, totalSlots, ...planning }: Planning): Promise<SourceSpec[]> {
  const { connection, folder, places } = planning;
  const parallelism = options.autoParallelism.defaultSourceParallelism ?? totalSlots;
  const sources: SourceSpec[] = [];
  for (const [name, entry] of Object.entries(planning.job.sources ?? {})) {
    const request = { connection, folder, name, entry, places };
    const enumerator = await functions.of('sources', name, 'enumerator');
    const read = await functions.of('sources', name, 'read');
    sources.push(
      enumerator === null
        ? await resolveSource(request)
        : await enumeratedSource({ ...request, enumerator, read, parallelism }),
    );
  }
  return sources;
}

function uniqueModules(modules: readonly BundledModule[]): BundledModule[] {
  return [...new Map(modules.map((module) => [module.fileName, module])).values()];
}

function edgesOf(stage: PlannedStage): PlannedEdge[] {
  return stage.inputs.flatMap((input, index) => {
    const chosen = stage.exchanges[index];
    if (!chosen) return [];
    const by = chosen.by.map((key) => key.column);
    return [{ from: input.from, to: stage.name, exchange: chosen.exchange, by, why: chosen.why }];
  });
}

/** Sources and stages that nothing reads: most likely a slip. */
function unread(job: JobFile): string[] {
  const read = new Set([
    ...Object.values(job.sinks).map((sink) => sink.input),
    ...Object.values(job.stages ?? {}).flatMap((stage) => inputsOf(stage).map((input) => input.from)),
  ]);
  const names = (section: object | undefined) => Object.keys(section ?? {}).filter((name) => !read.has(name));
  return [
    ...names(job.sources).map((name) => `nothing reads source ${name}`),
    ...names(job.stages).map((name) => `nothing reads stage ${name}: it runs for nothing`),
  ];
}
