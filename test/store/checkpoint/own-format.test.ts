// jobrec's own checkpoints through the commands that read Flink's: what the engine's own codec writes, inspect says.
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { StateWriter } from '../../../src/engine/streaming/task/state-writer.ts';
import { stateShapeOf } from '../../../src/model/streaming-plan.ts';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import { completeCheckpoint, writeState } from '../../../src/store/checkpoint/checkpoint-storage.ts';
import type { CheckpointMetadata, OperatorState } from '../../../src/store/checkpoint/own-metadata.ts';
import { encodeMetadata } from '../../../src/store/checkpoint/own-metadata.ts';
import { temporaryFolder } from '../../support/sample-store.ts';
import { inspect, validate } from './written-checkpoint.ts';

/** Subtask 0 with key groups 0 and 3 in a file, subtask 1 with key group 5 inline and state of its own. */
async function written(
  change: (metadata: CheckpointMetadata, folder: string) => CheckpointMetadata | Promise<CheckpointMetadata> = (same) =>
    same,
  keyedBytes: Buffer = Buffer.from('0123456789'),
) {
  const folder = path.join(temporaryFolder(), 'chk-4');
  mkdirSync(folder);
  const file = await writeState(folder, 'keyed-0', keyedBytes);
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
          { subtask: 0, keyed: { state: file, blocks: blocks([0, 4], [3, keyedBytes.length - 4]) }, operator: null },
          { subtask: 1, keyed: { state: inline('abc'), blocks: blocks([5, 3]) }, operator: inline('own') },
        ],
      },
    ],
    parts: [],
    sinkRows: [],
  };
  await completeCheckpoint(folder, await change(metadata, folder));
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
  expect(await validate(location)).toMatchObject({ ok: true, findings: [] });
  rmSync(path.join(location, 'keyed-0'));
  const { findings } = await validate(location);
  expect(findings.map(({ code }) => code)).toEqual(['STATE_FILE_MISSING']);
  const twice = await written((metadata) => ({
    ...metadata,
    operators: metadata.operators.map((operator) => ({
      ...operator,
      subtasks: operator.subtasks.map((subtask) => ({ ...subtask, keyed: operator.subtasks[1]?.keyed ?? null })),
    })),
  }));
  const overlap = await validate(twice);
  expect(overlap.findings.map(({ code }) => code)).toEqual(['KEY_GROUPS_OVERLAP']);
});

describe('the bytes of state files are held against their checksums', () => {
  test('a changed byte is an error that says both', async () => {
    const location = await written();
    const file = path.join(location, 'keyed-0');
    expect(await validate(location)).toMatchObject({
      checked: { stateFiles: 1, checksums: 1 },
    });
    const bytes = readFileSync(file);
    bytes[4] = (bytes[4] as number) ^ 1;
    writeFileSync(file, bytes);
    const { ok, findings } = await validate(location);
    const message = 'a state file has the CRC-32 6dd81463, a684c7c6 was written: its bytes have changed';
    expect([ok, findings]).toEqual([
      false,
      [{ code: 'STATE_FILE_CHECKSUM', severity: 'error', file, offset: 0, message }],
    ]);
  });

  test('a file of more than one chunk', async () => {
    const bytes = Buffer.alloc(300_000, 'state ');
    const location = await written((metadata) => metadata, bytes);
    const file = path.join(location, 'keyed-0');
    expect(await validate(location)).toMatchObject({ ok: true, checked: { checksums: 1 } });
    for (const at of [0, 65_535, 65_536, 299_999]) {
      const spoilt = Buffer.from(bytes);
      spoilt[at] = 0;
      writeFileSync(file, spoilt);
      const { findings } = await validate(location);
      expect(findings.map(({ code }) => code)).toEqual(['STATE_FILE_CHECKSUM']);
    }
  });

  test('of another length: that alone is told', async () => {
    const location = await written();
    writeFileSync(path.join(location, 'keyed-0'), '01234');
    const { findings, checked } = await validate(location);
    expect([findings.map(({ code }) => code), checked.checksums]).toEqual([['STATE_FILE_LENGTH'], 0]);
  });

  test.skipIf(process.platform !== 'linux')('a file whose bytes cannot be read, not even by root', async () => {
    const location = await written((metadata) => ({ ...metadata, operators: [emptyIn('keyed-0')] }));
    const file = path.join(location, 'keyed-0');
    rmSync(file);
    symlinkSync('/proc/self/mem', file);
    const { findings } = await validate(location);
    expect(findings).toMatchObject([{ code: 'STATE_FILE_UNREADABLE', file, message: expect.stringContaining('EIO') }]);
  });
});

