// Whether the state of a checkpoint fits the operators of a job, which need not be the job that wrote it: found by
// operator id (the uid), of the same kind and keys, divided into the same key groups. Pure; asked before a job is
// submitted. Spec: docs/streaming.md, "Beginning from a savepoint".
import { type StreamingPlan, type StreamOperator, stateShapeOf } from '../../../model/streaming-plan.ts';
import type { CheckpointMetadata, OperatorState } from '../../../store/checkpoint/own-metadata.ts';

export type StateMisfit =
  /** No operator of the job has its id: it would be lost. */
  | { readonly kind: 'unclaimed'; readonly state: OperatorState }
  | {
      readonly kind: 'other-shape';
      readonly state: OperatorState;
      readonly operator: StreamOperator;
      readonly now: string | null;
    }
  | { readonly kind: 'other-key-groups'; readonly state: OperatorState; readonly now: number };

/** Everything that does not fit, in the order of the checkpoint. */
export function stateMisfits({ operators }: CheckpointMetadata, plan: StreamingPlan): StateMisfit[] {
  const byId = new Map(plan.vertices.flatMap((vertex) => vertex.operators).map((each) => [each.operatorId, each]));
  return operators.filter(hasState).flatMap((state) => {
    const misfit = misfitOf(state, byId.get(state.operatorId), plan.maxParallelism);
    return misfit ? [misfit] : [];
  });
}

function misfitOf(
  state: OperatorState,
  operator: StreamOperator | undefined,
  maxParallelism: number,
): StateMisfit | null {
  if (!operator) return { kind: 'unclaimed', state };
  const now = stateShapeOf(operator.spec);
  if (now !== (state.shape ?? null)) return { kind: 'other-shape', state, operator, now };
  const isKeyed = state.subtasks.some(({ keyed }) => keyed !== null);
  if (isKeyed && state.maxParallelism !== maxParallelism)
    return { kind: 'other-key-groups', state, now: maxParallelism };
  return null;
}

function hasState({ subtasks }: OperatorState): boolean {
  return subtasks.some(({ keyed, operator }) => keyed !== null || operator !== null);
}
