// What the store of the demo's run records, read while it is written: readers need no lock.
import type { ExecutionVertexFinished, JobStatusChanged, RecoveryCompleted } from '../../src/model/job-events.ts';
import type { LogRecord } from '../../src/model/job-log.ts';
import type { ExecutionState } from '../../src/model/states.ts';
import { createExecutionGraph, type ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { replay } from '../../src/replay/replay.ts';
import { openJobLog } from '../../src/store/open-log.ts';

export interface Recorded {
  readonly graph: ExecutionGraph;
  readonly records: readonly LogRecord[];
}

/** Everything recorded so far; an empty graph where there is no store yet. */
export async function readRecorded(folder: string | null): Promise<Recorded> {
  const records: LogRecord[] = [];
  if (folder === null) return { graph: createExecutionGraph(), records };
  try {
    const log = await openJobLog(folder);
    const { graph } = await replay(log.records(), { onRecord: (record) => records.push(record) });
    return { graph, records };
  } catch {
    // The first file is being made right now.
    return { graph: createExecutionGraph(), records: [] };
  }
}

export interface Progress {
  readonly finished: number;
  /** Tasks of the vertices whose number of tasks is known, be it by the plan or by a decision. */
  readonly total: number;
}

export function progressOf(graph: ExecutionGraph): Progress {
  const planned = new Map(graph.graph?.vertices.map((vertex) => [vertex.id, vertex.parallelism]));
  const vertices = [...graph.vertices.values()];
  const total = vertices.reduce((sum, vertex) => sum + (vertex.parallelism ?? planned.get(vertex.id) ?? 0), 0);
  const finished = vertices.flatMap((vertex) => vertex.tasks).filter((task) => task.state === 'FINISHED').length;
  return { finished, total };
}

/** `airports ■ · late -> partial ■■■▪▪□□`: finished, running, waiting tasks; `named`: which vertices. */
export function taskMap(graph: ExecutionGraph, named: 'all' | 'at-work'): string {
  const marks: Readonly<Partial<Record<ExecutionState, string>>> = { FINISHED: '■', RUNNING: '▪', DEPLOYING: '▪' };
  const begun = [...graph.vertices.values()].filter((vertex) => vertex.tasks.length > 0);
  return begun
    .map(({ name, tasks }) => {
      const isNamed = named === 'all' || tasks.some((task) => task.state !== 'FINISHED');
      return `${isNamed ? `${name ?? '?'} ` : ''}${tasks.map((task) => marks[task.state] ?? '□').join('')}`;
    })
    .join(' · ');
}

/** Status changes of an epoch with the time since the first of them, in milliseconds. */
export function statesOf(records: readonly LogRecord[], epoch: number): { state: string; afterMs: number }[] {
  const changes = records.filter((record) => record.epoch === epoch && record.event.type === 'job-status-changed');
  const first = changes[0]?.timeMicros ?? 0;
  return changes.map((record) => ({
    state: (record.event as JobStatusChanged).state,
    afterMs: ((record.timeMicros ?? 0) - first) / 1000,
  }));
}

export function recoveryOf(records: readonly LogRecord[], epoch: number): RecoveryCompleted | null {
  const found = records.find((record) => record.epoch === epoch && record.event.type === 'recovery-completed');
  return (found?.event as RecoveryCompleted | undefined) ?? null;
}

/** `<vertexId>#<subtask>` of the tasks of which a finish is recorded in these epochs, and was not reset since. */
export function finishedTasks(records: readonly LogRecord[]): Map<string, ExecutionVertexFinished> {
  const finished = new Map<string, ExecutionVertexFinished>();
  for (const { event } of records) {
    if (event.type === 'execution-vertex-finished') finished.set(`${event.vertexId}#${event.subtask}`, event);
    if (event.type !== 'execution-vertex-reset') continue;
    for (const subtask of event.subtasks) finished.delete(`${event.vertexId}#${subtask}`);
  }
  return finished;
}
