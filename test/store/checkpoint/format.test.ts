// What is no checkpoint, or one that Flink would not read: one typed error with the file and, for bytes, the offset.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/sample-store.ts';
import { changelog, changes, incremental } from './keyed-handle-bytes.ts';
import {
  byte,
  channel,
  file,
  inline,
  int,
  join,
  keyGroups,
  long,
  metadata,
  noHandle,
  operator,
  operatorState,
  subtask,
  utf,
} from './metadata-bytes.ts';
import { inspect, refusal, written } from './written-checkpoint.ts';

const magic = int(0x4960672d);
const head = join(magic, int(3), long(7), int(0));
const deep = (levels: number) =>
  join(Buffer.concat(Array(levels).fill(join(byte(3), int(0), int(0)))), inline(byte(1)));
const oneKeyed = (handle: Buffer) => metadata([operator({ subtasks: [subtask({ index: 0, managedKeyed: handle })] })]);

const oneMaster = join(int(0xc96b1696 | 0), int(10), int(1), utf(''), int(0));
const oddMode = (name: string) => join(byte(4), int(1), utf(name), byte(3), int(0), inline(byte(1)));

/** What the file holds, the error's code, what its line says, and the offset in its data. */
const cases: Readonly<Record<string, readonly [bytes: Buffer, code: string, says: RegExp, offset?: number]>> = {
  'an empty file': [Buffer.alloc(0), 'NOT_A_CHECKPOINT', /is empty/, 0],
  'another file': [Buffer.from('hello, world'), 'NOT_A_CHECKPOINT', /begins like no checkpoint/, 0],
  'the magic alone': [magic, 'CHECKPOINT_DAMAGED', /ends behind its magic number/, 4],
  'format 1': [join(magic, int(1)), 'FORMAT_TOO_OLD', /metadata version 1; this jobrec reads 2 to 6/],
  'format 7': [join(magic, int(7)), 'FORMAT_TOO_NEW', /metadata version 7; this jobrec reads 2 to 6/],
  'a negative format': [join(magic, int(-1)), 'FORMAT_TOO_OLD', /version -1/],
  'a negative id': [join(magic, int(3), long(-1)), 'CHECKPOINT_DAMAGED', /id is negative/, 8],
  'negative master states': [join(magic, int(3), long(1), int(-5)), 'CHECKPOINT_DAMAGED', /negative \(-5\)/, 16],
  'more operators than bytes': [join(head, int(0x7fffffff)), 'CHECKPOINT_DAMAGED', /2147483647 operators/, 20],
  'more subtasks than bytes': [
    metadata([operator({ count: 0x7fffffff })]),
    'CHECKPOINT_DAMAGED',
    /2147483647 subtasks are declared, 0 bytes are left/,
    49,
  ],
  'more key groups than bytes': [
    oneKeyed(join(byte(3), int(0), int(0x7fffffff))),
    'CHECKPOINT_DAMAGED',
    /2147483647 key groups are declared/,
    70,
  ],
  'more inline bytes than there are': [
    oneKeyed(keyGroups(0, [0], join(byte(1), utf('h'), int(0x7fffffff)))),
    'CHECKPOINT_DAMAGED',
    /2147483647 bytes of inline state/,
  ],
  'a cut operator id': [join(head, int(1), Buffer.alloc(28)), 'CHECKPOINT_DAMAGED', /the file ends/],
  'an unknown keyed handle': [oneKeyed(byte(99)), 'CHECKPOINT_DAMAGED', /99 is no known type of a keyed state/, 65],
  'an unknown stream handle': [oneKeyed(keyGroups(0, [], byte(77))), 'CHECKPOINT_DAMAGED', /77 is no known type/],
  'handles in handles without end': [oneKeyed(deep(100_000)), 'CHECKPOINT_DAMAGED', /nest deeper than 32/],
  'a handle without a stream': [oneKeyed(keyGroups(0, [], noHandle)), 'CHECKPOINT_DAMAGED', /has no handle/],
  'a file without a name': [oneKeyed(keyGroups(0, [], file('', 1))), 'CHECKPOINT_DAMAGED', /has no name/],
  'a file of a negative size': [oneKeyed(keyGroups(0, [], file('/f', -2))), 'CHECKPOINT_DAMAGED', /size of -2/],
  'a negative key group': [oneKeyed(keyGroups(-1, [0], inline(byte(1)))), 'CHECKPOINT_DAMAGED', /begin at -1/],
  'key groups from before the first': [
    oneKeyed(incremental(5, join(int(-5), int(4)))),
    'CHECKPOINT_DAMAGED',
    /key groups begin at -5 and are 4/,
  ],
  'key groups that overflow': [
    oneKeyed(keyGroups(0x7fffffff, [0, 0], inline(byte(1)))),
    'CHECKPOINT_DAMAGED',
    /key groups begin at 2147483647 and are 2/,
    66,
  ],
  'a changelog without key groups': [
    oneKeyed(changelog(14, [], join(int(2), int(0)))),
    'CHECKPOINT_DAMAGED',
    /a changelog handle has no key groups/,
    66,
  ],
  'changes before the first': [
    oneKeyed(changelog(14, [changes({ from: -1 })])),
    'CHECKPOINT_DAMAGED',
    /the first sequence number of changes is -1/,
  ],
  'changes to before the first': [
    oneKeyed(changelog(14, [changes({ to: -9 })])),
    'CHECKPOINT_DAMAGED',
    /the last sequence number of changes is -9/,
  ],
  'a change of no key group': [
    oneKeyed(changelog(14, [changes({ keyGroup: -2 })])),
    'CHECKPOINT_DAMAGED',
    /a change is of key group -2/,
  ],
  'channel state without a stream': [
    metadata([operator({ subtasks: [subtask({ index: 0, input: [channel({ stream: noHandle })] })] })]),
    'CHECKPOINT_DAMAGED',
    /a channel handle has no handle/,
  ],
  'a subtask beyond the parallelism': [
    metadata([operator({ subtasks: [subtask({ index: 2 })] })]),
    'CHECKPOINT_DAMAGED',
    /subtask 2 of operator (ab){16}, whose parallelism is 2/,
    53,
  ],
  'parallelism above its maximum': [
    metadata([operator({ parallelism: 9 })]),
    'CHECKPOINT_DAMAGED',
    /parallelism 9 and max parallelism 4/,
  ],
  'finished with a coordinator': [
    metadata([operator({ coordinator: inline(byte(1)), count: -1 })]),
    'CHECKPOINT_DAMAGED',
    /has finished but has coordinator state/,
  ],
  'a coordinator in a file': [
    metadata([operator({ coordinator: file('/f', 1) })]),
    'CHECKPOINT_DAMAGED',
    /coordinator's state is no bytes/,
  ],
  'an unknown distribution mode': [
    metadata([
      operator({
        subtasks: [
          subtask({ index: 0, managedOperator: join(byte(4), int(1), utf('s'), byte(3), int(0), inline(byte(1))) }),
        ],
      }),
    ]),
    'CHECKPOINT_DAMAGED',
    /unknown distribution mode/,
  ],
  'announced operator state that is missing': [
    metadata([operator({ subtasks: [subtask({ index: 0, managedOperator: noHandle })] })]),
    'CHECKPOINT_DAMAGED',
    /announced and missing/,
  ],
  'format 4 without properties': [
    join(magic, int(4), long(7), int(0), int(0)),
    'CHECKPOINT_DAMAGED',
    /properties are no Java object/,
    24,
  ],
  'more master states than any job has': [
    join(magic, int(3), long(7), int(10_001), Buffer.alloc(10_001 * oneMaster.length, oneMaster), int(0)),
    'CHECKPOINT_DAMAGED',
    /holds 10001 master states; no job has over 10000/,
  ],
  'a line end in a name that is quoted': [
    metadata([operator({ subtasks: [subtask({ index: 0, managedOperator: oddMode('two\nlines \u001b[2J') })] })]),
    'CHECKPOINT_DAMAGED',
    /: state two\\u000alines \\u001b\[2J has an unknown distribution mode$/,
  ],
  'a master state without its magic': [
    join(magic, int(3), long(7), int(1), long(0), long(0)),
    'CHECKPOINT_DAMAGED',
    /master state has no magic/,
    20,
  ],
};

describe('refused', () => {
  test.each(Object.entries(cases))('%s', async (_, [bytes, code, says, offset]) => {
    const location = written(bytes);
    const error = await refusal(location);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(error.message).toContain(location);
    if (code === 'CHECKPOINT_DAMAGED') expect(error.data).toMatchObject({ path: location, offset: expect.any(Number) });
    if (offset !== undefined) expect(error.data.offset).toBe(offset);
  });

  test('a folder without metadata names the checkpoints below it', async () => {
    const folder = temporaryFolder();
    for (const name of ['chk-9', 'chk-10', 'shared']) mkdirSync(path.join(folder, name));
    for (const name of ['chk-9', 'chk-10']) writeFileSync(path.join(folder, name, '_metadata'), metadata([]));
    const error = await refusal(folder);
    expect([error.code, error.hint]).toEqual(['NOT_A_CHECKPOINT', 'below it: chk-9, chk-10']);
    expect((await refusal(path.join(folder, 'shared'))).hint).toMatch(/never completed/);
  });

  test('what is no regular file: a folder named like metadata, a device', async () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, '_metadata'));
    const error = await refusal(folder);
    expect([error.code, error.message]).toEqual(['NOT_A_CHECKPOINT', `${folder}/_metadata is a folder`]);
    expect((await refusal('/dev/null')).message).toBe('/dev/null is no regular file');
  });

  test('metadata that is compressed', async () => {
    const error = await refusal(written(gzipSync(metadata([]))));
    expect([error.code, error.hint]).toEqual(['NOT_A_CHECKPOINT', 'it is compressed; unpack it with gunzip first']);
  });

  test('a path as Flink prints it: a URI of this machine is read, another is an error that says what to do', async () => {
    expect(await inspect(`file:${written(metadata([]))}`)).toMatchObject({ formatVersion: 3 });
    expect(await inspect(`file://${written(metadata([]))}`)).toMatchObject({ formatVersion: 3 });
    const error = await refusal('s3://bucket/job/chk-7');
    expect([error.code, error.message, error.hint]).toEqual([
      'CHECKPOINT_NOT_FOUND',
      's3://bucket/job/chk-7 is not on a file system of this machine',
      expect.stringMatching(/^copy its _metadata here/),
    ]);
  });

  test('a path that is not there', async () => {
    expect((await refusal(path.join(temporaryFolder(), 'gone'))).code).toBe('CHECKPOINT_NOT_FOUND');
  });
});

