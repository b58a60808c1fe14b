// Recoveries as a table, and below it every one that was not what `diff` predicts: that is a bug, and says so.
import type { RecoveryEntry } from '../services/recovery-report.ts';
import type { Style } from './style.ts';
import { table } from './table.ts';
import { count, duration } from './text.ts';

/** '' where there was none. */
export function recoveriesTable(recoveries: readonly RecoveryEntry[], style: Style): string {
  const ofStreaming = recoveries.some(({ checkpointId }) => checkpointId !== undefined);
  const all = ofStreaming ? restoresTable(recoveries, style) : finishesTable(recoveries, style);
  const warnings = recoveries.filter(({ differences }) => differences.length > 0).map((each) => warning(each, style));
  return [all, ...warnings].filter((block) => block !== '').join('\n');
}

/** Of a batch job: what became of its finished tasks. */
function finishesTable(recoveries: readonly RecoveryEntry[], style: Style): string {
  const columns = [
    { title: 'recovery' },
    { title: 'cause' },
    { title: 'kept', align: 'right' },
    { title: 'rerun', align: 'right' },
    { title: 'took', align: 'right' },
    { title: 'why' },
  ] as const;
  const rows = recoveries.map((each) => [
    `epoch ${each.epoch}`,
    each.cause,
    count(each.kept),
    count(each.rerun),
    duration(each.durationMs),
    each.reasons.map(({ code, tasks }) => `${count(tasks)} ${code}`).join(', '),
  ]);
  return table(columns, rows, style);
}

/** Of a streaming job: what its tasks began from. */
function restoresTable(recoveries: readonly RecoveryEntry[], style: Style): string {
  const columns = [
    { title: 'recovery' },
    { title: 'cause' },
    { title: 'began from' },
    { title: 'took', align: 'right' },
  ] as const;
  const rows = recoveries.map(({ epoch, cause, checkpointId, durationMs }) => [
    `epoch ${epoch}`,
    cause,
    restoredText(checkpointId),
    duration(durationMs),
  ]);
  return table(columns, rows, style);
}

/** undefined: recorded by an older jobrec. */
function restoredText(checkpointId: number | null | undefined): string {
  if (checkpointId === undefined) return 'not recorded';
  return checkpointId === null ? 'the beginning' : `checkpoint ${checkpointId}`;
}

function warning({ epoch, predicted, differences }: RecoveryEntry, style: Style): string {
  const tasks = differences
    .slice(0, 5)
    .map(({ vertexName, vertexId, subtask }) => `${vertexName ?? vertexId}#${subtask}`);
  const more = differences.length > tasks.length ? ', …' : '';
  const said = `${predicted?.kept} kept and ${predicted?.rerun} rerun`;
  return style.bad(
    `epoch ${epoch} did not recover as predicted (${said}; other: ${tasks.join(', ')}${more}): that is a bug in jobrec, please report it with a copy of the store`,
  );
}
