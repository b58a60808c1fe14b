// Folders for checkpoints, savepoints and sinks in a file system where nobody can make one: an error at once. (Node's
// recursive mkdir would never end.)
import { describe, expect, it } from 'vitest';
import { FileSink } from '../../../src/engine/streaming/sinks/file-sink.ts';
import { claimSinkFolder } from '../../../src/engine/streaming/sinks/part-commit.ts';
import { CheckpointStorage, makeCheckpointFolder } from '../../../src/store/checkpoint/checkpoint-storage.ts';

const nowhere = '/proc/nope/below';

function openSink(): Promise<void> {
  const names = { sinkName: 'out', jobId: 'a'.repeat(32), logsFolder: '/tmp', notice: () => {} };
  const context = { ...names, subtask: 0, parallelism: 1, epoch: 1, attempt: 0 };
  return new FileSink({ kind: 'file', path: nowhere, format: 'json' }, context).open();
}

describe.skipIf(process.platform !== 'linux')('where no folder can be made', () => {
  it.each([
    ['the folders of the checkpoints of a job', () => new CheckpointStorage(nowhere).prepare()],
    ['the folder of a savepoint', () => makeCheckpointFolder(nowhere)],
    ['the folder of a sink, by its job', () => claimSinkFolder(nowhere, 'job', true)],
    ['the folder of a sink, by its task', openSink],
  ])('%s', async (_, make) => {
    await expect(make()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
