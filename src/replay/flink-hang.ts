// Where to end a history whose recovery would hang, so that it goes on: every task that is initialized has finished, durably,
// and nothing schedules what comes next. Only a finish makes it so: the last one of a task that had not finished, or one that
// brought the snapshot which the last place of the order lacked. One pass. Doc: docs/flink.md "would-hang" and "Repair".
import type { FinishedStep, FlinkStep } from './flink-history.ts';
import { NumberedSet } from './numbered-set.ts';

/** How many events the longest beginning has that goes on, of a history that hangs as a whole. */
export function eventsThatGoOn(history: Iterable<FlinkStep>): number {
  const finished = new NumberedSet();
  let last: FinishedStep | null = null;
  let events = 0;
  for (const step of history) {
    if (step.kind === 'reset') {
      for (const { vertexId, subtasks } of step.tasks)
        for (const subtask of subtasks) finished.delete(vertexId, subtask);
    }
    if (step.kind !== 'finished') continue;
    const { vertexId, subtask } = step;
    const isNew = finished.add(vertexId, subtask);
    // The last place of the order: a finish that is not new takes its own old place.
    const isLast = isNew || (last?.vertexId === vertexId && last.subtask === subtask);
    if (isNew || (isLast && !last?.hasSnapshot && step.hasSnapshot)) events = step.sequence;
    if (isLast) last = step;
  }
  return events;
}
