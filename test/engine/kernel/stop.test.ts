// Canceling and timing out: queries, functions and waits end soon, and the database is as good as new.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../../src/model/job-graph.ts';
import { dataset, step, Workbench } from './workbench.ts';

let bench: Workbench;
beforeEach(async () => {
  bench = await Workbench.create();
});
afterEach(() => bench.dispose());

const endless = 'SELECT sum(a.range * b.range) AS s FROM range(10000000) a, range(10000000) b';

async function stoppedSteps(kind: string): Promise<Step[]> {
  if (kind === 'a query') return [bench.sql('endless', endless, {})];
  const body =
    kind === 'a function that waits'
      ? 'export async function* run() { await new Promise(() => {}); }'
      : 'export async function* run(rows) { for await (const row of rows) yield row; }';
  const map = await bench.map('wait', body);
  return [bench.sql('endless', endless, {}), { ...map, input: step(0) } as Step];
}

describe.each(['a query', 'a function that waits', 'a function that reads a slow query'])('%s', (kind) => {
  it('ends when it is canceled', async () => {
    const abort = new AbortController();
    const steps = await stoppedSteps(kind);
    const started = performance.now();
    setTimeout(() => abort.abort(), 100);
    const failed = bench.run({ steps, outputs: [dataset('d', step(steps.length - 1))] }, abort.signal);
    await expect(failed).rejects.toMatchObject({ failure: { kind: 'canceled', message: 'canceled' } });
    expect(performance.now() - started).toBeLessThan(3000);
    expect(await bench.rows('SELECT count(*)::INT FROM duckdb_tables()')).toEqual([[0]]);
  });

  it('ends when it takes longer than the timeout, as a failed attempt', async () => {
    const steps = await stoppedSteps(kind);
    const failed = bench.run({ steps, outputs: [dataset('d', step(steps.length - 1))], timeoutMs: 100 });
    await expect(failed).rejects.toMatchObject({
      failure: { kind: 'task', message: 'the attempt took longer than task.timeout (0.1 s)' },
    });
    await bench.dataset('next', 'SELECT 1 AS x');
  });
});

it('an attempt that was canceled before it began does nothing', async () => {
  const failed = bench.run(
    { steps: [bench.sql('one', 'SELECT 1 AS x', {})], outputs: [dataset('d', step(0))] },
    AbortSignal.abort(),
  );
  await expect(failed).rejects.toMatchObject({ failure: { kind: 'canceled' } });
});
