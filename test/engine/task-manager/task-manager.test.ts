// The TaskManager as a real process with real slot threads, against a JobMaster that the test plays.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { reportPartitions } from '../../../src/engine/partition-store/report-partitions.ts';
import type { TaskDeployment } from '../../../src/engine/protocol/messages.ts';
import { dataset, step, type TaskParts, Workbench } from '../kernel/workbench.ts';
import { bundleTaskManager, FakeJobMaster, startTaskManager, type TaskManagerProcess } from './fake-job-master.ts';

const endless = 'SELECT sum(a.range * b.range) AS s FROM range(10000000) a, range(10000000) b';
let bundle: string;
let bench: Workbench;
let jobFolder: string;
let processes: TaskManagerProcess[];
let masters: FakeJobMaster[];

beforeAll(async () => {
  bundle = await bundleTaskManager();
});
afterAll(() => rm(bundle, { recursive: true, force: true }));

beforeEach(async () => {
  bench = await Workbench.create();
  jobFolder = await mkdtemp(join(tmpdir(), 'jobrec-job-'));
  await mkdir(join(jobFolder, 'workers'));
  processes = [];
  masters = [];
});
afterEach(async () => {
  for (const master of masters) master.stop();
  for (const { child, ended } of processes) {
    child.kill('SIGKILL');
    await ended;
  }
  await bench.dispose();
  await rm(jobFolder, { recursive: true, force: true });
});

function worker(orphanTimeoutMs?: number): TaskManagerProcess {
  const started = startTaskManager(bundle, jobFolder, 'worker-1', orphanTimeoutMs);
  processes.push(started);
  return started;
}

async function master(epoch: number): Promise<FakeJobMaster> {
  const started = await FakeJobMaster.start(jobFolder, epoch);
  masters.push(started);
  return started;
}

const workerFolder = () => join(jobFolder, 'workers', 'worker-1');

function deployment(parts: TaskParts, epoch = 1): TaskDeployment {
  return { ...bench.deployment(parts), epoch };
}

const simple = (id: string): TaskParts => ({
  steps: [bench.sql('one', 'SELECT range AS x FROM range(10)', {})],
  outputs: [dataset(id, step(0))],
});

