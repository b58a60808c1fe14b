// planRecovery: what a restarted JobMaster keeps and what runs again, given what survived. The engine's recovery and
// `diff` both call it, so a prediction and a recovery cannot disagree by construction. The policy is data
// (recovery-cases.ts): this file looks the facts up, partition-states.ts and restart-spread.ts are its two steps.
import { parseBoolean } from '../model/config-values.ts';
import type { JobVertexId } from '../model/ids.ts';
import { isGloballyTerminal } from '../model/states.ts';
import { costOf, sumCosts } from './cost.ts';
import { decide, fillIn } from './decision-table.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { listPartitions, partitionStates } from './partition-states.ts';
import { findReaders } from './reader-groups.ts';
import type { VerdictFacts } from './recovery-cases.ts';
import { verdictCases } from './recovery-cases.ts';
import type {
  PlannedPartitions,
  RecoveryPlan,
  RecoveryRules,
  RecoverySummary,
  RerunTask,
  Survivors,
  TaskRef,
} from './recovery-plan.ts';
import type { Reruns } from './restart-spread.ts';
import { findReruns } from './restart-spread.ts';
import type { Topology } from './topology.ts';
import { recordedTopology } from './topology.ts';

export type { RecoveryPlan };

const noPartitions: PlannedPartitions = { reserved: [], released: [], optional: [], missing: [] };

/**
 * The recovery of the job from this graph by `rules`, given what survived. A job that has ended, or whose commit has
 * started, runs no task again: its plan keeps what has finished and lists no partitions. Does not change the graph.
 */
export function planRecovery(
  graph: ExecutionGraph,
  survivors: Survivors,
  rules: RecoveryRules,
  topology: Topology = recordedTopology(graph),
): RecoveryPlan {
  if (isGloballyTerminal(graph.state) || graph.commit !== null) {
    return assemblePlan(graph, rules, new Map(), noPartitions);
  }
  const { reruns, partitions } = reconcile(graph, survivors, rules, topology);
  return assemblePlan(graph, rules, reruns, partitions);
}

/** What runs again and what becomes of the partitions. */
export interface Reconciled {
  readonly reruns: Reruns;
  readonly partitions: PlannedPartitions;
}

/** The two steps of a recovery of a job that still runs tasks. */
export function reconcile(
  graph: ExecutionGraph,
  survivors: Survivors,
  rules: RecoveryRules,
  topology: Topology = recordedTopology(graph),
): Reconciled {
  const readers = findReaders(graph, topology);
  const states = partitionStates(graph, readers.dataSets, survivors, rules);
  return { reruns: findReruns(graph, readers, states, survivors, rules), partitions: listPartitions(states) };
}

/** The plan of these reruns; a task with reasons counts as finished, whatever the graph says of it. */
export function assemblePlan(
  graph: ExecutionGraph,
  rules: RecoveryRules,
  reruns: Reruns,
  partitions: PlannedPartitions,
): RecoveryPlan {
  const { kept, rerun, pending } = sortTasks(graph, reruns);
  const summary: RecoverySummary = {
    finished: kept.length + rerun.length,
    rerun: rerun.length,
    kept: kept.length,
    pending: pending.length,
    cost: sumCosts(rerun.map((task) => task.cost)),
  };
  const { verdict, why } = decide(verdictCases, verdictFacts(graph, rules, summary));
  const filled = fillIn(why, { ...summary, state: graph.state });
  return { kept, rerun, pending, reset: resetsOf(rerun), partitions, verdict, why: filled, summary };
}

interface SortedTasks {
  readonly kept: TaskRef[];
  readonly rerun: RerunTask[];
  readonly pending: TaskRef[];
}

/** Every task once, in the graph's order. */
function sortTasks(graph: ExecutionGraph, reruns: Reruns): SortedTasks {
  const sorted: SortedTasks = { kept: [], rerun: [], pending: [] };
  const runsNoMore = isGloballyTerminal(graph.state) || graph.commit !== null;
  for (const { id: vertexId, tasks } of graph.vertices.values()) {
    for (const task of tasks) {
      const { subtask, attempt } = task;
      const reasons = reruns.get(task);
      if (reasons !== undefined) sorted.rerun.push({ vertexId, subtask, attempt, reasons, cost: costOf(task.metrics) });
      else if (task.state === 'FINISHED') sorted.kept.push({ vertexId, subtask });
      else if (!runsNoMore) sorted.pending.push({ vertexId, subtask });
    }
  }
  return sorted;
}

function resetsOf(rerun: readonly RerunTask[]): Map<JobVertexId, number[]> {
  const reset = new Map<JobVertexId, number[]>();
  for (const { vertexId, subtask } of rerun) {
    const subtasks = reset.get(vertexId);
    if (subtasks === undefined) reset.set(vertexId, [subtask]);
    else subtasks.push(subtask);
  }
  return reset;
}

function verdictFacts(graph: ExecutionGraph, rules: RecoveryRules, summary: RecoverySummary): VerdictFacts {
  const vertices = [...graph.vertices.values()];
  const waiting =
    vertices.length === 0 ||
    vertices.some((vertex) => vertex.parallelism === null) ||
    graph.edges.some((edge) => !graph.vertices.has(edge.consumerVertexId));
  return {
    ended: isGloballyTerminal(graph.state),
    committing: graph.commit !== null,
    recorded: parseBoolean(graph.config['execution.batch.job-recovery.enabled'] ?? '') !== false,
    anyFinished: summary.finished > 0,
    anyRerun: summary.rerun > 0,
    anyKept: summary.kept > 0,
    stuck: !rules.initializesAfterRecovery && waiting && summary.pending + summary.rerun === 0,
  };
}