/** An operator whose own state is a file without bytes. */
function emptyIn(name: string): OperatorState {
  const subtasks = [{ subtask: 0, keyed: null, operator: { kind: 'file', name, length: 0, crc: 0 } as const }];
  return { operatorId: 'd'.repeat(32), uid: '', name: '', parallelism: 1, maxParallelism: 8, subtasks };
}

describe('offsets of Kafka sources', () => {
  const connector = { kind: 'kafka', bootstrapServers: 'b:1', topic: 'words-2', groupId: null } as const;
  const spec = { kind: 'source', connector: { ...connector, startingOffsets: 'earliest' } } as never;

  /** Two subtasks, as the engine's state writer puts what a source operator gives: the first in a file, the second inline. */
  async function withKafka(own: readonly unknown[]) {
    return written(async (metadata, folder) => {
      const subtasks = own.map(async (positions, subtask) => {
        const writer = new StateWriter({ writesFiles: true, inlineThresholdBytes: subtask === 0 ? 0 : 1000 });
        const snapshot = { operatorId: 'c'.repeat(32), name: 'words', keyed: [], own: positions, droppedRows: 0 };
        return { subtask, keyed: null, operator: (await writer.write(folder, subtask, snapshot)).operator };
      });
      const source = {
        operatorId: 'c'.repeat(32),
        uid: 'words',
        name: 'Source: words',
        parallelism: own.length,
        maxParallelism: 8,
        subtasks: await Promise.all(subtasks),
        shape: stateShapeOf(spec) as string,
      };
      return { ...metadata, operators: [...metadata.operators, source] };
    });
  }
  const at = (partition: number, position: unknown) => ({ splitId: `words-2-${partition}`, position });
  const kafkaIn = async (location: string, stateFiles: boolean) =>
    (await inspect(location, { stateFiles })).kafkaSources;

  test('of inline state; those of files with --state-files; in the order of partitions', async () => {
    const location = await withKafka([[at(2, 7), at(0, 2 ** 40)], [at(1, 0)]]);
    const row = (partition: number, offset: bigint, subtask: number) => {
      return { topic: 'words-2', partition, offset, stoppingOffset: null, subtask };
    };
    const source = { operatorId: 'c'.repeat(32), kind: 'KafkaSource' };
    expect(await kafkaIn(location, true)).toEqual([
      { ...source, partitions: [row(0, 2n ** 40n, 0), row(1, 0n, 1), row(2, 7n, 0)], unread: [] },
    ]);
    const unread = [{ subtask: 0, reason: 'the state lies in a file; --state-files reads it' }];
    expect(await kafkaIn(location, false)).toEqual([{ ...source, partitions: [row(1, 0n, 1)], unread }]);
  });

  test.each([
    ['no list', { splitId: 'words-2-0', position: 1 }],
    ['no id of a partition', [{ splitId: 'words', position: 1 }]],
    ['a position of another source', [at(0, { file: 'a' })]],
    ['a negative position', [at(0, -1)]],
    ['a cell that is none', [null]],
    ['an extension type', [at(0, new Date(0))]],
  ])('%s is said', async (_, positions) => {
    const [source] = await kafkaIn(await withKafka([[], positions]), true);
    const reason = 'the state is not as a Kafka source of jobrec writes it';
    expect(source).toMatchObject({ partitions: [], unread: [{ subtask: 1, reason }] });
  });

  test('a state file that is damaged or gone is said', async () => {
    const location = await withKafka([[at(0, 7)], [at(1, 8)]]);
    const file = path.join(location, `${'c'.repeat(32)}-0-operator`);
    const spoilt = readFileSync(file);
    spoilt[spoilt.length - 1] = 9;
    writeFileSync(file, spoilt);
    const damaged = [{ subtask: 0, reason: `the checksum of the state file is wrong: ${path.basename(file)}` }];
    expect(await kafkaIn(location, true)).toMatchObject([
      { partitions: [{ partition: 1, offset: 8n }], unread: damaged },
    ]);
    rmSync(file);
    const gone = [{ subtask: 0, reason: `the state file is missing: ${file}` }];
    expect(await kafkaIn(location, true)).toMatchObject([{ partitions: [{ partition: 1 }], unread: gone }]);
  });
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
    const read = inspect(location);
    await expect(read).rejects.toMatchObject({ code, data: { path: file } });
  }
});
