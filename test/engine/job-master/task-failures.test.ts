// An attempt ends once, whoever says so first; and what its end leads to: losses cost nothing until there are ten in a row,
// failures are the restart strategy's affair, and a task whose restart waits is paused.
import { expect, it } from 'vitest';
import { FailureHistory } from '../../../src/engine/job-master/failure-history.ts';
import { PartitionTracker } from '../../../src/engine/job-master/partition-tracker.ts';
import { RunningAttempts } from '../../../src/engine/job-master/running-attempts.ts';
import { TaskFailures } from '../../../src/engine/job-master/task-failures.ts';
import { type RegisteredWorker, WorkerPool } from '../../../src/engine/job-master/worker-pool.ts';
import type { ExecutionRef, TaskDeployment, TaskFailure } from '../../../src/engine/protocol/messages.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import type { RestartStrategyOptions } from '../../../src/model/options.ts';
import { applyEvent } from '../../../src/replay/apply-event.ts';
import { createExecutionGraph } from '../../../src/replay/execution-graph.ts';
import { planRecovery } from '../../../src/replay/reconcile.ts';
import { jobrecRecoveryRules } from '../../../src/replay/recovery-plan.ts';
import { datasetId, initialized, jobGraphOf, recordsOf, submitted, vertexId } from '../../replay/job-builder.ts';

const jobGraph = jobGraphOf([{ name: 'a' }, { name: 'b', reads: { a: 'hash' } }]);
const hourly: RestartStrategyOptions = { type: 'fixed-delay', attempts: 1, delayMs: 3_600_000 };

/** Two tasks of `a` that may run on `w1`; what is recorded, sent and said is kept. */
function scene() {
  const graph = createExecutionGraph();
  for (const record of recordsOf([submitted(jobGraph), initialized('a', 2)])) applyEvent(graph, record, record.event);
  const events: JobEvent[] = [];
  const sent: unknown[] = [];
  const ends: string[] = [];
  const givenUp: ExecutionRef[] = [];
  const connection = { send: (message: unknown) => void sent.push(message) };
  const w1 = { workerId: 'w1', pid: 1, slots: 2, connection, running: new Map() } as unknown as RegisteredWorker;
  const pool = new WorkerPool(7, { registered: () => {}, lost: () => {}, received: () => {} });
  pool.workers.set('w1', w1);
  const recorder = { graph, record: async (event: JobEvent) => void events.push(event) } as never;
  const failures = new FailureHistory(graph);
  const onGivenUp = (execution: ExecutionRef) => void givenUp.push(execution);
  const attempts = new RunningAttempts({ epoch: 7, pool, shuffle: null, recorder, failures, onGivenUp });
  const tracker = new PartitionTracker();
  const taskFailures = new TaskFailures({
    graph,
    jobGraph,
    attempts,
    tracker,
    shuffle: null,
    failures,
    restartStrategy: hourly,
    jitter: () => 0,
    reconcile: () => planRecovery(graph, tracker, jobrecRecoveryRules),
    onChanged: () => {},
    onFailed: (reason) => ends.push(reason),
    onSuspended: (reason) => ends.push(`suspended: ${reason}`),
    onNotice: () => {},
  });
  const deploy = (subtask: number, attempt = 0) => {
    const execution = { vertexId: vertexId('a'), subtask, attempt };
    attempts.deploy(w1, { execution } as TaskDeployment);
    return execution;
  };
  const lose = (attempt: number) => {
    deploy(0, attempt);
    taskFailures.workerLost('w1', attempts.endAllOn(w1), 'gone');
  };
  const failed = () => events.filter((event) => event.type === 'execution-failed');
  return { attempts, taskFailures, w1, deploy, lose, failed, sent, ends, givenUp };
}

const taskFailure: TaskFailure = { kind: 'task', message: 'bad', partition: null };

it('an attempt ends once: what comes in late finds it gone', () => {
  const { attempts, w1, deploy, failed, sent, givenUp } = scene();
  const first = deploy(0);
  expect(attempts.end(w1, { ...first, attempt: 1 })).toBe(false);
  expect(attempts.end(w1, first)).toBe(true);
  expect(attempts.end(w1, first)).toBe(false);
  expect(attempts.fail(first, 'late')).toBe(false);
  attempts.cancelVertices([first.vertexId], 'late');
  attempts.answer(first, 0, null);
  expect(failed()).toEqual([]);
  expect(givenUp).toEqual([]);
  expect(sent).toEqual([expect.objectContaining({ type: 'deploy' })]);
});

