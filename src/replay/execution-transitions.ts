// The legal state changes of an execution vertex, as data. A recorded step that the table does not allow from the
// task's state is not applied; apply-event.ts says what is reported then. Deployments are flight-recorder events and
// may be absent from a store, so a finish or a failure is legal from every state that has not ended.
import type { ExecutionState } from '../model/states.ts';
import { executionStates } from '../model/states.ts';

export type ExecutionStep = 'deploy' | 'finish' | 'fail' | 'reset' | 'new-epoch';

export interface ExecutionTransition {
  readonly from: ReadonlySet<ExecutionState>;
  readonly to: ExecutionState;
}

const notFinished = executionStates.filter((state) => state !== 'FINISHED');

export const executionTransitions: Readonly<Record<ExecutionStep, ExecutionTransition>> = {
  /** A worker was told to run an attempt. A finished task must be reset first. */
  deploy: { from: new Set(notFinished), to: 'DEPLOYING' },
  /** The attempt's result is recorded. A second finish needs a reset between the two. */
  finish: { from: new Set(notFinished), to: 'FINISHED' },
  /** An attempt failed. A failure that comes in behind the finish of the task is stale. */
  fail: { from: new Set(notFinished), to: 'FAILED' },
  /** Back to the start under the next attempt number, whatever the task was doing. */
  reset: { from: new Set(executionStates), to: 'CREATED' },
  /** A new JobMaster adopts what has finished; attempts under way died with the old one. */
  'new-epoch': { from: new Set(notFinished), to: 'CREATED' },
};

/** Whether `step` is legal from `state`. */
export function isLegal(step: ExecutionStep, state: ExecutionState): boolean {
  return executionTransitions[step].from.has(state);
}
