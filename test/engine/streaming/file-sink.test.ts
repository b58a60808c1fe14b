import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileSink } from '../../../src/engine/streaming/sinks/file-sink.ts';
import { partName } from '../../../src/engine/streaming/sinks/part-names.ts';

const jobId = 'a'.repeat(32);

async function openSink(): Promise<{ readonly sink: FileSink; readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'jobrec-sink-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const names = { sinkName: 'out', jobId, logsFolder: path, notice: () => {} };
  const context = { ...names, subtask: 0, parallelism: 1, epoch: 1, attempt: 0 };
  const sink = new FileSink({ kind: 'file', path, format: 'json' }, context);
  await sink.open();
  return { sink, path };
}

it('names what a checkpoint that was given up had staged for the next ones, until one is complete', async () => {
  const { sink, path } = await openSink();
  const finals = async (checkpointId: number) => (await sink.prepareCommit(checkpointId)).map(({ final }) => final);
  const part = (checkpointId: number) => join(path, partName(jobId, checkpointId, 0));
  sink.write({ n: 1 });
  expect(await finals(1)).toEqual([part(1)]);
  // Given up: nobody says so to the sink.
  sink.write({ n: 2 });
  expect(await finals(2)).toEqual([part(1), part(2)]);
  expect(await finals(3)).toEqual([part(1), part(2)]);
  sink.write({ n: 4 });
  expect(await finals(4)).toEqual([part(1), part(2), part(4)]);
  sink.notifyCheckpointComplete(3);
  const [last, ...none] = await sink.prepareCommit(5);
  expect([last?.final, last?.rows, none]).toEqual([part(4), 1, []]);
  expect(await readFile(last?.staged ?? '', 'utf8')).toBe('{"n":4}\n');
  sink.notifyCheckpointComplete(5);
  expect(await finals(6)).toEqual([]);
  await sink.close();
});

it('keeps a part that is being closed while an earlier checkpoint turns out complete', async () => {
  const { sink } = await openSink();
  sink.write({ n: 1 });
  await sink.prepareCommit(1);
  sink.write({ n: 2 });
  const closing = sink.prepareCommit(2);
  sink.notifyCheckpointComplete(1);
  expect((await closing).map(({ rows, final }) => [rows, final.includes('-00000002-')])).toEqual([[1, true]]);
  expect(await sink.prepareCommit(3)).toHaveLength(1);
  await sink.close();
});
