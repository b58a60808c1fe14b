// Which partitions count as there in a prediction: what the user said, else what lies in the folders of the workers and
// the shuffle service, else all that is recorded. Says what was assumed, and warns of what does not fit the store.
// Spec: cli-contract "diff", docs/commands.md "diff".
import { partitionKey } from '../model/ids.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { shuffleHolders } from '../replay/partition-holder.ts';
import type { Survivors } from '../replay/recovery-plan.ts';
import {
  allSurvive,
  survivorsFromReport,
  survivorsOnWorkers,
  survivorsWithoutWorkers,
  type WorkerReport,
} from '../replay/survivors.ts';
import type { SurvivorsBasis } from './diff-report.ts';

/** How the user named the survivors. */
export type SurvivorChoice =
  | { readonly kind: 'report'; readonly file: string }
  | { readonly kind: 'workers'; readonly workers: readonly string[] }
  | { readonly kind: 'lost-workers'; readonly workers: readonly string[] }
  /** Workers that a running Flink cluster has. */
  | { readonly kind: 'rest'; readonly workers: readonly string[] }
  | { readonly kind: 'default' };

export interface ChosenSurvivors {
  readonly kind: SurvivorsBasis;
  readonly survivors: Survivors;
  readonly assumptions: readonly string[];
  readonly warnings: readonly string[];
}

export async function chooseSurvivors(
  choice: SurvivorChoice,
  log: JobLog,
  graph: ExecutionGraph,
): Promise<ChosenSurvivors> {
  switch (choice.kind) {
    case 'report':
      return fromReport(choice.file, graph);
    case 'workers':
      return onWorkers(choice.workers, graph);
    case 'rest':
      return fromCluster(choice.workers, graph);
    case 'lost-workers':
      return fromWorkers('lost-workers', survivorsWithoutWorkers(choice.workers), choice.workers, graph);
    case 'default':
      return byDefault(log, graph);
  }
}

async function fromReport(file: string, graph: ExecutionGraph): Promise<ChosenSurvivors> {
  const { readPartitionReport } = await import('./partition-report.ts');
  const reports = await readPartitionReport(file);
  return {
    kind: 'report',
    survivors: withUnnamed(survivorsFromReport(reports), reports),
    assumptions: partsAssumption(graph),
    warnings: unknownPartitions(reports, graph),
  };
}

/** A partition whose data set nothing names (Flink without its job graph) is there with the worker that held it. */
function withUnnamed(survivors: Survivors, reports: readonly WorkerReport[]): Survivors {
  const workers = new Set<string | null>(reports.map((report) => report.workerId));
  const isNamed = (datasetId: string) => /^[0-9a-f]{32}$/.test(datasetId);
  return {
    ...survivors,
    has: (partition) => (isNamed(partition.datasetId) ? survivors.has(partition) : workers.has(partition.workerId)),
  };
}

/** The shuffle service is a process of its own, over a folder of its own: which workers are back says nothing of it. */
function onWorkers(named: readonly string[], graph: ExecutionGraph): ChosenSurvivors {
  return fromWorkers('workers', survivorsOnWorkers([...named, ...shuffleHolders(graph)]), named, graph);
}

function fromWorkers(
  kind: 'workers' | 'lost-workers',
  survivors: Survivors,
  named: readonly string[],
  graph: ExecutionGraph,
): ChosenSurvivors {
  const assumptions = [...serviceAssumption(named, graph), ...partsAssumption(graph)];
  return { kind, survivors, assumptions, warnings: unknownWorkers(named, graph) };
}

function serviceAssumption(named: readonly string[], graph: ExecutionGraph): string[] {
  const unnamed = [...shuffleHolders(graph)].filter((holder) => !named.includes(holder));
  return unnamed.map((holder) => `partitions on ${holder} count as there: a lost worker takes none of them along`);
}

/** Workers that joined since the store's last event hold nothing of it, so they are no news. */
function fromCluster(workers: readonly string[], graph: ExecutionGraph): ChosenSurvivors {
  const lost = [...graph.workers.keys()].filter((worker) => !workers.includes(worker));
  const warnings = lost.map(
    (worker) => `the cluster has no TaskManager "${worker}", on which the store places results`,
  );
  return { kind: 'rest', survivors: survivorsOnWorkers(workers), assumptions: [], warnings };
}

async function byDefault(log: JobLog, graph: ExecutionGraph): Promise<ChosenSurvivors> {
  if (log.format === 'flink') {
    const assumption =
      'every recorded TaskManager is back with its partitions (--workers or --lost-worker says otherwise)';
    return { kind: 'assumed-all', survivors: allSurvive(), assumptions: [assumption], warnings: [] };
  }
  const found = log.format === 'jobrec' ? await inFolders(log, graph) : null;
  if (found !== null) return { kind: 'folders', survivors: found, assumptions: [], warnings: [] };
  const assumption = "the store lies away from its workers' folders: every recorded partition counts as there";
  return { kind: 'assumed-all', survivors: allSurvive(), assumptions: [assumption], warnings: [] };
}

async function inFolders(log: JobLog, graph: ExecutionGraph): Promise<Survivors | null> {
  const { survivorsFromFolders } = await import('./survivors-from-folders.ts');
  return survivorsFromFolders(log.location, graph);
}

/** Staged sink parts lie in the sink's folder, about which a worker's name or report says nothing. */
function partsAssumption(graph: ExecutionGraph): string[] {
  const hasParts = [...graph.vertices.values()].some((vertex) => vertex.tasks.some((task) => task.parts.length > 0));
  return hasParts ? ['staged sink parts count as there'] : [];
}

function unknownWorkers(named: readonly string[], graph: ExecutionGraph): string[] {
  const known = [...new Set([...graph.workers.keys(), ...shuffleHolders(graph)])];
  const list = known.length === 0 ? 'the store names no worker' : `known: ${known.join(', ')}`;
  return named
    .filter((worker) => !known.includes(worker))
    .map((worker) => `the store knows no worker "${worker}"; ${list}`);
}

function unknownPartitions(reports: readonly WorkerReport[], graph: ExecutionGraph): string[] {
  const known = new Set<string>();
  for (const { tasks } of graph.vertices.values()) {
    for (const { partitions } of tasks)
      for (const each of partitions) known.add(partitionKey(each.datasetId, each.partitionIndex));
  }
  const reported = reports.flatMap((report) => report.partitions);
  const unknown = reported.filter((each) => !known.has(partitionKey(each.datasetId, each.partitionIndex)));
  if (unknown.length === 0) return [];
  return [
    `${unknown.length} of ${reported.length} reported partitions are not among those that the store records as produced`,
  ];
}
