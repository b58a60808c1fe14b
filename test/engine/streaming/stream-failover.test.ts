// From a failure or a loss to tasks that run again: of an attempt the first failure counts, a lost worker does not, and
// once the job ends, or has done its work, nothing restarts.
import { expect, it } from 'vitest';
import { FailureHistory } from '../../../src/engine/job-master/failure-history.ts';
import type { MasterCourse } from '../../../src/engine/job-master/master-course.ts';
import type { MasterEnd } from '../../../src/engine/job-master/master-end.ts';
import type { Mastership } from '../../../src/engine/job-master/mastership.ts';
import type { RegisteredWorker } from '../../../src/engine/job-master/worker-pool.ts';
import type { CheckpointDriver } from '../../../src/engine/streaming/coordinator/checkpoint-driver.ts';
import type { Restored, Restorer } from '../../../src/engine/streaming/coordinator/restorer.ts';
import { StreamFailover } from '../../../src/engine/streaming/coordinator/stream-failover.ts';
import type { StreamScheduler } from '../../../src/engine/streaming/coordinator/stream-scheduler.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import { readOptions } from '../../../src/model/options.ts';
import type { StreamVertex } from '../../../src/model/streaming-plan.ts';
import { eventually } from '../../e2e/cli.ts';

const task = { vertexId: 'v', subtask: 1 };
const w1 = { workerId: 'w1' } as RegisteredWorker;
const ready: Restored = { kind: 'ready', location: 'chk-1', metadata: null };
const fixedDelay = {
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': '1',
  'restart-strategy.fixed-delay.delay': '0 ms',
};

function scene({ restored = ready, config = fixedDelay as Record<string, string> } = {}) {
  const steps: string[] = [];
  const events: JobEvent[] = [];
  const ends: MasterEnd[] = [];
  const end = (given: MasterEnd) => {
    ends.push(given);
    course.isEnding = true;
  };
  const course = {
    isEnding: false,
    ended: new Promise(() => {}),
    end,
    suspend: (reason: string) => end({ kind: 'suspended', reason }),
    endFor: async (error: Error) => end({ kind: 'fenced', reason: error.message }),
    status: (state: string, reason: string | null) => void steps.push(`${state}: ${reason}`),
  };
  const graph = { config, failureTimesMicros: [], vertices: new Map() };
  const mastership = {
    jobId: 'a'.repeat(32),
    config,
    options: readOptions(config),
    failures: new FailureHistory(graph),
    recorder: { graph, record: async (event: JobEvent) => void events.push(event) },
  };
  const scheduler = {
    attempt: 3,
    start: (location: string | null) => void steps.push(`deploy from ${location}`),
    end: async (how: string) => void steps.push(`end: ${how}`),
    workerOf: () => 'w1',
    workerLost: () => true,
  };
  const checkpoints = { prepare: async () => {}, stop: async () => void steps.push('stop checkpoints') };
  const restorer = { restore: async () => restored };
  const failover = new StreamFailover({
    plan: { maxParallelism: 128, vertices: [{ vertexId: 'v', name: 'counts' } as StreamVertex] },
    mastership: mastership as unknown as Mastership,
    course: course as unknown as MasterCourse,
    restorer: restorer as unknown as Restorer,
    scheduler: scheduler as unknown as StreamScheduler,
    checkpoints: checkpoints as unknown as CheckpointDriver,
    onNotice: (message) => void steps.push(message),
  });
  const deployed = (times: number) =>
    eventually('a deployment', async () =>
      steps.filter((step) => step.startsWith('deploy')).length === times ? true : null,
    );
  return { failover, course, scheduler, checkpoints, restorer, steps, events, ends, deployed };
}

it('of an attempt the first failure counts, and all tasks restart from the checkpoint', async () => {
  const { failover, steps, events, deployed } = scene();
  await failover.deploy();
  expect(failover.isBetweenAttempts).toBe(false);
  void failover.taskFailed({ ...task, subtask: 0 }, 'bad');
  expect(failover.isBetweenAttempts).toBe(true);
  void failover.taskFailed(task, 'its consequence');
  failover.workerLost(w1, 'its consequence');
  await deployed(2);
  expect(failover.isBetweenAttempts).toBe(false);
  expect(events).toEqual([
    expect.objectContaining({ type: 'execution-failed', subtask: 0, attempt: 3, workerId: 'w1', counted: true }),
  ]);
  expect(steps.slice(1)).toEqual([
    'counts#0: bad; all tasks restart in 0 s',
    'RESTARTING: counts#0: bad',
    'stop checkpoints',
    'end: cancel',
    'deploy from chk-1',
  ]);
});

