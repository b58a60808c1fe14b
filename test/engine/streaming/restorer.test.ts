// What a job is set back to, over real folders: parts of its checkpoint appear, later ones go, damage is passed over and
// said, the record comes last; and a JobMaster that does not lead any more changes nothing.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { EventRecorder } from '../../../src/engine/job-master/event-recorder.ts';
import { Restorer } from '../../../src/engine/streaming/coordinator/restorer.ts';
import { partName, stagedName } from '../../../src/engine/streaming/sinks/part-names.ts';
import type { JobEvent } from '../../../src/model/job-events.ts';
import type { StreamVertex } from '../../../src/model/streaming-plan.ts';
import { CheckpointStorage, completeCheckpoint } from '../../../src/store/checkpoint/checkpoint-storage.ts';
import { jobGraphOf } from '../../replay/job-builder.ts';

const jobId = 'a'.repeat(32);
const staged = stagedName({ jobId, epoch: 1, attempt: 0, sinkName: 'out', subtask: 0 }, 1);

/** A file sink with a part of checkpoint 9, which is not recorded, and rows that are staged for checkpoint 2. */
async function scene({ leads = true, damaged = [] as number[] } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'jobrec-restorer-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const sink = join(folder, 'out');
  await mkdir(sink);
  for (const name of [partName(jobId, 9, 0), staged]) await writeFile(join(sink, name), '');
  const storage = new CheckpointStorage(join(folder, 'checkpoints'));
  await storage.prepare();
  for (const checkpointId of [1, 2]) {
    await storage.begin(checkpointId);
    const part = {
      sink: 'out',
      staged: join(sink, staged),
      final: join(sink, partName(jobId, 2, 0)),
      rows: 1,
      bytes: 0,
    };
    const head = { kind: 'checkpoint', checkpointId, jobId, jobName: 'job', epoch: 1, timestampMs: 0 } as const;
    const parts = checkpointId === 2 ? [part] : [];
    await completeCheckpoint(storage.folderOf(checkpointId), { ...head, operators: [], parts, sinkRows: [] });
  }
  for (const each of damaged) await writeFile(join(storage.folderOf(each), '_metadata'), 'damage');
  const checkpoints = [1, 2].map((checkpointId) => ({
    ...{ kind: 'checkpoint', checkpointId, location: storage.folderOf(checkpointId) },
  }));
  const vertex = { operators: [{ name: 'out', spec: { kind: 'sink', connector: { kind: 'file', path: sink } } }] };
  const [events, said]: [JobEvent[], string[]] = [[], []];
  const graph = { checkpoints, vertices: new Map() };
  const restorer = new Restorer({
    jobGraph: jobGraphOf([{ name: 'a' }]),
    plan: { maxParallelism: 128, vertices: [vertex as unknown as StreamVertex] },
    jobId,
    retainedCheckpoints: 2,
    storage,
    recorder: { graph, record: async (event: JobEvent) => void events.push(event) } as unknown as EventRecorder,
    requireLead: async () => {
      if (!leads) throw new Error('epoch 1 is over');
    },
    onNotice: (message) => said.push(message),
  });
  return { restorer, events, said, storage, sink, listed: async () => (await readdir(sink)).sort() };
}

it('rolls the newest checkpoint forward and takes back what lies behind it', async () => {
  const { restorer, events, said, storage, listed } = await scene();
  const restored = await restorer.restore();
  expect(restored).toMatchObject({ kind: 'ready', location: storage.folderOf(2), metadata: { checkpointId: 2 } });
  expect(await listed()).toEqual([partName(jobId, 2, 0)]);
  expect(events).toEqual([
    { type: 'checkpoint-restored', checkpointId: 2, location: storage.folderOf(2), skipped: [] },
  ]);
  expect(said).toEqual([
    '1 part(s) of later checkpoints were taken back: their rows come again',
    'the tasks begin from checkpoint 2',
  ]);
});

it('passes a damaged checkpoint over, and says so', async () => {
  const { restorer, events, said, listed } = await scene({ damaged: [2] });
  expect(await restorer.restore()).toMatchObject({ kind: 'ready', metadata: { checkpointId: 1 } });
  expect(await listed()).toEqual([]);
  expect(events).toMatchObject([{ checkpointId: 1, skipped: [{ checkpointId: 2 }] }]);
  expect(said[0]).toMatch(/^checkpoint 2 cannot be used: .*; the checkpoint before it is used$/);
});

it('touches no sink where no checkpoint can be used: somebody may still repair one', async () => {
  const { restorer, events, said, listed } = await scene({ damaged: [1, 2] });
  const before = await listed();
  const restored = await restorer.restore();
  expect(restored).toMatchObject({ kind: 'none-usable', reason: expect.stringMatching(/checkpoint 2.*checkpoint 1/) });
  // The reason names all of them; no notice says that one before them is used.
  expect([await listed(), events, said]).toEqual([before, [], []]);
});

it('changes nothing, and records nothing, where another JobMaster leads', async () => {
  const { restorer, events, listed } = await scene({ leads: false });
  const before = await listed();
  await expect(restorer.restore()).rejects.toThrow('epoch 1 is over');
  expect([await listed(), events]).toEqual([before, []]);
});

it('says so where parts of its checkpoint are gone: neither staged nor visible', async () => {
  const { restorer, said, sink } = await scene();
  await rm(join(sink, staged));
  expect(await restorer.restore()).toMatchObject({ kind: 'ready' });
  expect(said).toContain("1 part(s) of checkpoint 2 are not in their sink's folder any more");
  // Once visible, a part that is rolled forward again is there.
  const whole = await scene();
  for (let time = 1; time <= 2; time += 1) await whole.restorer.restore();
  expect(whole.said.filter((line) => line.includes('any more'))).toEqual([]);
});
