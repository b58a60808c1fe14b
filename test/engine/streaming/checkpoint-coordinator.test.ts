// The CheckpointCoordinator as a table of what happens and what follows.
import { describe, expect, it } from 'vitest';
import {
  CheckpointCoordinator,
  type CoordinatorAction,
  type CoordinatorSettings,
} from '../../../src/engine/streaming/coordinator/checkpoint-coordinator.ts';
import { seeded } from '../../replay/random.ts';

const settings: CoordinatorSettings = {
  intervalMs: 100,
  minPauseMs: 0,
  timeoutMs: 1_000,
  tolerableFailures: 0,
  concurrentMax: 1,
};
const tasks = ['a#0', 'a#1', 'b#0'];

const coordinator = (changes: Partial<CoordinatorSettings> = {}, nextId = 1) =>
  new CheckpointCoordinator({ ...settings, ...changes }, tasks, nextId, 0);
const said = (actions: readonly CoordinatorAction[]) =>
  actions.map((action) => (action.kind === 'fail' ? 'fail' : `${action.kind} ${action.checkpointId}`));
const complete = (of: CheckpointCoordinator, id: number, nowMs: number) => {
  const actions = tasks.flatMap((task) => of.acknowledge(id, task, nowMs));
  of.stored(id, nowMs);
  return said(actions);
};

describe('periodic checkpoints', () => {
  it('begin an interval after the one before, which is complete when all tasks have acknowledged', () => {
    const tested = coordinator();
    expect([said(tested.tick(99)), said(tested.tick(100)), said(tested.tick(150))]).toEqual([[], ['trigger 1'], []]);
    expect(said(tested.acknowledge(1, 'a#0', 160))).toEqual([]);
    expect(said(tested.acknowledge(1, 'a#0', 160))).toEqual([]);
    expect(said(tested.acknowledge(1, 'b#0', 160))).toEqual([]);
    expect(said(tested.acknowledge(1, 'a#1', 160))).toEqual(['store 1']);
    expect(said(tested.tick(250))).toEqual([]);
    tested.stored(1, 260);
    expect(said(tested.tick(260))).toEqual(['trigger 2']);
  });

  it('are not taken without an interval, and wait for nothing', () => {
    const tested = coordinator({ intervalMs: null });
    expect(said(tested.tick(1e9))).toEqual([]);
    expect(tested.nextWakeMs).toBeNull();
  });

  it('leave a pause behind the end of the one before', () => {
    const tested = coordinator({ minPauseMs: 500 });
    tested.tick(100);
    complete(tested, 1, 180);
    expect(tested.nextWakeMs).toBe(680);
    expect([said(tested.tick(679)), said(tested.tick(680))]).toEqual([[], ['trigger 2']]);
  });

  it('overlap where that is allowed; a newer one that is complete ends the older ones', () => {
    const tested = coordinator({ concurrentMax: 2 });
    expect([said(tested.tick(100)), said(tested.tick(200)), said(tested.tick(300))]).toEqual([
      ['trigger 1'],
      ['trigger 2'],
      [],
    ]);
    expect(complete(tested, 2, 310)).toEqual(['abort 1', 'store 2']);
    expect(said(tested.acknowledge(1, 'a#0', 320))).toEqual([]);
  });

  it('do not overlap where a pause is asked for', () => {
    const tested = coordinator({ concurrentMax: 2, minPauseMs: 1 });
    tested.tick(100);
    expect(said(tested.tick(500))).toEqual([]);
  });

  it('go on with the numbers of the job', () => {
    expect(said(coordinator({}, 42).tick(100))).toEqual(['trigger 42']);
  });
});

