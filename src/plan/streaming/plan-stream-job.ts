// Plans a job of `mode: streaming`: from the checked file to the JobGraph that the streaming engine runs. Everything
// that can be wrong with it is found here, before anything starts. Spec: docs/streaming.md.
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOptions } from '../../model/options.ts';
import { isReplayable, type StreamingPlan } from '../../model/streaming-plan.ts';
import { duckdbVersion } from '../../sql/duckdb.ts';
import { digest } from '../fingerprint.ts';
import { type BundledFunction, type BundledModule, bundleFunction } from '../functions/bundle-functions.ts';
import { inputsOf } from '../job-file/check-job.ts';
import type { Places } from '../job-file/places.ts';
import { checkShape, type ReadDocument } from '../job-file/read-job-file.ts';
import type { PlannedJob } from '../plan-job.ts';
import { buildStreamGraph } from './build-stream-graph.ts';
import { checkFolders } from './check-folders.ts';
import { checkLogs } from './check-logs.ts';
import { checkStreamJob, kindOf, type StageKind } from './check-stream-job.ts';
import { type StreamJobFile, streamJobSchema, streamKeysAt, streamListKeys } from './schema.ts';
import { type StreamNode, streamNodes } from './stream-nodes.ts';

export interface StreamPlanRequest {
  readonly document: ReadDocument;
  /** Paths in the job are relative to it. */
  readonly folder: string;
  /** The effective configuration from the file's own. Throws at an option that is unknown or wrong. */
  readonly configOf: (job: StreamJobFile) => Readonly<Record<string, string>>;
}

/** Options that name folders; `file:` URLs as in Flink's configurations. */
const folderOptions = [
  'execution.checkpointing.dir',
  'state.checkpoints.dir',
  'execution.checkpointing.savepoint-dir',
  'state.savepoints.dir',
];

function withAbsoluteFolders(config: Readonly<Record<string, string>>, folder: string): Record<string, string> {
  const absolute = folderOptions.flatMap((name) => {
    const path = config[name]?.trim();
    return path ? [[name, path.startsWith('file:') ? fileURLToPath(path) : resolve(folder, path)] as const] : [];
  });
  return { ...config, ...Object.fromEntries(absolute) };
}

/** Whether a job file asks for streaming. */
export function isStreaming({ value }: ReadDocument): boolean {
  return typeof value === 'object' && value !== null && 'mode' in value && value.mode === 'streaming';
}

export async function planStreamJob({ document, folder, configOf }: StreamPlanRequest): Promise<PlannedJob> {
  const { places } = document;
  const job = checkShape(document, {
    schema: streamJobSchema,
    knownKeysAt: streamKeysAt,
    listKeys: streamListKeys,
  });
  const order = checkStreamJob(job, places);
  const config = withAbsoluteFolders(configOf(job), folder);
  const { streaming: options } = readOptions(config);
  const functions = await bundleAll(job, folder, places);
  const functionOf = (stage: string) => {
    const bundled = functions.get(stage);
    return { module: bundled?.module.fileName ?? '', exportName: bundled?.exportName ?? '' };
  };
  const { defaultParallelism, maxParallelism } = options;
  const nodes = streamNodes({ job, order, folder, places, defaultParallelism, functionOf });
  requireKeyGroups(nodes, maxParallelism, places);
  await checkFolders(nodes, places);
  const waitedFor = await checkLogs(nodes, places);
  const graph = buildStreamGraph(job.name, nodes, maxParallelism, await duckdbVersion());
  const modules = [...new Map([...functions.values()].map(({ module }) => [module.fileName, module])).values()];
  return {
    graph,
    config,
    modules,
    fingerprint: {
      plan: digest(planMeaning(job)),
      functions: digest(modules.map(fileName).sort()),
      inputs: digest([]),
    },
    edges: nodes.flatMap(edgesOf),
    warnings: [...waitedFor, ...(graph.streaming ? warningsOf(graph.streaming, options.intervalMs) : [])],
  };
}

const functionKinds: readonly StageKind[] = ['map', 'flatMap', 'filter', 'reduce', 'process'];

async function bundleAll(job: StreamJobFile, folder: string, places: Places): Promise<Map<string, BundledFunction>> {
  const bundled = new Map<string, BundledFunction>();
  for (const [name, stage] of Object.entries(job.stages ?? {})) {
    const kind = kindOf(stage);
    const reference = functionKinds.includes(kind) ? stage[kind] : undefined;
    if (reference === undefined) continue;
    bundled.set(name, await bundleFunction(reference, folder, ['stages', name, kind], places));
  }
  return bundled;
}

function requireKeyGroups(nodes: readonly StreamNode[], maxParallelism: number, places: Places): void {
  const tooWide = nodes.find((node) => node.parallelism > maxParallelism);
  if (!tooWide) return;
  const section = tooWide.spec.kind === 'source' ? 'sources' : 'stages';
  const message = `parallelism ${tooWide.parallelism} is more than pipeline.max-parallelism, ${maxParallelism}`;
  throw places.error('JOB_FILE_INVALID', [section, tooWide.name, 'parallelism'], message);
}

function edgesOf(node: StreamNode): PlannedJob['edges'] {
  return node.inputs.map(({ from, exchange, by, why }) => ({ from: from.name, to: node.name, exchange, by, why }));
}

function warningsOf(plan: StreamingPlan, intervalMs: number | null): string[] {
  const operators = plan.vertices.flatMap((vertex) => vertex.operators);
  const warnings: string[] = [];
  for (const { name, spec } of operators) {
    if (spec.kind === 'source' && !isReplayable(spec.connector)) {
      warnings.push(
        `source ${name} is a socket, which cannot be replayed: rows since the last checkpoint are lost in a failure`,
      );
    }
    if (spec.kind === 'sink' && spec.connector.kind === 'kafka') {
      warnings.push(
        `sink ${name} is a Kafka topic: at least once, rows since the last checkpoint are written again after a failure`,
      );
    }
    if (spec.kind === 'sink' && spec.connector.kind === 'file' && intervalMs === null) {
      warnings.push(
        `sink ${name} writes with checkpoints, and execution.checkpointing.interval is not set: its parts appear at the end`,
      );
    }
  }
  return warnings;
}

/** Options are left out, and where functions lie: their code has a digest of its own. */
function planMeaning(job: StreamJobFile): unknown {
  const stages = Object.entries(job.stages ?? {}).map(([name, stage]) => {
    const functions = functionKinds.map((kind) => [kind, stage[kind]?.replace(/^.*#/, '#')]);
    return { name, ...stage, ...Object.fromEntries(functions), inputs: inputsOf(stage) };
  });
  return { name: job.name, mode: job.mode, sources: job.sources ?? {}, stages, sinks: job.sinks };
}

function fileName(module: BundledModule): string {
  return module.fileName;
}
