// What each event does to the graph, and the table of events that do not fit the ones before them.
import { describe, expect, it } from 'vitest';
import type { CoordinatorSnapshot, JobEvent } from '../../src/model/job-events.ts';
import { executionStates } from '../../src/model/states.ts';
import type { ApplyFinding } from '../../src/replay/apply-event.ts';
import { applyEvent } from '../../src/replay/apply-event.ts';
import type { ExecutionGraph, ExecutionVertex } from '../../src/replay/execution-graph.ts';
import { createExecutionGraph, recoveredState } from '../../src/replay/execution-graph.ts';
import { executionTransitions, isLegal } from '../../src/replay/execution-transitions.ts';
import { parallelismMax } from '../../src/replay/semantic-checks.ts';
import { datasetId, finished, initialized, jobGraphOf, recordsOf, reset, submitted, vertexId } from './job-builder.ts';

const rows = datasetId('scan', 'hash');
const job = submitted(jobGraphOf([{ name: 'scan' }, { name: 'totals', reads: { scan: 'hash' } }]));
const scan = vertexId('scan');

function fold(events: readonly JobEvent[], graph = createExecutionGraph()): [ExecutionGraph, ApplyFinding[]] {
  const findings: ApplyFinding[] = [];
  for (const record of recordsOf(events)) {
    const found = applyEvent(graph, record, record.event);
    if (found !== null) findings.push(found);
  }
  return [graph, findings];
}

const taskOf = (graph: ExecutionGraph, subtask: number, vertex = scan): ExecutionVertex =>
  graph.vertices.get(vertex)?.tasks[subtask] as ExecutionVertex;
const states = (graph: ExecutionGraph) =>
  graph.vertices.get(scan)?.tasks.map((task) => `${task.state}@${task.attempt}`);
const deployed = (subtask: number, attempt: number): JobEvent => ({
  type: 'execution-deployed',
  vertexId: scan,
  subtask,
  attempt,
  workerId: 'w1',
});
const failed = (subtask: number, attempt: number, counted = true): JobEvent => ({
  type: 'execution-failed',
  vertexId: scan,
  subtask,
  attempt,
  workerId: 'w1',
  cause: 'boom',
  counted,
});
const made = (subtask: number) => finished('scan', subtask, { outputs: [rows] });