it('attempts that are canceled for another reason than their own are told, recorded and not counted', () => {
  const { attempts, deploy, failed, sent, givenUp } = scene();
  const both = [deploy(0), deploy(1)];
  attempts.cancelVertices([vertexId('b')], 'not these');
  expect(failed()).toEqual([]);
  attempts.cancelVertices([vertexId('a')], 'its input is produced again');
  expect(failed()).toMatchObject(both.map((execution) => ({ ...execution, workerId: 'w1', counted: false })));
  expect(sent.slice(2)).toEqual(both.map((execution) => ({ type: 'cancel', epoch: 7, execution })));
  expect(givenUp).toEqual(both);
});

it('a lost worker costs nothing, the tenth in a row the job; a finish starts the count again', () => {
  const { taskFailures, lose, failed, ends } = scene();
  for (let attempt = 0; attempt < 9; attempt += 1) lose(attempt);
  taskFailures.taskFinished({ vertexId: vertexId('a'), subtask: 0, attempt: 9 });
  for (let attempt = 9; attempt < 18; attempt += 1) lose(attempt);
  expect(ends).toEqual([]);
  lose(18);
  expect(ends).toEqual(['a#0: its worker was lost 10 times in a row while it ran (last: gone)']);
  expect(failed()).toHaveLength(19);
  expect(failed().some(({ counted }) => counted)).toBe(false);
});

it('a partition that cannot be read ten times, though it was produced again each time, ends the job', () => {
  const { taskFailures, deploy, failed, ends } = scene();
  const partition = { datasetId: datasetId('a', 'hash'), partitionIndex: 1, attempt: 0, epoch: 7 };
  const failure: TaskFailure = { kind: 'partition', message: 'torn', partition };
  for (let attempt = 0; attempt < 9; attempt += 1) taskFailures.taskFailed(deploy(0, attempt), 'w1', failure);
  expect(ends).toEqual([]);
  taskFailures.taskFailed(deploy(1), 'w1', failure);
  expect(ends).toEqual(['a#1: torn (10 times, though its producer ran again each time)']);
  expect(failed().some(({ counted }) => counted)).toBe(false);
});

it('a result that the shuffle service finds missing is a loss; one that it cannot write is a failure', () => {
  const { taskFailures, deploy, failed, ends } = scene();
  taskFailures.handOverRefused(deploy(0), 'w1', true, 'no file');
  taskFailures.handOverRefused(deploy(0, 1), 'w1', false, 'no space');
  expect(failed().map(({ counted }) => counted)).toEqual([false, true]);
  expect(ends).toEqual([]);
  for (let attempt = 2; attempt < 11; attempt += 1) {
    taskFailures.handOverRefused(deploy(0, attempt), 'w1', true, 'no file');
  }
  expect(ends).toEqual(['a#0: the shuffle service could not take its result: no file (10 times in a row)']);
});

it('a failed task alone is paused; with a lost enumerator all tasks of its vertex are', () => {
  const alone = scene();
  alone.taskFailures.taskFailed(alone.deploy(0), 'w1', taskFailure);
  const paused = ({ taskFailures }: ReturnType<typeof scene>) =>
    [0, 1].map((subtask) => taskFailures.isPaused({ vertexId: vertexId('a'), subtask }));
  expect(paused(alone)).toEqual([true, false]);
  const all = scene();
  const [asked] = [all.deploy(0), all.deploy(1)];
  all.taskFailures.enumeratorFailed(asked, 'no answer', true);
  expect(paused(all)).toEqual([true, true]);
  expect(all.failed().map(({ subtask, counted }) => [subtask, counted])).toEqual([
    [0, true],
    [1, false],
  ]);
});

it('when the strategy gives up, the first cause is named, and the last where it is another', () => {
  const { taskFailures, deploy, ends } = scene();
  taskFailures.taskFailed(deploy(0), 'w1', taskFailure);
  taskFailures.taskFailed(deploy(0, 1), 'w1', { ...taskFailure, message: 'worse' });
  expect(ends).toEqual(['a#0: bad (restart-strategy fixed-delay allows 1 restarts; the last time: worse)']);
});

it('a full disk suspends the job, a changed source ends it, and neither is counted', () => {
  const { taskFailures, deploy, failed, ends } = scene();
  taskFailures.taskFailed(deploy(0), 'w1', { ...taskFailure, kind: 'disk' });
  taskFailures.taskFailed(deploy(1), 'w1', { ...taskFailure, kind: 'source-changed' });
  expect(ends).toEqual(['suspended: a#0: bad', 'a#1: bad']);
  expect(failed().some(({ counted }) => counted)).toBe(false);
});
