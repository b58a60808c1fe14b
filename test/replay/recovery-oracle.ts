// The slow and obvious recovery: the rules of the design read off one by one over sets of names, applied to every task
// again and again until nothing changes. Shares no code with src/replay but the names of the answers.
import type { Scenario, ScenarioEdge } from './recovery-scenario.ts';
import { partitionName, readBy } from './recovery-scenario.ts';

export interface OracleAnswer {
  readonly rerun: string[];
  readonly kept: string[];
  readonly pending: string[];
  readonly reserved: string[];
  readonly released: string[];
  readonly optional: string[];
  readonly missing: string[];
  readonly verdict: string;
}

export function allTasks(scenario: Scenario): string[] {
  return [...scenario.tasks].flatMap(([name, count]) =>
    Array.from({ length: count }, (_, index) => `${name}#${index}`),
  );
}

const nameOf = (task: string): string => task.split('#')[0] ?? '';
const indexOf = (task: string): number => Number(task.split('#')[1]);

/** Tasks that read the partition `index` over the edge. */
function readersOf(scenario: Scenario, edge: ScenarioEdge, index: number): string[] {
  return allTasks(scenario).filter(
    (task) => nameOf(task) === edge.to && readBy(edge, indexOf(task), scenario.tasks).includes(index),
  );
}

/** All edges over which the data set of `partition` is read. */
function edgesOf(scenario: Scenario, partition: string): ScenarioEdge[] {
  return scenario.edges.filter((edge) => `${edge.from}>${edge.exchange}` === partition.split('#')[0]);
}

export function isNeeded(scenario: Scenario, partition: string): boolean {
  const index = indexOf(partition);
  return edgesOf(scenario, partition).some(
    (edge) =>
      !scenario.tasks.has(edge.to) || readersOf(scenario, edge, index).some((reader) => !scenario.finished.has(reader)),
  );
}

export function isGone(scenario: Scenario, partition: string): boolean {
  return scenario.lost.has(partition) || scenario.givenUp.has(partition);
}

function outputsOf(scenario: Scenario, task: string): string[] {
  const names = scenario.edges
    .filter((edge) => edge.from === nameOf(task))
    .map((edge) => partitionName(edge, indexOf(task)));
  return [...new Set(names)];
}

function startsOver(scenario: Scenario, rerun: ReadonlySet<string>, task: string): boolean {
  const { rules } = scenario;
  const siblings = allTasks(scenario).filter((other) => nameOf(other) === nameOf(task));
  const noSnapshot = scenario.coordinators.get(nameOf(task)) === false && !scenario.living.has(nameOf(task));
  const outputs = outputsOf(scenario, task);
  const unreadable = (partition: string) =>
    isGone(scenario, partition) || (!rules.optionalPartitionsAvailable && !isNeeded(scenario, partition));
  const readAgain = (partition: string) =>
    edgesOf(scenario, partition).some((edge) =>
      readersOf(scenario, edge, indexOf(partition)).some((reader) => rerun.has(reader)),
    );
  const producers = scenario.edges
    .filter((edge) => edge.to === nameOf(task))
    .flatMap((edge) => readBy(edge, indexOf(task), scenario.tasks).map((index) => `${edge.from}#${index}`));
  return (
    outputs.some((partition) => isNeeded(scenario, partition) && isGone(scenario, partition)) ||
    outputs.some((partition) => readAgain(partition) && unreadable(partition)) ||
    scenario.partsLost.has(task) ||
    (scenario.awaiting.has(task) && !scenario.living.has(nameOf(task))) ||
    (noSnapshot && siblings.some((sibling) => !scenario.finished.has(sibling))) ||
    (noSnapshot && siblings.some((sibling) => rerun.has(sibling))) ||
    producers.some((producer) => rerun.has(producer)) ||
    (rules.pendingRestartsConsumers && producers.some((producer) => !scenario.finished.has(producer)))
  );
}

function rerunOf(scenario: Scenario): Set<string> {
  const rerun = new Set<string>();
  for (let before = -1; before !== rerun.size; ) {
    before = rerun.size;
    for (const task of scenario.finished) if (startsOver(scenario, rerun, task)) rerun.add(task);
  }
  return rerun;
}

function verdictOf(scenario: Scenario, rerun: number, pending: number): string {
  if (scenario.end !== null) return 'recoverable';
  if (rerun > 0) return rerun === scenario.finished.size ? 'restart-from-scratch' : 'recoverable-with-loss';
  const waiting = scenario.names.some((name) => !scenario.tasks.has(name));
  return waiting && pending === 0 && !scenario.rules.initializesAfterRecovery ? 'would-hang' : 'recoverable';
}

export function oracle(scenario: Scenario): OracleAnswer {
  const tasks = allTasks(scenario);
  const over = scenario.end !== null;
  const rerun = over ? new Set<string>() : rerunOf(scenario);
  // A job is FINISHED when all its tasks are, whether each was recorded or not.
  const done = scenario.end === 'FINISHED' ? tasks : [...scenario.finished];
  const pending = over ? [] : tasks.filter((task) => !scenario.finished.has(task));
  const partitions = over ? [] : tasks.flatMap((task) => outputsOf(scenario, task));
  const made = partitions.filter((partition) =>
    scenario.finished.has(`${partition.split('>')[0]}#${indexOf(partition)}`),
  );
  const reserved = made.filter((partition) => isNeeded(scenario, partition));
  const optional = made.filter((partition) => !isNeeded(scenario, partition) && !scenario.givenUp.has(partition));
  return {
    rerun: [...rerun].sort(),
    kept: done.filter((task) => !rerun.has(task)).sort(),
    pending: pending.sort(),
    reserved: reserved.sort(),
    optional: optional.sort(),
    released: partitions.filter((partition) => !reserved.includes(partition) && !optional.includes(partition)).sort(),
    missing: reserved.filter((partition) => isGone(scenario, partition)).sort(),
    verdict: verdictOf(scenario, rerun.size, pending.length),
  };
}