describe('taken as Flink takes it', () => {
  test('the last of two entries of one subtask', async () => {
    const state = (size: number) => operatorState('s', [0], inline(Buffer.alloc(size)));
    const subtasks = [5, 9].map((size) => subtask({ index: 1, managedOperator: state(size) }));
    const { operators } = await inspect(written(metadata([operator({ subtasks })])));
    expect(operators[0]).toMatchObject({ stateSize: 9n, subtasks: [{ subtask: 1, stateSize: 9n }] });
  });

  test('bytes behind the end', async () => {
    expect((await inspect(written(join(metadata([]), Buffer.from('more'))))).operators).toEqual([]);
  });

  test('sizes that are not known, as minus one; sums that wrap like Java', async () => {
    const handle = (size: bigint) => join(byte(3), int(0), int(0), byte(2), long(size), utf('/f'));
    const subtasks = [
      subtask({ index: 0, managedKeyed: handle(-1n) }),
      subtask({ index: 1, managedKeyed: handle(2n ** 63n - 1n), rawKeyed: handle(5n) }),
    ];
    const { operators } = await inspect(written(metadata([operator({ subtasks })])));
    expect(operators[0]?.subtasks.map(({ stateSize }) => stateSize)).toEqual([-1n, -(2n ** 63n) + 4n]);
  });

  test('a range of key groups that ends before it begins, as empty', async () => {
    for (const [first, count] of [
      [0, -3],
      [-1, 0],
      [5, 0x7fffffff],
    ] as const) {
      const subtasks = [subtask({ index: 0, managedKeyed: incremental(11, join(int(first), int(count))) })];
      const { operators } = await inspect(written(metadata([operator({ subtasks })])));
      expect(operators[0]?.stateSize).toBe(123n);
    }
  });
});