describe('checkpoints that fail', () => {
  it.each([
    [0, 1, ['abort 1', 'fail']],
    [1, 1, ['abort 1']],
    [1, 2, ['abort 2', 'fail']],
    [2, 3, ['abort 3', 'fail']],
  ])('%i tolerated: failure %i in a row', (tolerableFailures, failures, expected) => {
    const tested = coordinator({ tolerableFailures });
    let last: string[] = [];
    for (let failure = 1; failure <= failures; failure += 1) {
      tested.tick(failure * 100);
      last = said(tested.decline(failure, 'disk full', failure * 100));
    }
    expect(last).toEqual(expected);
  });

  it('are counted from the last that was complete', () => {
    const tested = coordinator({ tolerableFailures: 1 });
    tested.tick(100);
    expect(said(tested.decline(1, 'x', 110))).toEqual(['abort 1']);
    tested.tick(200);
    complete(tested, 2, 210);
    tested.tick(300);
    expect(said(tested.decline(3, 'x', 310))).toEqual(['abort 3']);
  });

  it('are given up at the timeout, naming how many tasks were missing', () => {
    const tested = coordinator({ tolerableFailures: 5 });
    tested.tick(100);
    tested.acknowledge(1, 'a#0', 150);
    expect(tested.nextWakeMs).toBe(1_100);
    const [abort, trigger] = tested.tick(1_100);
    expect(abort).toMatchObject({ kind: 'abort', checkpointId: 1, reason: expect.stringContaining('2 of 3 tasks') });
    expect(trigger).toMatchObject({ kind: 'trigger', checkpointId: 2 });
    expect(said(tested.acknowledge(1, 'b#0', 1_200))).toEqual([]);
  });

  it('cannot time out while they are being stored', () => {
    const tested = coordinator();
    tested.tick(100);
    for (const task of tasks) tested.acknowledge(1, task, 200);
    expect(said(tested.tick(5_000))).toEqual([]);
  });
});

describe('what is asked for', () => {
  const savepoint = { kind: 'savepoint', mode: 'go-on', folder: '/s' } as const;
  const last = { kind: 'checkpoint', mode: 'stop', folder: null } as const;

  it('begins at once, and a savepoint that fails fails nothing else', () => {
    const tested = coordinator();
    tested.tick(100);
    expect(said(tested.request(savepoint, 110))).toEqual(['trigger 2']);
    expect(said(tested.decline(2, 'no such folder', 120))).toEqual(['abort 2']);
    expect(complete(tested, 1, 130)).toEqual(['store 1']);
  });

  it('is not ended by a newer checkpoint', () => {
    const tested = coordinator({ concurrentMax: 3 });
    tested.request(savepoint, 10);
    tested.tick(110);
    expect(complete(tested, 2, 120)).toEqual(['store 2']);
    expect(complete(tested, 1, 130)).toEqual(['store 1']);
  });

  it('ends the job: nothing begins behind it, and its failure is one', () => {
    const tested = coordinator({ tolerableFailures: 9 });
    expect(said(tested.request(last, 10))).toEqual(['trigger 1']);
    expect([said(tested.tick(500)), said(tested.request(savepoint, 500))]).toEqual([[], []]);
    expect(said(tested.decline(1, 'x', 600))).toEqual(['abort 1', 'fail']);
  });
});

it.each(Array.from({ length: 30 }, (_, seed) => seed))(
  'never stores without all acknowledgements, never twice, never over the limits (seed %i)',
  (seed) => {
    const random = seeded(seed);
    const concurrentMax = 1 + random.below(3);
    const tested = coordinator({ concurrentMax, tolerableFailures: 1e9, timeoutMs: 400 });
    const acknowledged = new Map<number, Set<string>>();
    const open = new Set<number>();
    const stored = new Set<number>();
    let nowMs = 0;
    const apply = (actions: readonly CoordinatorAction[]) => {
      for (const action of actions) {
        if (action.kind === 'fail') throw new Error('nothing fails the job here');
        const { checkpointId: id } = action;
        if (action.kind === 'trigger') {
          open.add(id);
          acknowledged.set(id, new Set());
          expect(open.size).toBeLessThanOrEqual(concurrentMax);
        } else if (action.kind === 'abort') expect(open.delete(id)).toBe(true);
        else {
          expect(acknowledged.get(id)?.size).toBe(tasks.length);
          expect(stored.has(id)).toBe(false);
          stored.add(id);
          open.delete(id);
          tested.stored(id, nowMs);
        }
      }
    };
    for (let step = 0; step < 400; step += 1) {
      nowMs += random.below(40);
      const ids = [...open];
      if (ids.length > 0 && random.chance(0.6)) {
        const [id, task] = [random.pick(ids), random.pick(tasks)];
        acknowledged.get(id)?.add(task);
        apply(tested.acknowledge(id, task, nowMs));
      } else if (ids.length > 0 && random.chance(0.05)) apply(tested.decline(random.pick(ids), 'x', nowMs));
      else apply(tested.tick(nowMs));
    }
    expect(stored.size).toBeGreaterThan(5);
  },
);
