// jobrec's own checkpoints through the commands that read Flink's: what the engine's own codec writes, inspect says.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import { validateCheckpoint } from '../../../src/services/checkpoint-validate.ts';
import { completeCheckpoint, writeState } from '../../../src/store/checkpoint/checkpoint-storage.ts';
import type { CheckpointMetadata } from '../../../src/store/checkpoint/own-metadata.ts';
import { encodeMetadata } from '../../../src/store/checkpoint/own-metadata.ts';
import { temporaryFolder } from '../../support/sample-store.ts';

/** Subtask 0 with key groups 0 and 3 in a file, subtask 1 with key group 5 inline and state of its own. */
async function written(change: (metadata: CheckpointMetadata) => CheckpointMetadata = (same) => same) {
  const folder = path.join(temporaryFolder(), 'chk-4');
  mkdirSync(folder);
  const file = await writeState(folder, 'keyed-0', Buffer.from('0123456789'));
  const blocks = (...groups: readonly (readonly [number, number])[]) =>
    groups.map(([keyGroup, length]) => ({ keyGroup, length }));
  const inline = (text: string) => ({ kind: 'inline', bytes: Buffer.from(text) }) as const;
  const metadata: CheckpointMetadata = {
    kind: 'checkpoint',
    checkpointId: 4,
    jobId: 'a'.repeat(32),
    jobName: 'word-count',
    epoch: 1,
    timestampMs: 1_700_000_000_000,
    operators: [
      {
        operatorId: 'b'.repeat(32),
        uid: 'Sum',
        name: 'count',
        parallelism: 2,
        maxParallelism: 8,
        subtasks: [
          { subtask: 0, keyed: { state: file, blocks: blocks([0, 4], [3, 6]) }, operator: null },
          { subtask: 1, keyed: { state: inline('abc'), blocks: blocks([5, 3]) }, operator: inline('own') },
        ],
      },
    ],
    parts: [],
    sinkRows: [],
  };
  await completeCheckpoint(folder, change(metadata));
  return folder;
}

test('inspect says what the engine wrote', async () => {
  const location = await written();
  const report = await inspectCheckpoint({ location, operator: 'Sum', stateFiles: false, pathMaps: [] });
  expect(report).toMatchObject({
    format: 'jobrec',
    formatVersion: 1,
    checkpointId: 4n,
    type: 'checkpoint',
    summary: { operators: 1, subtasks: 2, stateSize: 16n, inlineBytes: 6n, fileReferences: 1 },
    operators: [
      {
        operatorId: 'b'.repeat(32),
        uid: 'Sum',
        name: 'count',
        parallelism: 2,
        maxParallelism: 8,
        fullyFinished: false,
        coordinatorBytes: null,
        stateSize: 16n,
        subtasks: [
          { subtask: 0, managedKeyed: 1, managedOperator: 0, stateSize: 10n },
          { subtask: 1, managedKeyed: 1, managedOperator: 1, stateSize: 6n },
        ],
      },
    ],
  });
});

test('validate finds a missing file and key groups that two subtasks hold, and no gaps between those that hold nothing', async () => {
  const location = await written();
  expect(await validateCheckpoint({ location, pathMaps: [] })).toMatchObject({ ok: true, findings: [] });
  rmSync(path.join(location, 'keyed-0'));
  const { findings } = await validateCheckpoint({ location, pathMaps: [] });
  expect(findings.map(({ code }) => code)).toEqual(['STATE_FILE_MISSING']);
  const twice = await written((metadata) => ({
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      subtasks: operator.subtasks.map((subtask) => ({ ...subtask, keyed: operator.subtasks[1]?.keyed ?? null })),
    })),
  }));
  const overlap = await validateCheckpoint({ location: twice, pathMaps: [] });
  expect(overlap.findings.map(({ code }) => code)).toEqual(['KEY_GROUPS_OVERLAP']);
});

test('damage and other versions are the same errors as for Flink', async () => {
  const location = await written();
  const file = path.join(location, '_metadata');
  const sound = encodeMetadata({
    kind: 'savepoint',
    checkpointId: 1,
    jobId: '',
    jobName: '',
    epoch: 1,
    timestampMs: 0,
    operators: [],
    parts: [],
    sinkRows: [],
  });
  const spoilt = Buffer.from(sound);
  spoilt[sound.length - 1] = (spoilt.at(-1) as number) ^ 1;
  const newer = Buffer.from(sound);
  newer.writeUInt32BE(9, 8);
  for (const [bytes, code] of [
    [spoilt, 'CHECKPOINT_DAMAGED'],
    [sound.subarray(0, 12), 'CHECKPOINT_DAMAGED'],
    [newer, 'FORMAT_TOO_NEW'],
  ] as const) {
    writeFileSync(file, bytes);
    const read = inspectCheckpoint({ location, operator: null, stateFiles: false, pathMaps: [] });
    await expect(read).rejects.toMatchObject({ code, data: { path: file } });
  }
});
