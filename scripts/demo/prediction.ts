// The prediction beside what happened. "What happened" is taken from the deployments that the store records after the
// kill, not from what the recovery says of itself: a finished task that was not deployed again was kept.
import type { LogRecord } from '../../src/model/job-log.ts';
import { ranges } from '../../src/render/text.ts';
import type { DiffReport, DiffTask } from '../../src/services/diff-report.ts';
import { finishedTasks } from './recorded.ts';

export interface Outcome {
  readonly kept: ReadonlySet<string>;
  readonly rerun: ReadonlySet<string>;
}

export interface ComparedVertex {
  readonly name: string;
  readonly predicted: { readonly kept: string; readonly rerun: string };
  readonly actual: { readonly kept: string; readonly rerun: string };
}

export interface Comparison {
  readonly vertices: readonly ComparedVertex[];
  readonly isEqual: boolean;
}

/** What became of the tasks that had finished at `atSequence`. */
export function outcomeOf(records: readonly LogRecord[], atSequence: number): Outcome {
  const before = finishedTasks(records.filter((record) => record.sequence <= atSequence));
  const deployed = new Set<string>();
  for (const { sequence, event } of records) {
    if (sequence > atSequence && event.type === 'execution-deployed')
      deployed.add(`${event.vertexId}#${event.subtask}`);
  }
  const finished = [...before.keys()];
  return {
    kept: new Set(finished.filter((task) => !deployed.has(task))),
    rerun: new Set(finished.filter((task) => deployed.has(task))),
  };
}

export function compare(diff: DiffReport, actual: Outcome): Comparison {
  const predicted: Outcome = { kept: keysOf(diff.kept), rerun: keysOf(diff.rerun) };
  const names = new Map([...diff.kept, ...diff.rerun, ...diff.pending].map((task) => [task.vertexId, nameOf(task)]));
  const involved = [...names].filter(([id]) => [predicted, actual].some((each) => holds(each, id)));
  return {
    vertices: involved.map(([id, name]) => ({
      name,
      predicted: ofVertex(predicted, id),
      actual: ofVertex(actual, id),
    })),
    isEqual: isSame(predicted.kept, actual.kept) && isSame(predicted.rerun, actual.rerun),
  };
}

function keysOf(tasks: readonly DiffTask[]): Set<string> {
  return new Set(tasks.map((task) => `${task.vertexId}#${task.subtask}`));
}

function nameOf(task: DiffTask): string {
  return task.vertexName ?? task.vertexId;
}

function holds(outcome: Outcome, vertexId: string): boolean {
  return [...outcome.kept, ...outcome.rerun].some((task) => task.startsWith(`${vertexId}#`));
}

function ofVertex(outcome: Outcome, vertexId: string): { kept: string; rerun: string } {
  const subtasks = (tasks: ReadonlySet<string>) => {
    const own = [...tasks].filter((task) => task.startsWith(`${vertexId}#`));
    return own.length === 0 ? '-' : `#${ranges(own.map((task) => Number(task.split('#')[1])))}`;
  };
  return { kept: subtasks(outcome.kept), rerun: subtasks(outcome.rerun) };
}

function isSame(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return left.size === right.size && [...left].every((each) => right.has(each));
}
