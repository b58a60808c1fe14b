// What is left of a streaming job's files when it has ended, whoever clears them away.
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { stagedPrefix } from '../../../src/engine/streaming/sinks/part-names.ts';
import { deleteStreamFiles } from '../../../src/engine/streaming/stream-files.ts';
import { readOptions } from '../../../src/model/options.ts';
import type { StreamingPlan } from '../../../src/model/streaming-plan.ts';
import type { CompletedCheckpoint } from '../../../src/replay/execution-graph.ts';
import { completeCheckpoint } from '../../../src/store/checkpoint/checkpoint-storage.ts';
import { jobFolderAt } from '../../../src/store/job-folder.ts';

const jobId = 'a'.repeat(32);

/** A sink with two staged parts, and a savepoint that names the first. */
async function scene() {
  const root = await mkdtemp(join(tmpdir(), 'jobrec-ended-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const [out, savepoint] = [join(root, 'out'), join(root, 'savepoint')];
  for (const folder of [out, savepoint]) await mkdir(folder);
  const staged = [1, 2].map((serial) => join(out, `${stagedPrefix(jobId)}${serial}`));
  for (const path of staged) await writeFile(path, 'row\n');
  const part = { sink: 'out', staged: staged[0] ?? '', final: join(out, 'part-1'), rows: 1, bytes: 4 };
  const head = { kind: 'savepoint', checkpointId: 1, jobId, jobName: 'job', epoch: 1, timestampMs: 0 } as const;
  await completeCheckpoint(savepoint, { ...head, operators: [], parts: [part], sinkRows: [] });
  const plan = {
    maxParallelism: 128,
    vertices: [{ operators: [{ name: 'out', spec: { kind: 'sink', connector: { kind: 'file', path: out } } }] }],
  } as unknown as StreamingPlan;
  const ended = { folder: jobFolderAt(join(root, 'job')), plan, jobId, options: readOptions({}).streaming } as const;
  return { out, savepoint, ended };
}

it('parts of the newest recorded checkpoint appear, whatever else was staged goes', async () => {
  const { out, savepoint, ended } = await scene();
  const checkpoints = [{ kind: 'savepoint', checkpointId: 1, location: savepoint } as CompletedCheckpoint];
  for (let time = 1; time <= 2; time += 1) {
    await deleteStreamFiles({ ...ended, state: 'CANCELED', checkpoints });
    expect(await readdir(out)).toEqual(['part-1']);
  }
});

it('a checkpoint that is gone, or none, makes nothing appear', async () => {
  const { out, savepoint, ended } = await scene();
  const gone = { kind: 'checkpoint', checkpointId: 2, location: join(savepoint, 'gone') } as CompletedCheckpoint;
  await deleteStreamFiles({ ...ended, state: 'FAILED', checkpoints: [gone] });
  expect(await readdir(out)).toEqual([]);
});
