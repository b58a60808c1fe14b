// planRecovery on jobs small enough to read: who runs again, and why in words.
import { describe, expect, it } from 'vitest';
import type { JobEvent } from '../../src/model/job-events.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { planRecovery } from '../../src/replay/reconcile.ts';
import type { RecoveryPlan, Survivors } from '../../src/replay/recovery-plan.ts';
import { jobrecRecoveryRules } from '../../src/replay/recovery-plan.ts';
import { replay } from '../../src/replay/replay.ts';
import { allSurvive, survivorsWithoutWorkers } from '../../src/replay/survivors.ts';
import {
  datasetId,
  finished,
  initialized,
  iterate,
  jobGraphOf,
  recordsOf,
  submitted,
  vertexId,
} from './job-builder.ts';

const scan = datasetId('scan', 'hash');
const totals = datasetId('totals', 'forward');
const job = jobGraphOf([
  { name: 'scan' },
  { name: 'totals', reads: { scan: 'hash' } },
  { name: 'write', reads: { totals: 'forward' } },
]);

async function graphOf(events: readonly JobEvent[]): Promise<ExecutionGraph> {
  return (await replay(iterate(recordsOf([submitted(job), ...events])))).graph;
}

async function planOf(events: readonly JobEvent[], survivors: Survivors): Promise<RecoveryPlan> {
  return planRecovery(await graphOf(events), survivors, jobrecRecoveryRules);
}

const named = (tasks: readonly { vertexId: string; subtask: number }[]) =>
  tasks.map((task) => `${job.vertices.find((vertex) => vertex.id === task.vertexId)?.name}#${task.subtask}`);
const reasonsOf = (plan: RecoveryPlan) =>
  Object.fromEntries(named(plan.rerun).map((name, at) => [name, plan.rerun[at]?.reasons.map((reason) => reason.code)]));

const scanned: JobEvent[] = [
  initialized('scan', 2),
  finished('scan', 0, { workerId: 'w1', outputs: [scan] }),
  finished('scan', 1, { workerId: 'w2', outputs: [scan] }),
];
const totalled: JobEvent[] = [
  ...scanned,
  initialized('totals', 2, {
    [scan]: [
      [0, 1],
      [0, 1],
    ],
  }),
  finished('totals', 0, { workerId: 'w1', outputs: [totals] }),
  finished('totals', 1, { workerId: 'w2', outputs: [totals] }),
];

describe('planRecovery', () => {
  it('reruns a producer whose partition somebody waits for', async () => {
    const plan = await planOf(scanned, survivorsWithoutWorkers(['w2']));
    expect(reasonsOf(plan)).toEqual({ 'scan#1': ['partition-missing'] });
    expect(plan.rerun[0]?.reasons[0]).toEqual({
      code: 'partition-missing',
      message: `its partition ${scan}#1@0 on w2 is missing (needed by totals, not initialized)`,
      because: { kind: 'partition', id: `${scan}#1@0` },
    });
    expect(plan.verdict).toBe('recoverable-with-loss');
    expect(plan.summary).toEqual({
      finished: 2,
      rerun: 1,
      kept: 1,
      pending: 0,
      cost: { records: 10, bytes: 100, durationMs: 7 },
    });
    expect(plan.reset).toEqual(new Map([[vertexId('scan'), [1]]]));
  });

  it('walks up to lost inputs and down to all consumers', async () => {
    const plan = await planOf(totalled, survivorsWithoutWorkers(['w2']));
    expect(reasonsOf(plan)).toEqual({
      'scan#1': ['upstream-input-missing'],
      'totals#0': ['downstream-of-rerun'],
      'totals#1': ['partition-missing'],
    });
    expect(named(plan.kept)).toEqual(['scan#0']);
  });

  it('keeps everything where nothing is lost', async () => {
    const plan = await planOf(totalled, allSurvive());
    expect([plan.rerun, plan.verdict, plan.why]).toEqual([[], 'recoverable', 'all 4 finished tasks are kept']);
  });
});
