// Reasons in an operator's words. One function a cause; codes are public (cli-contract: "Reason codes"), the wording
// is not.
import { formatPartitionId } from '../model/ids.ts';
import type { StagedPart } from '../model/job-events.ts';
import type { ExecutionJobVertex, ExecutionVertex } from './execution-graph.ts';
import { vertexLabel } from './execution-graph.ts';
import type { PlannedPartition, Reason, ReasonCause, ReasonCode } from './recovery-plan.ts';

/** `totals#3`. */
export function taskLabel(vertex: ExecutionJobVertex, subtask: number): string {
  return `${vertexLabel(vertex)}#${subtask}`;
}

/** The partition of a finished task cannot be read; `reader` says who needs it and why. */
export function partitionReason(code: ReasonCode, partition: PlannedPartition, reader: string): Reason {
  const id = formatPartitionId(partition);
  const where = partition.workerId === null ? '' : ` on ${partition.workerId}`;
  const message =
    code === 'partition-released'
      ? `its partition ${id} had been given up when all its consumers had finished, and is needed again by ${reader}`
      : `its partition ${id}${where} is missing (needed by ${reader})`;
  return { code, message, because: { kind: 'partition', id } };
}

export function stagedPartReason(part: Pick<StagedPart, 'sink' | 'file'>): Reason {
  const message = `its staged part ${part.file} of sink ${part.sink} is missing`;
  return { code: 'staged-part-missing', message, because: { kind: 'partition', id: `${part.sink}/${part.file}` } };
}

export function lostSourceReason(vertex: ExecutionJobVertex): Reason {
  const label = vertexLabel(vertex);
  const unfinished = vertex.tasks.filter((task) => task.state !== 'FINISHED').length;
  const message =
    `the source coordinator of ${label} has no batch snapshot and ${unfinished} of its ${vertex.tasks.length} tasks ` +
    'had not finished, so all of them start over';
  return { code: 'source-without-batch-snapshot', message, because: { kind: 'vertex', id: vertex.id } };
}

export function notDurableReason(vertex: ExecutionJobVertex, task: ExecutionVertex): Reason {
  const message =
    `finished behind the last snapshot of the source coordinator of ${vertexLabel(vertex)}, so which splits it had ` +
    'read is not recorded';
  return { code: 'finish-not-durable', message, because: { kind: 'event', id: String(task.finishedSequence) } };
}

export function downstreamReason(producer: ExecutionJobVertex, subtask: number, runsAgain: boolean): Reason {
  const what = runsAgain ? 'runs again' : 'has not finished';
  const message = `consumes ${taskLabel(producer, subtask)}, which ${what}`;
  return { code: 'downstream-of-rerun', message, because: taskCause(producer, subtask) };
}

export function wholeSourceReason(vertex: ExecutionJobVertex, subtask: number): Reason {
  const message =
    `${taskLabel(vertex, subtask)} runs again, and the source coordinator of ${vertexLabel(vertex)} has no batch ` +
    'snapshot, so all its tasks start over';
  return { code: 'source-restarts-whole', message, because: taskCause(vertex, subtask) };
}

function taskCause(vertex: ExecutionJobVertex, subtask: number): ReasonCause {
  return { kind: 'vertex', id: vertex.id, subtask };
}
