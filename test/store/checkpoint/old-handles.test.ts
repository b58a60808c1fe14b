// Types of handles and fields that only older Flinks wrote, built byte by byte as their serializers did: format 2, incremental
// and changelog handles before they had sizes and ids of their own.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/sample-store.ts';
import { allKeyGroups, bytesOf, changelog, changelogFile, changes, incremental } from './keyed-handle-bytes.ts';
import {
  byte,
  channel,
  int,
  join,
  keyGroups,
  long,
  metadata,
  noHandle,
  operator,
  subtask,
  utf,
} from './metadata-bytes.ts';
import { inspect, validate, written } from './written-checkpoint.ts';

/** Each handle, and what Flink counts for it. */
const handles: Readonly<Record<string, readonly [handle: Buffer, size: bigint]>> = {
  'incremental, until 1.15': [incremental(5), 123n],
  'incremental, with its size': [incremental(11), 123n],
  'changelog, until 1.15': [changelog(8, [changes(), changelogFile(10)]), 9n + 7n + 40n],
  'changelog, with its checkpoint': [changelog(14, [changelogFile(13)]), 9n + 40n],
  'key groups with an id': [join(byte(12), allKeyGroups, ...[0, 0, 0, 0].map(long), bytesOf(8), utf('id')), 8n],
  'key groups of a savepoint': [join(byte(7), allKeyGroups, ...[0, 0, 0, 0].map(long), bytesOf(8)), 8n],
};

describe('keyed handles', () => {
  // A second subtask behind it shows that the handle ended where it should.
  test.each(Object.entries(handles))('%s', async (_, [handle, size]) => {
    const subtasks = [subtask({ index: 0, managedKeyed: handle }), subtask({ index: 1, rawKeyed: handle })];
    const report = await inspect(written(metadata([operator({ subtasks })])));
    expect(report.operators[0]?.subtasks).toMatchObject([
      { subtask: 0, managedKeyed: 1, rawKeyed: 0, stateSize: size },
      { subtask: 1, managedKeyed: 0, rawKeyed: 1, stateSize: size },
    ]);
  });

  test('a changelog file is a byte longer than its handle says', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'dstl'), Buffer.alloc(1001));
    const managedKeyed = changelog(14, [changelogFile(13, path.join(folder, 'dstl'))]);
    const subtasks = [subtask({ index: 0, managedKeyed })];
    const location = written(metadata([operator({ parallelism: 1, subtasks })]));
    expect(await validate(location)).toMatchObject({
      ok: true,
      checked: { stateFiles: 1 },
    });
  });
});

test('format 2: a chain length, a duration and no coordinator, channels or finished operators', async () => {
  const keyed = (index: number, size: number) =>
    join(int(index), long(-1), int(0), int(0), int(0), keyGroups(index * 2, [0, 0], bytesOf(size)), noHandle);
  const head = join(Buffer.from('cd'.repeat(16), 'hex'), int(2), int(4), int(1));
  const bytes = join(int(0x4960672d), int(2), long(21), int(0), int(1), head, int(2), keyed(0, 6), keyed(1, 8));
  const location = written(bytes);
  expect(await inspect(location)).toMatchObject({
    formatVersion: 2,
    checkpointId: 21n,
    type: null,
    operators: [
      {
        operatorId: 'cd'.repeat(16),
        coordinatorBytes: null,
        stateSize: 14n,
        subtasks: [{ stateSize: 6n }, { stateSize: 8n }],
      },
    ],
  });
  expect(await validate(location)).toMatchObject({ ok: true, findings: [] });
});

test('format 3 of Flink 1.11: handles of channel state without the subtask', async () => {
  const report = async (hasSubtask: boolean, ...tail: readonly Buffer[]) => {
    const input = [19, 25].map((size) => channel({ hasSubtask, size }));
    const subtasks = [subtask({ index: 0, input }), subtask({ index: 1, output: [channel({ hasSubtask })] })];
    return inspect(written(join(metadata([operator({ subtasks }), operator({ id: 'cd' })]), ...tail)));
  };
  const older = await report(false);
  expect(older.operators[0]?.subtasks).toMatchObject([
    { inputChannel: 2, resultSubpartition: 0, stateSize: 44n },
    { inputChannel: 0, resultSubpartition: 1, stateSize: 19n },
  ]);
  expect((await report(true)).operators).toEqual(older.operators);
  expect((await report(true, byte(0))).operators).toEqual(older.operators);
  await expect(report(false, byte(0))).rejects.toMatchObject({ code: 'CHECKPOINT_DAMAGED' });
});
