// A run on the screen: how it ended comes first, a failure says why and what next.
import { describe, expect, it } from 'vitest';
import { renderDryRun } from '../../src/render/dry-run.ts';
import { renderNotice, renderProgress, renderStatus } from '../../src/render/progress.ts';
import { renderRun } from '../../src/render/run.ts';
import { createStyle } from '../../src/render/style.ts';
import type { RunReport } from '../../src/services/run-report.ts';

const style = createStyle({ color: false, width: 100 });

const report: RunReport = {
  jobId: 'a'.repeat(32),
  name: 'delays',
  state: 'FINISHED',
  store: '/home/jobs/x/job-events',
  durationMs: 12_340,
  vertices: [{ vertexId: 'b'.repeat(32), vertexName: 'late -> partial', parallelism: 8, finished: 8 }],
  sinks: [{ name: 'out', path: '/data/out', rows: 1234 }],
  recoveries: [
    {
      epoch: 2,
      cause: 'job-master-lost',
      kept: 5,
      rerun: 1,
      durationMs: 40,
      reasons: [{ code: 'partition-missing', tasks: 1 }],
      reruns: [{ vertexId: 'b'.repeat(32), vertexName: 'late -> partial', subtask: 3, code: 'partition-missing' }],
      predicted: { kept: 5, rerun: 1 },
      differences: [],
    },
  ],
};

describe('run', () => {
  it('finished', () => {
    expect(renderRun(report, style)).toMatchInlineSnapshot(`
      "job    delays  FINISHED after 12.3 s  (id aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)
      store  /home/jobs/x/job-events

        vertex           finished
        late -> partial       8/8

        sink   rows  written to
        out   1,234  /data/out

        recovery  cause            kept  rerun   took  why
        epoch 2   job-master-lost     5      1  40 ms  1 partition-missing"
    `);
  });

  it('of a streaming job counts the rows of its sinks since its state began', () => {
    expect(renderRun({ ...report, lastCheckpoint: null }, style)).toMatch(/^ {2}sink {2}rows in all {2}written to$/m);
  });

  it('of a streaming job says what each recovery began from', () => {
    const [recovery] = report.recoveries;
    if (recovery === undefined) throw new Error('the report has a recovery');
    const one = { ...recovery, kept: 0, rerun: 0, reasons: [], reruns: [] };
    const recoveries = [
      { ...one, checkpointId: null },
      { ...one, epoch: 3, checkpointId: 1204 },
    ];
    expect(renderRun({ ...report, recoveries }, style)).toMatch(
      /began from +took\n +epoch 2 +job-master-lost +the beginning +40 ms\n +epoch 3 +job-master-lost +checkpoint 1204 +40 ms$/,
    );
  });

  it('warns of a recovery that was not the predicted one', () => {
    const [recovery] = report.recoveries;
    if (recovery === undefined) throw new Error('the report has a recovery');
    const differences = [{ vertexId: 'c', vertexName: 'totals', subtask: 1, predictedRerun: true }];
    const recoveries = [{ ...recovery, predicted: { kept: 4, rerun: 2 }, differences }];
    expect(renderRun({ ...report, recoveries }, style)).toContain(
      'epoch 2 did not recover as predicted (4 kept and 2 rerun; other: totals#1): that is a bug in jobrec, please report it',
    );
  });

  it('suspended', () => {
    const failure = {
      code: 'INTERRUPTED',
      message: 'the client received SIGINT',
      hint: 'resume with: jobrec run job.yaml',
    } as const;
    const text = renderRun({ ...report, state: 'SUSPENDED', recoveries: [], failure }, style);
    expect(text).toMatchInlineSnapshot(`
      "job    delays  SUSPENDED after 12.3 s  (id aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)
      store  /home/jobs/x/job-events
      why    the client received SIGINT
      next   resume with: jobrec run job.yaml

        vertex           finished
        late -> partial       8/8"
    `);
  });

  it('planned', () => {
    const text = renderDryRun(
      {
        name: 'delays',
        shuffle: 'service',
        streaming: null,
        warnings: [],
        sources: [{ name: 'flights', splits: 4, enumerator: null }],
        vertices: [
          { vertexName: 'late -> partial', stages: ['late', 'partial'], parallelism: 4 },
          { vertexName: 'totals', stages: ['totals'], parallelism: null },
        ],
        edges: [{ from: 'partial', to: 'totals', exchange: 'hash', by: ['carrier'], why: 'GROUP BY carrier' }],
      },
      style,
    );
    expect(text).toMatchInlineSnapshot(`
      "job    delays: 2 vertices, nothing was started
      held   service: a shuffle service process keeps the results, so that losing a worker loses none

        vertex           parallelism  stages
        late -> partial            4  late, partial
        totals              adaptive  totals

        from => to         exchange         why
        partial => totals  hash by carrier  GROUP BY carrier"
    `);
  });
});

