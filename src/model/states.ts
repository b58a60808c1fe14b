// Job and execution states, spelled as Flink spells them.

export const jobStates = [
  'CREATED',
  'RECONCILING',
  'RUNNING',
  'RESTARTING',
  'FAILED',
  'CANCELED',
  'SUSPENDED',
  'FINISHED',
] as const;
export type JobState = (typeof jobStates)[number];

export const executionStates = [
  'CREATED',
  'SCHEDULED',
  'DEPLOYING',
  'INITIALIZING',
  'RUNNING',
  'FINISHED',
  'CANCELING',
  'CANCELED',
  'FAILED',
] as const;
export type ExecutionState = (typeof executionStates)[number];

/** Whether a job in this state never runs again under the same job id. SUSPENDED is not: it can be resumed. */
export function isGloballyTerminal(state: JobState): boolean {
  return state === 'FINISHED' || state === 'FAILED' || state === 'CANCELED';
}