it('a lost worker is no failure, however often', async () => {
  const { failover, events, ends, deployed } = scene();
  await failover.deploy();
  for (let lost = 1; lost <= 5; lost += 1) {
    failover.workerLost(w1, 'gone');
    await deployed(lost + 1);
  }
  expect([events, ends]).toEqual([[], []]);
});

it('a broken channel waits for its cause: a lost worker is no failure, another task is the one that failed', async () => {
  const lost = scene({ config: { 'restart-strategy.type': 'none' } });
  await lost.failover.deploy();
  lost.failover.channelLost(task, 'the channel was closed');
  lost.failover.workerLost(w1, 'gone');
  await lost.deployed(2);
  const failed = scene();
  await failed.failover.deploy();
  failed.failover.channelLost(task, 'the channel was closed');
  void failed.failover.taskFailed({ ...task, subtask: 0 }, 'bad');
  failed.failover.channelLost(task, 'another channel was closed');
  await failed.deployed(2);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect([lost.events, lost.ends]).toEqual([[], []]);
  expect(failed.events).toMatchObject([{ subtask: 0, cause: 'bad' }]);
});

it('a broken channel without a cause is a failure of its task', async () => {
  const { failover, events, deployed } = scene();
  await failover.deploy();
  failover.channelLost(task, 'the channel was closed');
  expect(events).toEqual([]);
  await deployed(2);
  expect(events).toMatchObject([{ subtask: 1, cause: 'the channel was closed' }]);
});

it('a savepoint that was to end the job and failed restarts the tasks, and is no failure', async () => {
  const { failover, events, steps, deployed } = scene({ config: { 'restart-strategy.type': 'none' } });
  await failover.deploy();
  failover.savepointFailed('checkpoint 3, the last of the job, failed: no room');
  await deployed(2);
  expect([events, steps.slice(1, 3)]).toEqual([
    [],
    [
      'checkpoint 3, the last of the job, failed: no room; the job goes on',
      'RESTARTING: checkpoint 3, the last of the job, failed: no room',
    ],
  ]);
});

it('a worker without tasks is no reason to restart', async () => {
  const { failover, scheduler, steps } = scene();
  await failover.deploy();
  scheduler.workerLost = () => false;
  failover.workerLost(w1, 'gone');
  expect(steps).toEqual(['deploy from chk-1']);
});

it('fails the job when the strategy gives up', async () => {
  const { failover, ends, steps, deployed } = scene();
  await failover.deploy();
  await failover.taskFailed(task, 'bad');
  await deployed(2);
  const before = [...steps];
  await failover.taskFailed(task, 'bad again');
  const reason = 'counts#1: bad again (restart-strategy fixed-delay allows 1 restarts)';
  expect([ends, steps]).toEqual([[{ kind: 'failed', reason }], before]);
});

it.each([
  ['the job ends', ({ course }: ReturnType<typeof scene>) => course.suspend('asked to')],
  ['the tasks have done their work', ({ failover }: ReturnType<typeof scene>) => failover.standDown()],
])('restarts nothing any more where %s', async (_, happens) => {
  const over = scene();
  await over.failover.deploy();
  happens(over);
  await over.failover.taskFailed(task, 'bad');
  over.failover.workerLost(w1, 'gone');
  expect([over.events, over.steps]).toEqual([[], ['deploy from chk-1']]);
});

it.each([
  ['a worker is lost', ({ failover }: ReturnType<typeof scene>) => failover.workerLost(w1, 'gone')],
  ['a task fails', ({ failover }: ReturnType<typeof scene>) => failover.taskFailed(task, 'bad')],
])('restarts nothing where %s while the last checkpoint of the job is being stored', async (_, happens) => {
  const over = scene();
  await over.failover.deploy();
  over.checkpoints.stop = async () => void over.failover.standDown();
  happens(over);
  await eventually('the restart that is none', async () => (over.steps.at(-1)?.startsWith('RESTARTING') ? true : null));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(over.steps.filter((step) => /^(end|deploy)/.test(step))).toEqual(['deploy from chk-1']);
});

it('is suspended where no checkpoint can be used, and ends where another JobMaster leads', async () => {
  const none = scene({ restored: { kind: 'none-usable', reason: 'all are damaged' } });
  await none.failover.deploy();
  expect([none.ends, none.steps]).toEqual([[{ kind: 'suspended', reason: 'all are damaged' }], []]);
  const fenced = scene();
  await fenced.failover.deploy();
  fenced.restorer.restore = () => Promise.reject(new Error('epoch 1 is over'));
  await fenced.failover.taskFailed(task, 'bad');
  expect(fenced.ends).toEqual([{ kind: 'fenced', reason: 'epoch 1 is over' }]);
});
