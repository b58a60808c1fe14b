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
  reset,
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

  const sources = (supportsBatchSnapshot: boolean): JobEvent => ({
    type: 'coordinator-snapshot',
    vertexId: vertexId('scan'),
    operatorId: 'op',
    incremental: true,
    assigned: [],
    finished: [],
    supportsBatchSnapshot,
  });

  it('says every reason in words', async () => {
    const events = [
      ...totalled,
      sources(false),
      initialized('write', 2, {
        [totals]: [
          [0, 0],
          [1, 1],
        ],
      }),
    ];
    const plan = await planOf(events, survivorsWithoutWorkers(['w2']));
    expect(named(plan.rerun)).toEqual(['scan#0', 'scan#1', 'totals#0', 'totals#1']);
    expect(plan.rerun.map((task) => task.reasons.map((reason) => reason.message))).toEqual([
      ['scan#1 runs again, and the source coordinator of scan has no batch snapshot, so all its tasks start over'],
      [`its partition ${scan}#1@0 on w2 is missing (needed by totals#1, which runs again)`],
      ['consumes scan#1, which runs again'],
      [`its partition ${totals}#1@0 on w2 is missing (needed by write#1, not finished)`],
    ]);
    expect([plan.verdict, plan.why]).toEqual([
      'restart-from-scratch',
      'all 4 finished tasks run again, so nothing is kept',
    ]);
  });

  it('starts a half-finished source without batch snapshots over, and keeps one with them', async () => {
    const half = scanned.slice(0, 2);
    const plan = await planOf([...half, sources(false)], allSurvive());
    expect(plan.rerun[0]?.reasons).toEqual([
      {
        code: 'source-without-batch-snapshot',
        message:
          'the source coordinator of scan has no batch snapshot and 1 of its 2 tasks had not finished, so all of them start over',
        because: { kind: 'vertex', id: vertexId('scan') },
      },
    ]);
    expect(named(plan.pending)).toEqual(['scan#1']);
    expect((await planOf([...half, sources(true)], allSurvive())).rerun).toEqual([]);
  });

  it('reruns only what reads the lost partition over a pointwise edge', async () => {
    const pointwise: JobEvent[] = [
      ...totalled,
      initialized('write', 2, {
        [totals]: [
          [0, 0],
          [1, 1],
        ],
      }),
      finished('write', 0, { workerId: 'w1', parts: ['part-0'] }),
    ];
    const plan = await planOf(pointwise, survivorsWithoutWorkers(['w1']));
    expect(plan.rerun).toEqual([]);
    expect(plan.partitions.optional.map((partition) => partition.workerId)).toEqual(['w1', 'w2', 'w1']);
    expect(plan.partitions.missing).toEqual([]);
  });

  it('reruns a task whose staged part is gone, from inputs that are there', async () => {
    const written: JobEvent[] = [
      ...totalled,
      initialized('write', 2, {
        [totals]: [
          [0, 0],
          [1, 1],
        ],
      }),
      finished('write', 0, { parts: ['part-0'] }),
      finished('write', 1, { parts: ['part-1'] }),
    ];
    const partHas = (part: { file: string }) => part.file !== 'part-1';
    const plan = await planOf(written, allSurvive(partHas));
    expect(plan.rerun.map(({ reasons }) => reasons)).toEqual([
      [
        {
          code: 'staged-part-missing',
          message: 'its staged part part-1 of sink out is missing',
          because: { kind: 'partition', id: 'out/part-1' },
        },
      ],
    ]);
    for (const end of [
      { type: 'commit-started', sinks: [] },
      { type: 'job-status-changed', state: 'CANCELED', reason: null },
    ] as const) {
      const ended = await planOf([...written, end], { has: () => false, partHas: () => false });
      expect([ended.rerun, ended.pending, ended.verdict, ended.kept.length]).toEqual([[], [], 'recoverable', 6]);
      expect(ended.partitions).toEqual({ reserved: [], released: [], optional: [], missing: [] });
    }
  });

  it('takes a released partition for gone, though a worker still reports it', async () => {
    const released: JobEvent = { type: 'partitions-released', partitions: [{ datasetId: scan, partitionIndex: 0 }] };
    const plan = await planOf([...totalled, released], survivorsWithoutWorkers(['w2']));
    expect(reasonsOf(plan)).toEqual({
      'scan#0': ['partition-released'],
      'scan#1': ['upstream-input-missing'],
      'totals#0': ['downstream-of-rerun'],
      'totals#1': ['partition-missing'],
    });
    expect(plan.rerun[0]?.reasons[0]?.message).toBe(
      `its partition ${scan}#0@0 had been given up when all its consumers had finished, and is needed again by totals#1, which runs again`,
    );
  });

  it('needs the first partition for a task that reads no rows: it takes their types from it', async () => {
    const typesOnly = [...scanned, initialized('totals', 1, { [scan]: [[0, -1]] })];
    expect(reasonsOf(await planOf(typesOnly, survivorsWithoutWorkers(['w1'])))).toEqual({
      'scan#0': ['partition-missing'],
    });
    expect((await planOf(typesOnly, survivorsWithoutWorkers(['w2']))).rerun).toEqual([]);
  });

  it('starts finished consumers over with a producer whose reset was recorded and theirs was not', async () => {
    const torn = [...totalled, reset('scan', 0)];
    const plan = await planOf(torn, allSurvive());
    expect(plan.rerun.map((task) => task.reasons[0]?.message)).toEqual([
      'consumes scan#0, which has not finished',
      'consumes scan#0, which has not finished',
    ]);
  });

  it('does not change the graph', async () => {
    const graph = await graphOf(totalled);
    planRecovery(graph, survivorsWithoutWorkers(['w1']), jobrecRecoveryRules);
    expect(graph).toEqual(await graphOf(totalled));
  });

  it('looks at each partition once, however many tasks read it', async () => {
    const tasks = 1000;
    const many: JobEvent[] = [initialized('scan', tasks)];
    for (let subtask = 0; subtask < tasks; subtask += 1) many.push(finished('scan', subtask, { outputs: [scan] }));
    many.push(initialized('totals', tasks, { [scan]: Array.from({ length: tasks }, () => [0, tasks - 1] as const) }));
    for (let subtask = 0; subtask < tasks; subtask += 1) many.push(finished('totals', subtask, { outputs: [totals] }));
    let asked = 0;
    const none = { has: () => ++asked === 0, partHas: () => true };
    const plan = await planOf(many, none);
    expect([plan.summary.rerun, asked]).toEqual([2 * tasks, 2 * tasks]);
    expect(plan.rerun.every((task) => task.reasons.length === 1)).toBe(true);
  });
});
