// The heart of the planner's promise: whatever combination of SQL and exchanges the analysis accepts gives, run task by
// task, the answer over the whole inputs; and what it refuses really would have changed it (with listed exceptions).
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseExchanges } from '../../../src/plan/exchanges/choose-exchanges.ts';
import type { PlanInput, TriedExchange } from '../../../src/plan/exchanges/stage-plan.ts';
import { parseSelect } from '../../../src/plan/sql-analysis/parse-select.ts';
import { openDatabase } from '../../../src/sql/duckdb.ts';
import { arrivals, Emulation, nameOf, pairedArrivals, variantCount } from './emulation.ts';
import { oneInput, type TestQuery, twoInputs } from './queries.ts';
import { oneInputTraps, twoInputTraps } from './traps.ts';

let emulations: Emulation[];
let parser: DuckDBConnection;

beforeAll(async () => {
  emulations = await Promise.all(Array.from({ length: variantCount }, (_, variant) => Emulation.create(variant)));
  parser = await (await openDatabase({ threads: 1, memoryLimitBytes: null, tempDirectory: null })).connect();
});
afterAll(() => {
  for (const emulation of emulations) emulation.close();
  parser.closeSync();
});

const taskCounts = [5, 2, 1];

/** The variants have the same columns. */
function planInput(name: string, tried: TriedExchange | null): PlanInput {
  const [emulation] = emulations;
  if (!emulation) throw new Error('no data');
  return emulation.input(name, tried);
}

async function decide(sql: string, inputs: readonly string[], exchanges: readonly (TriedExchange | null)[]) {
  return chooseExchanges({
    stage: 'stage',
    query: await parseSelect(parser, sql),
    inputs: inputs.map((name, index) => planInput(name, exchanges[index] ?? null)),
    perTask: false,
    parallelism: null,
    followsSingleTask: false,
    broadcastBytesMax: 0,
  });
}

/** What is wrong with the verdict on one combination; null: nothing. */
async function checkVerdict(query: TestQuery, inputs: readonly string[], exchanges: readonly TriedExchange[]) {
  const name = exchanges.map(nameOf).join(' x ');
  const { refusal, isSingleTask } = await decide(query.sql, inputs, exchanges);
  if (isSingleTask) return null;
  const differs = await differsSomewhere(query.sql, inputs, exchanges);
  if (refusal === null) return differs ? `${name}: accepted, but the answer differs` : null;
  if (refusal.length < 10) return `${name}: refused without a reason`;
  const isListed = query.overdone?.pattern.test(name) === true;
  return differs || isListed ? null : `${name}: refused without need: ${refusal}`;
}

/** All variants at the most tasks (where a wrong answer shows soonest), the first one at every number of tasks. */
async function differsSomewhere(sql: string, inputs: readonly string[], exchanges: readonly TriedExchange[]) {
  for (const [variant, emulation] of emulations.entries()) {
    const counts = variant === 0 ? taskCounts : taskCounts.slice(0, 1);
    for (const tasks of counts) if (await emulation.differs(sql, inputs, exchanges, tasks)) return true;
  }
  return false;
}

function combinations(inputs: readonly string[]): TriedExchange[][] {
  if (inputs.length === 1) return arrivals.map((arrival) => [arrival]);
  return pairedArrivals.flatMap((left) => pairedArrivals.map((right) => [left, right]));
}

describe.each([
  ['one input', oneInput, ['t']],
  ['two inputs', twoInputs, ['t', 'u']],
] as const)('%s: every exchange', (_, queries, inputs) => {
  it.each(queries.map((query) => [query.sql, query] as const))('%s', async (_sql, query) => {
    const wrong = [];
    for (const exchanges of combinations(inputs)) wrong.push(await checkVerdict(query, inputs, exchanges));
    expect(wrong.filter((message) => message !== null).join('\n')).toBe('');
  });

  it.each(queries.map((query) => query.sql))('defaults give the answer: %s', async (sql) => {
    const { exchanges, refusal, isSingleTask } = await decide(sql, inputs, []);
    expect(refusal).toBeNull();
    if (isSingleTask) return;
    const chosen = exchanges.map(({ exchange, by }) => ({ exchange, by: by.map((key) => key.column) }));
    expect(await differsSomewhere(sql, inputs, chosen)).toBe(false);
  });
});

describe.each([
  ['one input', oneInputTraps, ['t']],
  ['two inputs', twoInputTraps, ['t', 'u']],
] as const)('%s: traps', (_, queries, inputs) => {
  it.each(queries)('%s', async (sql) => {
    const wrong = [];
    for (const exchanges of combinations(inputs)) {
      const { refusal, isSingleTask } = await decide(sql, inputs, exchanges);
      const isAccepted = refusal === null && !isSingleTask;
      if (isAccepted && (await differsSomewhere(sql, inputs, exchanges))) wrong.push(exchanges.map(nameOf).join(' x '));
    }
    expect(wrong).toEqual([]);
  });
});
