// Types of handles and fields that only older Flinks wrote, built byte by byte as their serializers did: format 2, incremental
// and changelog handles before they had sizes and ids of their own.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectCheckpoint } from '../../../src/services/checkpoint-inspect.ts';
import { validateCheckpoint } from '../../../src/services/checkpoint-validate.ts';
import { temporaryFolder } from '../../support/sample-store.ts';
import {
  byte,
  file,
  inline,
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

const bytesOf = (size: number) => inline(Buffer.alloc(size));
const range = join(int(0), int(4));
const uuid = '00000000-0000-4000-8000-000000000000';

const incremental = (type: 5 | 11) =>
  join(
    ...[byte(type), long(1), utf(uuid), range, ...(type === 11 ? [long(77)] : []), bytesOf(3)],
    ...[int(1), utf('1.sst'), file('/data/s', 100), int(1), utf('MANIFEST'), bytesOf(20)],
    ...(type === 11 ? [utf('id')] : []),
  );
const changes = join(
  byte(9),
  range,
  long(1),
  long(2),
  int(2),
  int(0),
  int(5),
  Buffer.alloc(5),
  int(1),
  int(2),
  Buffer.alloc(2),
  utf('id'),
);
const changelogFile = (type: 10 | 13, path = '/data/dstl') =>
  join(
    ...[byte(type), range, int(1), long(0), file(path, 1000), long(40), long(30), utf('id')],
    ...(type === 13 ? [utf('filesystem')] : []),
  );
const changelog = (type: 8 | 14, ...parts: readonly Buffer[]) =>
  join(
    ...[
      byte(type),
      range,
      long(55),
      int(2),
      keyGroups(0, [0, 0, 0, 0], bytesOf(9)),
      noHandle,
      int(parts.length),
      ...parts,
      long(1),
    ],
    ...(type === 14 ? [long(6)] : []),
    utf('id'),
  );

/** Each handle, and what Flink counts for it. */
const handles: Readonly<Record<string, readonly [handle: Buffer, size: bigint]>> = {
  'incremental, until 1.15': [incremental(5), 123n],
  'incremental, with its size': [incremental(11), 123n],
  'changelog, until 1.15': [changelog(8, changes, changelogFile(10)), 9n + 7n + 40n],
  'changelog, with its checkpoint': [changelog(14, changelogFile(13)), 9n + 40n],
  'key groups with an id': [join(byte(12), range, ...[0, 0, 0, 0].map(long), bytesOf(8), utf('id')), 8n],
  'key groups of a savepoint': [join(byte(7), range, ...[0, 0, 0, 0].map(long), bytesOf(8)), 8n],
};

async function written(bytes: Buffer) {
  const location = path.join(temporaryFolder(), '_metadata');
  writeFileSync(location, bytes);
  const report = await inspectCheckpoint({ location, operator: null, stateFiles: false, pathMaps: [] });
  return { location, report };
}

describe('keyed handles', () => {
  // A second subtask behind it shows that the handle ended where it should.
  test.each(Object.entries(handles))('%s', async (_, [handle, size]) => {
    const subtasks = [subtask({ index: 0, managedKeyed: handle }), subtask({ index: 1, rawKeyed: handle })];
    const { report } = await written(metadata([operator({ subtasks })]));
    expect(report.operators[0]?.subtasks).toMatchObject([
      { subtask: 0, managedKeyed: 1, rawKeyed: 0, stateSize: size },
      { subtask: 1, managedKeyed: 0, rawKeyed: 1, stateSize: size },
    ]);
  });

  test('a changelog file is a byte longer than its handle says', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'dstl'), Buffer.alloc(1001));
    const managedKeyed = changelog(14, changelogFile(13, path.join(folder, 'dstl')));
    const subtasks = [subtask({ index: 0, managedKeyed })];
    const { location } = await written(metadata([operator({ parallelism: 1, subtasks })]));
    expect(await validateCheckpoint({ location, pathMaps: [] })).toMatchObject({
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
  const { location, report } = await written(bytes);
  expect(report).toMatchObject({
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
  expect(await validateCheckpoint({ location, pathMaps: [] })).toMatchObject({ ok: true, findings: [] });
});
