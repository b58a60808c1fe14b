// The elements of `recovery-completed` behind those that every writer gives: why tasks ran again, and what had been
// predicted. Spec: docs/format.md, "Events".
import { type Cells, count, countOrNull, flag, list, listOfGroups, text } from '../model/cells.ts';
import type { RecoveryDetail } from '../model/job-events.ts';

export function recoveryDetailCells(detail: RecoveryDetail): unknown[] {
  const { reasons, reruns, predicted, differences, checkpointId } = detail;
  return [
    reasons.flatMap(({ code, tasks }) => [code, tasks]),
    reruns.flatMap(({ vertexId, subtask, code }) => [vertexId, subtask, code]),
    predicted === null ? null : [predicted.kept, predicted.rerun],
    differences.flatMap(({ vertexId, subtask, predictedRerun }) => [vertexId, subtask, predictedRerun]),
    ...(checkpointId === undefined ? [] : [checkpointId]),
  ];
}

/** Throws a CellError for cells that are none. */
export function recoveryDetailOf([reasons, reruns, predicted, differences, checkpointId]: Cells): RecoveryDetail {
  return {
    reasons: groupsOf(reasons, 2).map(([code, tasks]) => ({ code: text(code), tasks: count(tasks) })),
    reruns: groupsOf(reruns, 3).map(([vertexId, subtask, code]) => ({
      vertexId: text(vertexId),
      subtask: count(subtask),
      code: text(code),
    })),
    predicted: predicted === null ? null : predictedOf(list(predicted)),
    differences: groupsOf(differences, 3).map(([vertexId, subtask, predictedRerun]) => ({
      vertexId: text(vertexId),
      subtask: count(subtask),
      predictedRerun: flag(predictedRerun),
    })),
    ...(checkpointId === undefined ? {} : { checkpointId: countOrNull(checkpointId) }),
  };
}

function predictedOf([kept, rerun]: Cells): RecoveryDetail['predicted'] {
  return { kept: count(kept), rerun: count(rerun) };
}

function groupsOf(cell: unknown, size: number): Cells[] {
  const cells = listOfGroups(cell, size);
  return Array.from({ length: cells.length / size }, (_, group) => cells.slice(group * size, (group + 1) * size));
}