describe('semantic findings', () => {
  it.each<[string, JobEvent[], string, RegExp]>([
    [
      'a finish of an unknown vertex',
      [finished('ghost', 0)],
      'FINISH_WITHOUT_INIT',
      /#0 finished, but no event initialized/,
    ],
    ['a finish before the initialization', [job, made(0)], 'FINISH_WITHOUT_INIT', /scan#0 finished, but no event/],
    [
      'a finish beyond the parallelism',
      [job, initialized('scan', 2), made(2)],
      'FINISH_WITHOUT_INIT',
      /with parallelism 2/,
    ],
    [
      'a second finish',
      [job, initialized('scan', 1), made(0), made(0)],
      'FINISH_TWICE',
      /scan#0 finished again; .* sequence 2/,
    ],
    ['a reset of an unknown vertex', [reset('ghost', 0)], 'RESET_UNKNOWN', /names tasks that no event initialized: 0/],
    ['a reset before the initialization', [job, reset('scan', 0, 1)], 'RESET_UNKNOWN', /reset of scan .*: 0, 1$/],
    ['a reset beyond the parallelism', [job, initialized('scan', 1), reset('scan', 0, 5)], 'RESET_UNKNOWN', /: 5$/],
    [
      'too few partitions',
      [job, initialized('scan', 1), finished('scan', 0)],
      'PARTITION_COUNT',
      /produced 0 partitions; .* 1 outputs/,
    ],
    [
      'the partition of another data set',
      [job, initialized('scan', 1), finished('scan', 0, { outputs: ['f'.repeat(32)] })],
      'PARTITION_COUNT',
      /produced no partition of/,
    ],
    [
      "another task's partition",
      [job, initialized('scan', 2), { ...made(0), partitions: made(1).partitions }],
      'PARTITION_COUNT',
      /produced partition 1 of .*, not its own/,
    ],
    [
      'too few input ranges',
      [job, initialized('scan', 2), initialized('totals', 2, { [rows]: [[0, 1]] })],
      'PARTITION_COUNT',
      /totals: 1 input ranges of .* for 2 tasks/,
    ],
    [
      'an input range beyond the partitions',
      [job, initialized('scan', 2), initialized('totals', 1, { [rows]: [[0, 2]] })],
      'PARTITION_COUNT',
      /input range 0-2 of .*, which has 2 partitions/,
    ],
    [
      'more tasks than a job can have',
      [job, initialized('scan', parallelismMax + 1)],
      'PAYLOAD_INVALID',
      /parallelism 32769/,
    ],
    ['a parallelism that is no number of tasks', [job, initialized('scan', 1.5)], 'PAYLOAD_INVALID', /parallelism 1.5/],
  ])('%s', (_, events, code, message) => {
    const [, findings] = fold(events);
    expect(findings.map((finding) => finding.code)).toEqual([code]);
    expect(findings[0]?.message).toMatch(message);
  });

  it('none for a whole life with a reset', () => {
    const events = [
      job,
      initialized('scan', 2),
      deployed(0, 0),
      made(0),
      failed(1, 0),
      made(1),
      reset('scan', 0, 1),
      { ...made(0), attempt: 1 },
      { ...made(1), attempt: 1 },
      initialized('totals', 1, { [rows]: [[0, 1]] }),
    ];
    expect(fold(events)[1]).toEqual([]);
  });

  it('an ignored event leaves the tasks as they are; a second finish replaces the first', () => {
    const [graph] = fold([job, initialized('scan', 1), made(0), made(7), initialized('scan', -1), reset('scan', 3)]);
    expect(states(graph)).toEqual(['FINISHED@0']);
    const [twice] = fold([
      job,
      initialized('scan', 1),
      made(0),
      finished('scan', 0, { attempt: 4, workerId: 'w9', outputs: [rows] }),
    ]);
    expect(taskOf(twice, 0)).toMatchObject({ attempt: 4, workerId: 'w9', finishedSequence: 3 });
  });
});

describe('a task', () => {
  it('keeps what its finish recorded', () => {
    const event = finished('scan', 0, { attempt: 2, epoch: 3, workerId: 'w2', outputs: [rows], parts: ['part-0'] });
    const { partitions, parts, metrics } = event;
    const [graph] = fold([job, initialized('scan', 1), event]);
    expect(taskOf(graph, 0)).toEqual({
      subtask: 0,
      state: 'FINISHED',
      attempt: 2,
      epoch: 3,
      workerId: 'w2',
      partitions,
      parts,
      metrics,
      finishedSequence: 2,
      failures: 0,
      firstFailure: null,
    });
  });

  it('goes back to the start under the next attempt by a reset', () => {
    const [graph] = fold([job, initialized('scan', 2), made(0), made(1), reset('scan', 1)]);
    expect(states(graph)).toEqual(['FINISHED@0', 'CREATED@1']);
    expect(taskOf(graph, 1)).toMatchObject({
      epoch: null,
      workerId: null,
      partitions: [],
      parts: [],
      metrics: null,
      finishedSequence: null,
    });
  });

  it('is not moved by what comes in late', () => {
    const late = [
      job,
      initialized('scan', 1),
      deployed(0, 1),
      made(0),
      deployed(0, 2),
      failed(0, 5, false),
      deployed(9, 0),
      failed(9, 0),
    ];
    expect(states(fold(late)[0])).toEqual(['FINISHED@0']);
    const stale = [job, initialized('scan', 1), deployed(0, 3), deployed(0, 2), failed(0, 2)];
    expect(states(fold(stale)[0])).toEqual(['DEPLOYING@3']);
    expect(taskOf(fold(stale)[0], 0).failures).toBe(1);
  });

  it('counts only the failures that count', () => {
    const [graph] = fold([
      job,
      initialized('scan', 1),
      deployed(0, 0),
      failed(0, 0),
      deployed(0, 1),
      failed(0, 1, false),
    ]);
    expect(taskOf(graph, 0)).toMatchObject({ state: 'FAILED', failures: 1, attempt: 1 });
    expect(recoveredState(taskOf(graph, 0))).toBe('CREATED');
  });

  it('is dropped by the next JobMaster unless it has finished', () => {
    const events = [job, initialized('scan', 3), made(0), deployed(1, 0), failed(2, 0)];
    const [graph] = fold(events);
    applyEvent(
      graph,
      { sequence: 5, timeMicros: null, epoch: 2 },
      { type: 'job-status-changed', state: 'RECONCILING', reason: null },
    );
    expect(states(graph)).toEqual(['FINISHED@0', 'CREATED@0', 'CREATED@0']);
    expect([taskOf(graph, 0).workerId, taskOf(graph, 1).workerId, graph.epoch]).toEqual(['worker-1', null, 2]);
  });
});

describe('transitions', () => {
  it('are legal or not for every step and state', () => {
    for (const state of executionStates) {
      for (const step of ['deploy', 'finish', 'fail', 'new-epoch'] as const) {
        expect(isLegal(step, state), `${step} from ${state}`).toBe(state !== 'FINISHED');
      }
      expect(isLegal('reset', state)).toBe(true);
    }
    const ends = Object.values(executionTransitions).map((transition) => transition.to);
    expect(ends).toEqual(['DEPLOYING', 'FINISHED', 'FAILED', 'CREATED', 'CREATED']);
  });
});

describe('the job', () => {
  it('is as submitted', () => {
    const [graph] = fold([job]);
    expect(graph).toMatchObject({
      jobId: job.jobId,
      name: 'job',
      config: {},
      fingerprint: job.fingerprint,
      state: 'CREATED',
    });
    expect(
      [...graph.vertices.values()].map(({ name, index, parallelism, outputs }) => [name, index, parallelism, outputs]),
    ).toEqual([
      ['scan', 0, null, [rows]],
      ['totals', 1, null, []],
    ]);
    expect(graph.edges).toEqual([
      { producerVertexId: scan, consumerVertexId: vertexId('totals'), datasetId: rows, distribution: 'ALL_TO_ALL' },
    ]);
  });

  it('counts its events and knows the last one', () => {
    const [graph] = fold([job, initialized('scan', 2), made(0), made(1)]);
    expect(graph).toMatchObject({ eventCount: 4, lastSequence: 3, epoch: 1 });
    expect(Object.fromEntries(graph.byType)).toEqual({
      'job-submitted': 1,
      'job-vertex-initialized': 1,
      'execution-vertex-finished': 2,
    });
  });

  it('needs no job graph: vertices come by their initialization', () => {
    const [graph] = fold([initialized('totals', 1), initialized('scan', 2), finished('scan', 0, { outputs: ['x'] })]);
    expect([...graph.vertices.values()].map((vertex) => [vertex.index, vertex.name, vertex.tasks.length])).toEqual([
      [0, null, 1],
      [1, null, 2],
    ]);
  });

  it('keeps status, commit and recoveries', () => {
    const commit: JobEvent = { type: 'commit-started', sinks: [] };
    const recovery: JobEvent = {
      type: 'recovery-completed',
      epoch: 2,
      cause: 'job-master-lost',
      kept: 1,
      rerun: 2,
      durationMs: 3,
    };
    const [graph] = fold([job, { type: 'job-status-changed', state: 'FAILED', reason: 'boom' }, commit, recovery]);
    expect(graph).toMatchObject({ state: 'FAILED', stateReason: 'boom', commit, recoveries: [recovery] });
  });

  it('forgets the checkpoints that a restore has passed over, and their numbers are used all the same', () => {
    const completed = (checkpointId: number): JobEvent => {
      const location = `/chk-${checkpointId}`;
      return { type: 'checkpoint-completed', checkpointId, location, stateBytes: 1, durationMs: 1, sinks: [] };
    };
    const restored: JobEvent = {
      type: 'checkpoint-restored',
      checkpointId: 1,
      location: '/chk-1',
      skipped: [{ checkpointId: 2, reason: 'damaged' }],
    };
    const [before] = fold([job, completed(1), completed(2), restored]);
    expect([before.checkpoints.map(({ location }) => location), before.lastCheckpointId]).toEqual([['/chk-1'], 2]);
    const aborted: JobEvent = { type: 'checkpoint-aborted', checkpointId: 9, reason: 'late' };
    const [graph] = fold([job, completed(1), completed(2), restored, completed(3), aborted]);
    expect([graph.checkpoints.map(({ location }) => location), graph.lastCheckpointId]).toEqual([
      ['/chk-1', '/chk-3'],
      9,
    ]);
  });

  it('keeps its newest 300 checkpoints and savepoints', () => {
    const completed = (checkpointId: number): JobEvent => {
      const type = checkpointId % 2 === 0 ? 'checkpoint-completed' : 'savepoint-completed';
      return { type, checkpointId, location: `/chk-${checkpointId}`, stateBytes: 1, durationMs: 1, sinks: [] };
    };
    const [graph] = fold([job, ...Array.from({ length: 302 }, (_, index) => completed(index + 1))]);
    expect(graph.checkpoints.map(({ checkpointId }) => checkpointId)).toEqual(
      Array.from({ length: 300 }, (_, index) => index + 3),
    );
    expect(graph.checkpoints.slice(0, 2).map(({ kind }) => kind)).toEqual(['savepoint', 'checkpoint']);
  });

  it('that has FINISHED has finished tasks only, also where no event says so of each', () => {
    const events = [job, initialized('scan', 2), initialized('totals', 1), finished('scan', 1)];
    const [graph] = fold([...events, { type: 'job-status-changed', state: 'FINISHED', reason: null }]);
    const tasks = [...graph.vertices.values()].flatMap((vertex) => vertex.tasks);
    expect(tasks.map(({ state, epoch, finishedSequence }) => [state, epoch, finishedSequence])).toEqual([
      ['FINISHED', 1, 4],
      ['FINISHED', 1, 3],
      ['FINISHED', 1, 4],
    ]);
    for (const state of ['FAILED', 'CANCELED', 'SUSPENDED', 'RUNNING'] as const) {
      const [other] = fold([...events, { type: 'job-status-changed', state, reason: null }]);
      expect(other.vertices.get(vertexId('totals'))?.tasks[0]?.state, state).toBe('CREATED');
    }
  });

  it('adds increments of the shuffle master and replaces by full snapshots', () => {
    const snapshot = (incremental: boolean, length: number): JobEvent => ({
      type: 'shuffle-master-snapshot',
      incremental,
      state: new Uint8Array(length),
    });
    expect(fold([snapshot(true, 5), snapshot(true, 7)])[0].shuffleMaster).toMatchObject({
      bytes: 12,
      incremental: true,
    });
    expect(fold([snapshot(true, 5), snapshot(false, 3)])[0].shuffleMaster).toMatchObject({
      bytes: 3,
      incremental: false,
    });
    expect(fold([snapshot(false, 5), snapshot(true, 3)])[0].shuffleMaster).toMatchObject({
      bytes: 8,
      incremental: true,
    });
  });

  it('knows its workers', () => {
    const registered: JobEvent = { type: 'worker-registered', workerId: 'w1', pid: 7, slots: 2, partitions: 0 };
    const lost: JobEvent = { type: 'worker-lost', workerId: 'w1', reason: 'killed' };
    const entry = { workerId: 'w1', pid: 7, slots: 2 };
    const of = (events: JobEvent[]) => fold(events)[0].workers.get('w1');
    expect(of([registered, lost])).toEqual({ ...entry, alive: false, lostReason: 'killed' });
    expect(of([registered, lost, registered])).toEqual({ ...entry, alive: true, lostReason: null });
    expect([...fold([job, initialized('scan', 1), made(0)])[0].workers.keys()]).toEqual(['worker-1']);
  });

  it('forgets a release when the partition is produced again', () => {
    const release: JobEvent = { type: 'partitions-released', partitions: [{ datasetId: rows, partitionIndex: 0 }] };
    const start = [job, initialized('scan', 1), made(0), release];
    expect([...fold(start)[0].released]).toEqual([`${rows}#0`]);
    expect([...fold([...start, reset('scan', 0)])[0].released]).toEqual([]);
    expect([...fold([...start, made(0)])[0].released]).toEqual([]);
  });
});

describe('coordinators', () => {
  const snapshot = (
    assigned: number[],
    done: number[],
    options: { incremental?: boolean; supports?: boolean; operator?: string } = {},
  ): JobEvent => ({
    type: 'coordinator-snapshot',
    vertexId: scan,
    operatorId: options.operator ?? 'op',
    incremental: options.incremental ?? true,
    assigned,
    finished: done,
    supportsBatchSnapshot: options.supports ?? true,
  });
  const stateOf = (events: JobEvent[]) =>
    fold([job, initialized('scan', 2), ...events])[0].vertices.get(scan)?.coordinator;
  const splitsOf = (events: JobEvent[]) => {
    const operator = stateOf(events)?.operators.get('op');
    return [[...(operator?.assigned ?? [])], [...(operator?.finished ?? [])], operator?.bytes];
  };

  it('add increments and are replaced by full snapshots', () => {
    expect(splitsOf([snapshot([0, 0, 1, 1], [0]), snapshot([2, 0], [1])])).toEqual([
      [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
      [0, 1],
      32,
    ]);
    expect(splitsOf([snapshot([0, 0], [0]), snapshot([5, 1], [], { incremental: false })])).toEqual([[[5, 1]], [], 8]);
    expect(splitsOf([snapshot([0, 0], []), snapshot([0, 1], [])])).toEqual([[[0, 1]], [], 8]);
  });

  it('get the splits of a reset task back', () => {
    expect(splitsOf([snapshot([0, 0, 1, 1], [0, 1]), reset('scan', 1)])).toEqual([[[0, 0]], [0], 12]);
  });

  it('remember what a user-written enumerator found, and its own last state', () => {
    const split = (id: string) => ({ id, file: null, rows: null, data: null });
    const found = (ids: string[], state: string | null, first: number, incremental = true): JobEvent => {
      const splits = ids.map((id, at) => ({ index: first + at, split: split(id) }));
      return { ...(snapshot([], [], { incremental }) as CoordinatorSnapshot), enumerator: { splits, state } };
    };
    const known = (events: JobEvent[]) => {
      const operator = stateOf(events)?.operators.get('op');
      const ids = [...(operator?.splits ?? [])].map(([index, { id }]) => `${index}${id}`);
      return [ids, operator?.enumeratorState, operator?.bytes];
    };
    const events = [found(['a', 'b'], '"s1"', 0), found(['c'], null, 2)];
    expect(known(events)).toEqual([['0a', '1b', '2c'], '"s1"', 3 * 5 + 4]);
    expect(known([...events, found([], '"s2"', 0)])).toEqual([['0a', '1b', '2c'], '"s2"', 3 * 5 + 4]);
    expect(known([...events, found(['d'], null, 3, false)])).toEqual([['3d'], null, 5]);
    // The splits of a reset task are not lost: they are known, and nobody's.
    expect(known([...events, snapshot([1, 1], [1]), reset('scan', 1)])).toEqual([['0a', '1b', '2c'], '"s1"', 19]);
  });

  it('are one a source; one that has no batch snapshots makes the vertex unrecoverable', () => {
    const both = stateOf([snapshot([0, 0], []), snapshot([0, 1], [], { operator: 'other', supports: false })]);
    expect([...(both?.operators.keys() ?? [])]).toEqual(['op', 'other']);
    expect(both?.supportsBatchSnapshot).toBe(false);
    expect(stateOf([snapshot([], [])])?.supportsBatchSnapshot).toBe(true);
    expect(stateOf([])).toBeNull();
  });
});
