// What `diff` said while nothing moved, and what the JobMaster that came next then did: task by task, from the events
// it recorded. A prediction that something disturbed before the recovery was complete proves nothing and is not counted.
import type { LogRecord } from '../../src/model/job-log.ts';
import type { DiffReport } from '../../src/services/diff-report.ts';

export interface Prediction {
  readonly report: DiffReport;
  /** Last event that it rests on. */
  readonly sequence: number;
}

export type Comparison =
  | { readonly kind: 'compared'; readonly kept: number; readonly rerun: number }
  /** The recovery did not get to its end, or was disturbed. */
  | { readonly kind: 'open'; readonly why: string };

/** Compares; throws where the recovery did something else than predicted. */
export function compareWithRecovery(prediction: Prediction, records: readonly LogRecord[]): Comparison {
  const after = records.filter(({ sequence }) => sequence > prediction.sequence);
  const epoch = after[0]?.epoch ?? null;
  const own = after.filter((record) => record.epoch === epoch);
  const end = own.findIndex(({ event }) => event.type === 'recovery-completed');
  if (end < 0) return { kind: 'open', why: 'no recovery was completed' };
  const recovery = own.slice(0, end + 1);
  if (recovery.some(({ event }) => event.type === 'worker-lost'))
    return { kind: 'open', why: 'a worker was lost in it' };
  compareResets(prediction, recovery);
  compareDeployments(prediction, own.slice(end + 1));
  const { kept, rerun } = prediction.report.summary;
  const completed = recovery.at(-1)?.event;
  if (completed?.type === 'recovery-completed' && (completed.kept !== kept || completed.rerun !== rerun)) {
    throw new Error(`diff predicted ${kept} kept and ${rerun} rerun; recorded is ${JSON.stringify(completed)}`);
  }
  return { kind: 'compared', kept, rerun };
}

/** Whether the recovery that follows the prediction is complete in these records. */
export function isRecovered(prediction: Prediction, records: readonly LogRecord[]): boolean {
  return records.some(({ sequence, event }) => sequence > prediction.sequence && event.type === 'recovery-completed');
}

function compareResets(prediction: Prediction, recovery: readonly LogRecord[]): void {
  const reset = recovery.flatMap(({ event }) =>
    event.type === 'execution-vertex-reset' ? event.subtasks.map((subtask) => taskOf(event.vertexId, subtask)) : [],
  );
  const predicted = prediction.report.rerun.map(({ vertexId, subtask }) => taskOf(vertexId, subtask));
  expectSame('tasks that run again', predicted, reset);
}

/** Until something happens that no prediction can know, nothing runs that was to be kept. */
function compareDeployments(prediction: Prediction, records: readonly LogRecord[]): void {
  const kept = new Set(prediction.report.kept.map(({ vertexId, subtask }) => taskOf(vertexId, subtask)));
  const owed = new Set(prediction.report.rerun.map(({ vertexId, subtask }) => taskOf(vertexId, subtask)));
  for (const { event } of records) {
    if (disturbances.has(event.type)) return;
    if (event.type === 'execution-deployed') {
      const task = taskOf(event.vertexId, event.subtask);
      if (kept.has(task)) throw new Error(`diff predicted that ${task} is kept, but it was deployed again`);
      owed.delete(task);
    }
    if (event.type === 'commit-started' && owed.size > 0) {
      throw new Error(`diff predicted that ${[...owed].join(', ')} run again, but the job committed without them`);
    }
  }
}

const disturbances = new Set(['worker-lost', 'execution-failed', 'execution-vertex-reset']);

function taskOf(vertexId: string, subtask: number): string {
  return `${vertexId}#${subtask}`;
}

function expectSame(what: string, predicted: readonly string[], actual: readonly string[]): void {
  const [a, b] = [[...predicted].sort().join(' '), [...actual].sort().join(' ')];
  if (a !== b) throw new Error(`${what}: predicted [${a}], done [${b}]`);
}
