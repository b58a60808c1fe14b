// The CheckpointDriver over real folders, with tasks that answer as they are told to.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EventRecorder } from '../../../src/engine/job-master/event-recorder.ts';
import { CheckpointDriver } from '../../../src/engine/streaming/coordinator/checkpoint-driver.ts';
import type { CheckpointBarrier } from '../../../src/engine/streaming/protocol/stream-messages.ts';
import { partName } from '../../../src/engine/streaming/sinks/part-names.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import { readOptions } from '../../../src/model/options.ts';
import { CheckpointStorage, makeCheckpointFolder } from '../../../src/store/checkpoint/checkpoint-storage.ts';
import { eventually } from '../../e2e/cli.ts';

const jobId = 'a'.repeat(32);
const task = { vertexId: 'sink', subtask: 0 };
const request = { kind: 'checkpoint', mode: 'go-on', folder: null } as const;

async function newDriver() {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-driver-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const storage = new CheckpointStorage(join(folder, 'checkpoints'));
  await storage.prepare();
  const events: JobEvent[] = [];
  const barriers: CheckpointBarrier[] = [];
  const failures: string[] = [];
  const stopFailures: string[] = [];
  const graph = { checkpoints: [], lastCheckpointId: 0 };
  const recorder = { graph, record: async (event: JobEvent) => void events.push(event) } as unknown as EventRecorder;
  const driver = new CheckpointDriver({
    plan: { maxParallelism: 128, vertices: [] },
    jobId,
    jobName: 'job',
    epoch: 1,
    options: readOptions({}).streaming,
    storage,
    recorder,
    trigger: (barrier) => void barriers.push(barrier),
    onCompleted: () => {},
    onFailed: (_, reason) => void failures.push(reason),
    onStopFailed: (reason) => void stopFailures.push(reason),
    onFatal: (error) => {
      throw error;
    },
    onNotice: () => {},
  });
  await driver.prepare(null);
  driver.start([task]);
  onTestFinished(() => driver.stop('the test ends'));
  const triggered = (checkpointId: number) =>
    eventually('a trigger', async () => barriers.find((barrier) => barrier.checkpointId === checkpointId) ?? null);
  return { folder, storage, driver, events, barriers, failures, stopFailures, triggered };
}

/** A staged part of the checkpoint, with 2 bytes. */
async function stage(folder: string, checkpointId: number) {
  const staged = join(folder, `.staged-${checkpointId}`);
  await writeFile(staged, '1\n');
  return { sink: 'out', staged, final: join(folder, partName(jobId, checkpointId, 0)), rows: 1, bytes: 2 };
}

const parts = async (folder: string) => (await readdir(folder)).filter((name) => name.startsWith('part-')).length;

describe('CheckpointDriver', () => {
  it('makes the parts of a complete checkpoint visible, once, however often they are named', async () => {
    const { folder, driver, events, triggered } = await newDriver();
    const first = driver.request(request);
    await triggered(1);
    const part = await stage(folder, 1);
    driver.acknowledged({ type: 'acknowledge', attempt: 0, checkpointId: 1, task, operators: [], parts: [part] });
    expect(await first).toMatchObject({ kind: 'completed', checkpointId: 1 });
    const second = driver.request(request);
    await triggered(2);
    // The sink has not heard yet that the first one is complete.
    const named = [part, await stage(folder, 2)];
    driver.acknowledged({ type: 'acknowledge', attempt: 0, checkpointId: 2, task, operators: [], parts: named });
    expect(await second).toMatchObject({ kind: 'completed', checkpointId: 2 });
    expect(await parts(folder)).toBe(2);
    const rows = events.map((event) => ('sinks' in event ? event.sinks : null));
    expect(rows).toEqual([[{ sink: 'out', rows: 1 }], [{ sink: 'out', rows: 2 }]]);
  });

  it.each([
    ['gone', (staged: string) => rm(staged)],
    ['cut', (staged: string) => writeFile(staged, '1')],
  ])('a staged part that is %s: the checkpoint is given up and the tasks restart', async (_, damage) => {
    const { folder, storage, driver, events, failures, triggered } = await newDriver();
    const outcome = driver.request(request);
    await triggered(1);
    const part = await stage(folder, 1);
    await damage(part.staged);
    driver.acknowledged({ type: 'acknowledge', attempt: 0, checkpointId: 1, task, operators: [], parts: [part] });
    expect(await outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining(part.staged) });
    expect(failures).toEqual([expect.stringContaining('checkpoint 1 cannot be completed')]);
    expect(events.map(({ type }) => type)).toEqual(['checkpoint-aborted']);
    await driver.stop('the tasks restart');
    expect([await parts(folder), await storage.list()]).toEqual([0, []]);
  });

  it('gives a checkpoint up whose folder is there: it may be that of a JobMaster that has replaced this one', async () => {
    const { storage, driver, barriers } = await newDriver();
    await mkdir(storage.folderOf(1));
    await writeFile(join(storage.folderOf(1), '_metadata'), 'theirs');
    expect(await driver.request(request)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('EEXIST') });
    expect(barriers).toEqual([]);
    await driver.stop('nothing is under way any more');
    expect(await readdir(storage.folderOf(1))).toEqual(['_metadata']);
  });

  it.each([
    ['go-on', []],
    ['stop', ['checkpoint 1, the last of the job, failed: ENOTDIR']],
  ] as const)(
    'a savepoint (%s) that cannot be written fails alone: no task has failed, and the job goes on',
    async (mode, stops) => {
      const { folder, driver, events, failures, stopFailures, triggered } = await newDriver();
      const savepoint = join(folder, 'savepoint');
      const outcome = driver.request({ kind: 'savepoint', mode, folder: savepoint });
      await triggered(1);
      // A file where the folder was.
      await writeFile(savepoint, '');
      driver.acknowledged({ type: 'acknowledge', attempt: 0, checkpointId: 1, task, operators: [], parts: [] });
      expect(await outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('ENOTDIR') });
      expect(events.map(({ type }) => type)).toEqual(['checkpoint-aborted']);
      expect(failures).toEqual([]);
      expect(stopFailures.map((reason) => reason.replace(/ENOTDIR.*/, 'ENOTDIR'))).toEqual(stops);
    },
  );

  it('triggers in the order of the numbers, savepoints between checkpoints', async () => {
    const { folder, driver, barriers, triggered } = await newDriver();
    const savepoint = join(folder, 'savepoint-1');
    await makeCheckpointFolder(savepoint);
    void driver.request(request);
    void driver.request({ kind: 'savepoint', mode: 'go-on', folder: savepoint });
    void driver.request(request);
    await triggered(3);
    expect(barriers.map(({ checkpointId }) => checkpointId)).toEqual([1, 2, 3]);
  });
});