describe('a TaskManager', () => {
  it('registers, runs tasks on its slots, and ends when it is told to', async () => {
    const jobMaster = await master(1);
    const process_ = worker();
    expect(await jobMaster.next('register-worker')).toMatchObject({
      token: 'secret',
      workerId: 'worker-1',
      pid: process_.child.pid,
      slots: 2,
      partitions: [],
    });
    for (const subtask of [0, 1, 2])
      jobMaster.send({ type: 'deploy', deployment: deployment({ ...simple('d'), subtask }) });
    const finished = await Promise.all([0, 1, 2].map(() => jobMaster.next('task-finished')));
    expect(finished.map(({ execution }) => execution.subtask).sort()).toEqual([0, 1, 2]);
    expect(finished[0]).toMatchObject({ epoch: 1, result: { partitions: [{ datasetId: 'd', rows: 10 }], badRows: 0 } });
    expect(await reportPartitions(workerFolder())).toHaveLength(3);
    jobMaster.send({ type: 'shutdown', epoch: 1 });
    expect(await process_.ended).toEqual({ code: 0, signal: null });
    expect(await reportPartitions(workerFolder())).toHaveLength(3);
  });

  it('reports failures as what they are, and goes on', async () => {
    const jobMaster = await master(1);
    worker();
    await jobMaster.next('register-worker');
    const boom = [bench.sql('boom', `SELECT error('boom') AS x`, {})];
    jobMaster.send({ type: 'deploy', deployment: deployment({ steps: boom, outputs: [dataset('d', step(0))] }) });
    const failed = await jobMaster.next('task-failed');
    expect(failed.failure).toMatchObject({ kind: 'task', partition: null });
    expect(failed.failure.message).toMatch(/^stage boom: .*boom/);
    jobMaster.send({ type: 'deploy', deployment: deployment(simple('e')) });
    expect((await jobMaster.next('task-finished')).result.partitions[0]?.datasetId).toBe('e');
  });

  it('keeps its heartbeat while a function blocks its slot, ends that at the cancel, and uses the slot again', async () => {
    const jobMaster = await master(1);
    worker();
    await jobMaster.next('register-worker');
    const busy = await bench.map('busy', 'export async function* run() { for (;;); }');
    const blocked = deployment({
      steps: [bench.sql('one', 'SELECT 1 AS x', {}), { ...busy, input: step(0) } as typeof busy],
      outputs: [dataset('d', step(1))],
    });
    jobMaster.send({ type: 'deploy', deployment: blocked });
    await jobMaster.next('heartbeat');
    await jobMaster.next('heartbeat');
    jobMaster.send({ type: 'cancel', epoch: 1, execution: blocked.execution });
    expect((await jobMaster.next('task-failed')).failure.kind).toBe('canceled');
    for (const subtask of [1, 2])
      jobMaster.send({ type: 'deploy', deployment: deployment({ ...simple('e'), subtask }) });
    await Promise.all([jobMaster.next('task-finished'), jobMaster.next('task-finished')]);
  });

  it('survives a function that ends its thread', async () => {
    const jobMaster = await master(1);
    worker();
    await jobMaster.next('register-worker');
    const leave = await bench.map(
      'leave',
      'export async function* run() { setTimeout(() => { throw new Error("stray"); }); await new Promise(() => {}); }',
    );
    const steps = [bench.sql('one', 'SELECT 1 AS x', {}), { ...leave, input: step(0) } as typeof leave];
    jobMaster.send({ type: 'deploy', deployment: deployment({ steps, outputs: [dataset('d', step(1))] }) });
    expect((await jobMaster.next('task-failed')).failure).toEqual({
      kind: 'task',
      message: 'the task ended its thread: stray',
      partition: null,
    });
    jobMaster.send({ type: 'deploy', deployment: deployment(simple('e')) });
    await jobMaster.next('task-finished');
  });

  it('adopts a newer epoch, cancels what the older one deployed, reports what is whole, and refuses the older', async () => {
    const first = await master(1);
    worker();
    await first.next('register-worker');
    first.send({ type: 'deploy', deployment: deployment(simple('d')) });
    await first.next('task-finished');
    first.send({
      type: 'deploy',
      deployment: deployment({
        steps: [bench.sql('endless', endless, {})],
        outputs: [dataset('e', step(0))],
        subtask: 1,
      }),
    });
    const second = await master(2);
    const registration = await second.next('register-worker');
    expect(registration.partitions).toEqual([
      { datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 1, bytes: expect.any(Number) as number },
    ]);
    expect(first.closed).toBe(1);
    second.send({ type: 'deploy', deployment: deployment({ ...simple('stale'), subtask: 2 }, 1) });
    second.send({ type: 'deploy', deployment: deployment({ ...simple('f'), subtask: 3 }, 2) });
    const finished = await second.next('task-finished');
    expect(finished).toMatchObject({ epoch: 2, execution: { subtask: 3 } });
    expect((await reportPartitions(workerFolder())).map(({ datasetId }) => datasetId)).toEqual(['d', 'f']);
    second.send({ type: 'shutdown', epoch: 1 });
    second.send({ type: 'deploy', deployment: deployment({ ...simple('g'), subtask: 4 }, 2) });
    await second.next('task-finished');
  });

  it('deletes the partitions that the leading epoch releases, by exact attempt, and none for an older one', async () => {
    const jobMaster = await master(2);
    worker();
    await jobMaster.next('register-worker');
    for (const id of ['d', 'e']) {
      jobMaster.send({ type: 'deploy', deployment: deployment(simple(id), 2) });
      await jobMaster.next('task-finished');
    }
    const partition = { datasetId: 'd', partitionIndex: 0, attempt: 0, epoch: 2 };
    jobMaster.send({ type: 'release-partitions', epoch: 1, partitions: [{ ...partition, datasetId: 'e' }] });
    jobMaster.send({
      type: 'release-partitions',
      epoch: 2,
      partitions: [{ ...partition, datasetId: 'e', attempt: 1 }],
    });
    jobMaster.send({
      type: 'release-partitions',
      epoch: 2,
      partitions: [partition, { ...partition, datasetId: 'none' }],
    });
    const left = async () => (await reportPartitions(workerFolder())).map(({ datasetId }) => datasetId);
    while ((await left()).includes('d')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await left()).toEqual(['e']);
  });

  it('reports the partitions of its folder after a kill, and lets no second process use the folder', async () => {
    const jobMaster = await master(1);
    const killed = worker();
    await jobMaster.next('register-worker');
    jobMaster.send({ type: 'deploy', deployment: deployment(simple('d')) });
    await jobMaster.next('task-finished');
    const second = worker();
    expect((await second.ended).code).toBe(1);
    expect(second.stderr).toContain('the folder of worker-1 is held by process');
    killed.child.kill('SIGKILL');
    await killed.ended;
    worker();
    expect((await jobMaster.next('register-worker')).partitions.map(({ datasetId }) => datasetId)).toEqual(['d']);
  });

  it('ends itself when nobody leads for the orphan timeout', async () => {
    const process_ = worker(300);
    expect(await process_.ended).toEqual({ code: 0, signal: null });
    expect(process_.stderr).toMatch(/^\S+ TaskManager: no JobMaster for 0\.3 s\n$/);
  });

  it('ends at SIGTERM in the middle of a query, with its folder whole', async () => {
    const jobMaster = await master(1);
    const process_ = worker();
    await jobMaster.next('register-worker');
    jobMaster.send({ type: 'deploy', deployment: deployment(simple('d')) });
    await jobMaster.next('task-finished');
    jobMaster.send({
      type: 'deploy',
      deployment: deployment({
        steps: [bench.sql('endless', endless, {})],
        outputs: [dataset('e', step(0))],
        subtask: 1,
      }),
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const started = performance.now();
    process_.child.kill('SIGTERM');
    expect(await process_.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(3000);
    expect((await reportPartitions(workerFolder())).map(({ datasetId }) => datasetId)).toEqual(['d']);
  });
});
