// What a recovery did and why, in numbers and with the tasks up to a bound, and where it differs from what was predicted
// of it: for the record of the recovery (`recovery-completed`). Pure. Doc: docs/recovery.md "The report of a recovery".
import type { RecoveryDetail } from '../model/job-events.ts';
import type { RecoveryPlan, TaskRef } from './recovery-plan.ts';

/** Tasks that are named; numbers are of all. */
export const namedTasksMax = 100;

/** `predicted`: what `diff` would have said right before; null: nobody could say. */
export function recoveryDetail(plan: RecoveryPlan, predicted: RecoveryPlan | null): RecoveryDetail {
  const codes = plan.rerun.map(({ reasons }) => reasons[0]?.code ?? 'store-unusable');
  const reasons = [...new Set(codes)].map((code) => ({ code, tasks: codes.filter((each) => each === code).length }));
  const reruns = plan.rerun.slice(0, namedTasksMax).map(({ vertexId, subtask }, index) => {
    return { vertexId, subtask, code: codes[index] ?? 'store-unusable' };
  });
  if (predicted === null) return { reasons, reruns, predicted: null, differences: [] };
  const { kept, rerun } = predicted.summary;
  return { reasons, reruns, predicted: { kept, rerun }, differences: differencesOf(plan, predicted) };
}

/** Tasks whose fate was not the predicted one. */
function differencesOf(plan: RecoveryPlan, predicted: RecoveryPlan): RecoveryDetail['differences'] {
  const [happened, expected] = [rerunKeys(plan), rerunKeys(predicted)];
  const all = new Map(
    [...plan.rerun, ...predicted.rerun, ...plan.kept, ...predicted.kept].map((task) => [keyOf(task), task]),
  );
  const differing = [...all].filter(([key]) => happened.has(key) !== expected.has(key));
  return differing
    .slice(0, namedTasksMax)
    .map(([key, { vertexId, subtask }]) => ({ vertexId, subtask, predictedRerun: expected.has(key) }));
}

function rerunKeys({ rerun }: RecoveryPlan): Set<string> {
  return new Set(rerun.map(keyOf));
}

function keyOf({ vertexId, subtask }: TaskRef): string {
  return `${vertexId}#${subtask}`;
}
