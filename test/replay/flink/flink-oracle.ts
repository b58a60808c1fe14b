// Flink's recovery once more, slow and literal: its handler's steps over plain arrays and sets, applied until nothing
// changes. Shares no code with src/replay.

export interface OracleEdge {
  readonly from: string;
  readonly to: string;
  readonly datasetId: string;
  /** By consumer subtask: first and last partition. */
  readonly ranges: readonly (readonly [number, number])[];
}

export interface OracleScenario {
  /** Vertex → number of tasks; only initialized vertices. */
  readonly tasks: ReadonlyMap<string, number>;
  readonly edges: readonly OracleEdge[];
  /** Vertices with a coordinator, and whether it supports batch snapshots. */
  readonly coordinators: ReadonlyMap<string, boolean>;
  readonly log: readonly OracleStep[];
  readonly aliveWorkers: ReadonlySet<string>;
  /** `<datasetId>#<index>`. */
  readonly released: ReadonlySet<string>;
}

export type OracleStep =
  | { readonly kind: 'finish'; readonly task: string; readonly snapshot: boolean; readonly worker: string }
  | { readonly kind: 'reset'; readonly tasks: readonly string[] };

const vertexOf = (task: string): string => task.split('#')[0] ?? '';
const indexOf = (task: string): number => Number(task.split('#')[1]);

/** Tasks whose finish is recorded and that run again, sorted. */
export function oracleReruns(scenario: OracleScenario): string[] {
  const recorded = finishes(scenario.log);
  let keptUpTo = recorded.length;
  while (keptUpTo > 0 && recorded[keptUpTo - 1]?.snapshot === false) keptUpTo -= 1;
  const kept = recorded.slice(0, keptUpTo);
  const finished = new Set(kept.map((finish) => finish.task));
  const workerOf = new Map(kept.map((finish) => [finish.task, finish.worker]));
  const unrecovered = new Set<string>();
  if (finished.size > 0) restoreCoordinators(scenario, finished, unrecovered);
  reconcile(scenario, finished, workerOf, unrecovered);
  return recorded
    .map((finish) => finish.task)
    .filter((task) => !finished.has(task))
    .sort();
}

type Finish = Extract<OracleStep, { kind: 'finish' }>;

/** In replay order: a second finish stands where the first stood. */
function finishes(log: readonly OracleStep[]): Finish[] {
  const order: Finish[] = [];
  for (const step of log) {
    if (step.kind === 'reset') {
      for (const task of step.tasks) {
        const at = order.findIndex((finish) => finish.task === task);
        if (at >= 0) order.splice(at, 1);
      }
      continue;
    }
    const at = order.findIndex((finish) => finish.task === step.task);
    if (at >= 0) order[at] = step;
    else order.push(step);
  }
  return order;
}

function tasksOf({ tasks }: OracleScenario, vertex: string): string[] {
  return Array.from({ length: tasks.get(vertex) ?? 0 }, (_, index) => `${vertex}#${index}`);
}

function restoreCoordinators(scenario: OracleScenario, finished: Set<string>, unrecovered: Set<string>): void {
  const toReset: string[] = [];
  for (const [vertex, supports] of scenario.coordinators) {
    const tasks = tasksOf(scenario, vertex);
    const unfinished = tasks.filter((task) => !finished.has(task));
    if (supports) toReset.push(...unfinished);
    else if (unfinished.length === 0 && tasks.length > 0) unrecovered.add(vertex);
    else toReset.push(...tasks);
  }
  for (const task of restarted(scenario, toReset, () => true, unrecovered)) finished.delete(task);
}

function reconcile(
  scenario: OracleScenario,
  finished: Set<string>,
  workerOf: ReadonlyMap<string, string>,
  unrecovered: Set<string>,
): void {
  const tracked = new Set<string>();
  const missing: string[] = [];
  for (const { from, datasetId } of scenario.edges) {
    for (const producer of tasksOf(scenario, from).filter((task) => finished.has(task))) {
      const partition = `${datasetId}#${indexOf(producer)}`;
      const readers = scenario.edges.filter((edge) => edge.datasetId === datasetId);
      const isNeeded = readers.some(
        (edge) =>
          !scenario.tasks.has(edge.to) ||
          consumers(scenario, edge, indexOf(producer)).some((task) => !finished.has(task)),
      );
      if (!isNeeded) continue;
      const isThere = scenario.aliveWorkers.has(workerOf.get(producer) ?? '') && !scenario.released.has(partition);
      if (isThere) tracked.add(partition);
      else missing.push(producer);
    }
  }
  for (const task of restarted(scenario, missing, (partition) => tracked.has(partition), unrecovered))
    finished.delete(task);
}

function consumers(scenario: OracleScenario, edge: OracleEdge, partition: number): string[] {
  return tasksOf(scenario, edge.to).filter((task) => {
    const [first, last] = edge.ranges[indexOf(task)] ?? [0, -1];
    return first <= partition && partition <= last;
  });
}

function restarted(
  scenario: OracleScenario,
  seeds: readonly string[],
  isAvailable: (partition: string) => boolean,
  unrecovered: Set<string>,
): Set<string> {
  const all = new Set(seeds);
  for (let before = -1; before !== all.size; ) {
    before = all.size;
    for (const task of [...all]) {
      for (const edge of scenario.edges) {
        if (edge.from === vertexOf(task))
          for (const reader of consumers(scenario, edge, indexOf(task))) all.add(reader);
        if (edge.to !== vertexOf(task)) continue;
        const [first, last] = edge.ranges[indexOf(task)] ?? [0, -1];
        for (let index = first; index <= last; index += 1) {
          if (!isAvailable(`${edge.datasetId}#${index}`)) all.add(`${edge.from}#${index}`);
        }
      }
      if (unrecovered.delete(vertexOf(task))) for (const sibling of tasksOf(scenario, vertexOf(task))) all.add(sibling);
    }
  }
  return all;
}