it('planned, with splits that are found later', () => {
  const sources = [
    { name: 'flights', splits: 4, enumerator: null },
    { name: 'days', splits: null, enumerator: 'listDays' },
  ];
  expect(
    renderDryRun(
      { name: 'delays', shuffle: 'service', streaming: null, warnings: [], sources, vertices: [], edges: [] },
      style,
    ),
  ).toMatchInlineSnapshot(`
    "job    delays: 0 vertices, nothing was started
    held   service: a shuffle service process keeps the results, so that losing a worker loses none

      source   splits
      flights       4  known now
      days          -  found by listDays while the job runs"
  `);
});

describe('progress', () => {
  const vertices = [
    { name: 'scan', parallelism: 4, finished: 4, running: 0 },
    { name: 'late -> partial', parallelism: 8, finished: 2, running: 3 },
    { name: 'totals', parallelism: null, finished: 0, running: 0 },
  ];

  it('is one line: the whole, then what is at work', () => {
    expect(renderProgress('RUNNING', vertices, 120)).toBe('RUNNING 6/12+ tasks · late -> partial 2/8');
    expect(renderProgress('CREATED', [], 120)).toBe('CREATED');
    expect(renderProgress('RUNNING', vertices, 30).length).toBeLessThanOrEqual(30);
  });

  it('of a streaming job counts running tasks and names the last checkpoint', () => {
    const streaming = { name: 'counts', parallelism: 2, finished: 0, running: 2 };
    expect(renderProgress('RUNNING', [{ ...streaming, lastCheckpointId: 9 }], 120)).toBe(
      'RUNNING 2/2 tasks · checkpoint 9',
    );
    expect(renderProgress('RESTARTING', [{ ...streaming, running: 0, lastCheckpointId: 0 }], 120)).toBe(
      'RESTARTING 0/2 tasks · no checkpoint yet',
    );
  });

  it('says states with their reason, and notices as such', () => {
    expect(renderStatus('RECONCILING', null, style)).toBe('RECONCILING');
    expect(renderStatus('FAILED', 'totals#1: out of memory', style)).toBe('FAILED: totals#1: out of memory');
    expect(renderNotice('worker w1 was lost', style)).toBe('note: worker w1 was lost');
  });
});

it('planned, a streaming job: what holds at its ends', () => {
  const streaming = {
    checkpointIntervalMs: 30_000,
    sources: [
      { name: 'words', kind: 'kafka', replayable: true },
      { name: 'lines', kind: 'socket', replayable: false },
    ],
    sinks: [
      { name: 'files', kind: 'file', guarantee: 'exactly-once' },
      { name: 'topic', kind: 'kafka', guarantee: 'at-least-once' },
    ],
  } as const;
  const report = { name: 'w', shuffle: null, streaming, warnings: ['mind the gap'], sources: [] };
  expect(renderDryRun({ ...report, vertices: [], edges: [] }, style)).toMatchInlineSnapshot(`
    "job    w: 0 vertices, nothing was started
    state  a checkpoint every 30.0 s

      in and out  kind    after a failure
      words       kafka   read again from the checkpoint
      lines       socket  cannot be replayed: rows since the last checkpoint are lost
      files       file    exactly once: rows appear with their checkpoint
      topic       kafka   at least once: rows since the last checkpoint come again after a failure

    note   mind the gap"
  `);
});
