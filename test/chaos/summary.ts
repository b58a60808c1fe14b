// The table that ends a batch of chaos runs: a row a kind, and the whole.
import type { ChaosOutcome } from './chaos-run.ts';

const columns = [
  'kind',
  'runs',
  'strikes',
  'clients',
  'masters',
  'workers',
  'services',
  'stops',
  'damages',
  'compactions',
  'recoveries',
  'predictions',
  'kept',
  'rerun',
  'events',
] as const;

/** Lines of equal width; `events`: those seen before a kill and found again afterwards. */
export function summaryLines(outcomes: readonly ChaosOutcome[]): string[] {
  const kinds = [...new Set(outcomes.map(({ plan }) => plan.kind))].sort();
  const rows = kinds.map((kind) =>
    rowOf(
      kind,
      outcomes.filter(({ plan }) => plan.kind === kind),
    ),
  );
  const table = [[...columns], ...rows, rowOf('all', outcomes)];
  const widths = columns.map((_, index) => Math.max(...table.map((row) => String(row[index]).length)));
  return table.map((row) => row.map((cell, index) => pad(String(cell), widths[index] ?? 0, index === 0)).join('  '));
}

function rowOf(name: string, outcomes: readonly ChaosOutcome[]): (string | number)[] {
  const blows = outcomes.flatMap((outcome) => outcome.blows);
  const kills = blows.filter(({ kind }) => kind === 'kill');
  const stops = blows.filter(({ kind }) => kind === 'stop');
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return [
    name,
    outcomes.length,
    blows.length,
    sum(kills.map((blow) => blow.clients)),
    sum(kills.map((blow) => blow.jobMasters)),
    sum(kills.map((blow) => blow.taskManagers)),
    sum(kills.map((blow) => blow.shuffleServices)),
    sum(stops.map((blow) => blow.clients + blow.jobMasters + blow.taskManagers + blow.shuffleServices)),
    sum(blows.map((blow) => blow.damages)),
    sum(blows.map((blow) => blow.compactions)),
    sum(outcomes.map((outcome) => outcome.recoveries)),
    sum(outcomes.map((outcome) => outcome.predictions.compared)),
    sum(outcomes.map((outcome) => outcome.predictions.kept)),
    sum(outcomes.map((outcome) => outcome.predictions.rerun)),
    sum(outcomes.map((outcome) => outcome.remembered)),
  ];
}

function pad(text: string, width: number, left: boolean): string {
  return left ? text.padEnd(width) : text.padStart(width);
}
