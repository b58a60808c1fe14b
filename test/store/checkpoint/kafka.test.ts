// Kafka offsets from checkpoints of real jobs over a real broker, wherever their state lies; and what is not Kafka's.
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCheckpoint } from '../../../src/store/checkpoint/read-checkpoint.ts';
import { readEnumerator, readLegacyPair, readSplit } from '../../../src/store/flink/checkpoint/kafka-splits.ts';
import { byte, inline, int, join, long, metadata, operator, operatorState, subtask, utf } from './metadata-bytes.ts';
import { ownCheckpoints } from './savepoints.ts';
import { inspect, written } from './written-checkpoint.ts';

const everyRecord = [
  ['more-words-0', 10n],
  ['more-words-1', 20n],
  ['words-0', 10n],
  ['words-1', 20n],
  ['words-2', 30n],
];

async function sourceIn(name: string, stateFiles = false) {
  const { kafkaSources } = await inspect(path.join(ownCheckpoints, name), { stateFiles });
  expect(kafkaSources).toHaveLength(1);
  const { kind, partitions = [], unread } = kafkaSources[0] ?? {};
  return { kind, unread, offsets: partitions.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]) };
}

describe('real jobs that had read every record', () => {
  test.each(['1.20-kafka', '2.0-kafka', '2.3-kafka', '2.3-kafka-connector-5'])('%s', async (name) => {
    expect(await sourceIn(name)).toEqual({ kind: 'KafkaSource', unread: [], offsets: everyRecord });
  });

  test.each([
    ['1.20-kafka', 2],
    ['2.3-kafka-connector-5', 3],
  ])('the enumerator of %s, of version %i', async (name, version) => {
    const metadata = await readCheckpoint(path.join(ownCheckpoints, name));
    const states: Buffer[] = [];
    metadata.walk({ operator: ({ coordinator }) => void (coordinator && states.push(Buffer.from(coordinator))) });
    expect(states.map((state) => state.readInt32BE(4))).toEqual([version]);
    const partitions = states.flatMap((state) => readEnumerator(state) ?? []);
    const names = partitions.map(({ topic, partition, offset }) => [`${topic}-${partition}`, offset]);
    expect(names.sort()).toEqual(everyRecord.map(([each]) => [each, null]));
  });

  test('of the consumer before KafkaSource: the next record, not the last', async () => {
    const { kind, offsets } = await sourceIn('1.20-kafka-legacy');
    expect([kind, offsets]).toEqual(['FlinkKafkaConsumer', everyRecord]);
  });

  test('state in files is read only where it is asked for', async () => {
    const unknown = everyRecord.map(([name]) => [name, null]);
    const { offsets, unread } = await sourceIn('2.3-kafka-files/chk-4');
    expect(offsets).toEqual(unknown);
    expect(unread?.map(({ subtask, reason }) => `${subtask}: ${reason}`)).toEqual([
      '0: the state lies in a file; --state-files reads it',
      '1: the state lies in a file; --state-files reads it',
    ]);
    expect(await sourceIn('2.3-kafka-files/chk-4', true)).toMatchObject({ offsets: everyRecord, unread: [] });
  });

  test('compressed state', async () => {
    expect(await sourceIn('1.20-kafka-compressed')).toMatchObject({ offsets: everyRecord, unread: [] });
  });

  test.each(['1.20-finished', '2.3-unaligned', '2.3-rocksdb-incremental/chk-3'])(
    '%s: a source, not Kafka',
    async (name) => {
      const { kafkaSources } = await inspect(path.join(ownCheckpoints, name), { stateFiles: true });
      expect(kafkaSources).toEqual([]);
    },
  );
});

describe('bytes', () => {
  const split = (topic: string, partition: number, from: number, to: bigint) =>
    join(utf(topic), int(partition), long(from), long(to));
  const element = (data: Buffer, version = 0) => {
    const versioned = join(int(version), int(data.length), data);
    return join(int(versioned.length), versioned);
  };
  const none = -(2n ** 63n);

  test('a split, bounded or not', () => {
    expect(readSplit(element(split('t', 3, 42, none)), 0)).toEqual({
      topic: 't',
      partition: 3,
      offset: 42n,
      stoppingOffset: null,
    });
    expect(readSplit(element(split('t', 3, -2, 100n)), 0)).toMatchObject({ offset: -2n, stoppingOffset: 100n });
  });

  test.each([
    ['another version', element(split('t', 3, 42, none), 1)],
    ['a name that no topic has', element(split('t t', 3, 42, none))],
    ['a negative partition', element(split('t', -1, 42, none))],
    ['bytes behind it', element(join(split('t', 3, 42, none), byte(0)))],
    ['too few bytes', element(split('t', 3, 42, none).subarray(0, 12))],
    ['a length beyond the end', join(int(1000), Buffer.alloc(8))],
  ])('%s is no split', (_, bytes) => {
    expect(readSplit(bytes, 0)).toBeNull();
  });

  test("more splits than are read is said, of a source whose enumerator is Kafka's", async () => {
    const elements = Array<number>(200_001).fill(0);
    const managedOperator = operatorState('SourceReaderState', elements, inline(element(split('t', 3, 42, none))));
    const state = join(int(1), utf('t'), int(3));
    const subtasks = [subtask({ index: 0, managedOperator })];
    const bytes = metadata([operator({ coordinator: inline(coordinator(1, state)), subtasks })]);
    const { kafkaSources } = await inspect(written(bytes));
    const unread = [{ subtask: 0, reason: 'there are more than 200000 splits, which are not read' }];
    expect(kafkaSources).toMatchObject([{ partitions: [{ topic: 't', partition: 3, offset: null }], unread }]);
  });

  const coordinator = (version: number, state: Buffer, tail: Buffer = Buffer.alloc(0)) =>
    join(int(1), int(version), int(state.length), state, tail);
  const known = (
    topic: string,
    partition: number,
    offset: bigint | null = null,
    stoppingOffset: bigint | null = null,
  ) => {
    return { topic, partition, offset, stoppingOffset };
  };
  const sized = (bytes: Buffer) => join(int(bytes.length), bytes);
  const enumerators: Readonly<Record<string, readonly [state: Buffer, partitions: readonly object[]]>> = {
    'version 0': [
      join(int(1), int(0), int(0), int(2), sized(split('a', 0, 1, none)), sized(split('b', 7, 2, none))),
      [known('a', 0), known('b', 7)],
    ],
    'version 1': [join(int(2), utf('a'), int(0), utf('b'), int(7)), [known('a', 0), known('b', 7)]],
    'version 2': [
      join(int(2), utf('a'), int(0), int(0), utf('b'), int(7), int(1), byte(1)),
      [known('a', 0), known('b', 7)],
    ],
    // Where reading begins is told of what no reader has yet.
    'version 3': [
      join(
        ...[int(4), int(0)],
        ...[sized(split('a', 0, 1, 90n)), int(0)],
        ...[sized(split('b', 7, 2, none)), int(1)],
        ...[sized(split('b', 8, -2, 50n)), int(1)],
        ...[sized(join(utf('b'), int(9), long(none), long(none))), int(1)],
        byte(1),
      ),
      [known('a', 0, null, 90n), known('b', 7, 2n), known('b', 8, -2n, 50n), known('b', 9)],
    ],
  };

  test.each(Object.entries(enumerators))('an enumerator of %s', (name, [state, partitions]) => {
    const version = Number(name.at(-1));
    expect(readEnumerator(coordinator(version, state))).toEqual(partitions);
    expect(readEnumerator(coordinator(version, state, byte(0)))).toBeNull();
    expect(readEnumerator(coordinator(version, join(state, byte(0))))).toBeNull();
    expect(readEnumerator(coordinator(version, state.subarray(1)))).toBeNull();
  });

  test('no enumerator: without partitions, of another version, of no known status or split version', () => {
    const one = (status: number, version = 0) => {
      return join(int(1), int(version), sized(split('a', 0, 1, none)), int(status), byte(1));
    };
    expect(readEnumerator(coordinator(3, one(1)))).toHaveLength(1);
    const others = [coordinator(1, int(0)), coordinator(4, one(1)), coordinator(3, one(2)), coordinator(3, one(1, 1))];
    for (const bytes of others) expect(readEnumerator(bytes)).toBeNull();
  });

  test('a legacy pair: rules stay as they are, topics of one letter and beyond ASCII do not confuse it', () => {
    const head = [0x0c, 0x01, 0x82, 0x01, 0x0e, 0x01];
    const pair = (topic: readonly number[], last: bigint) => join(Buffer.from([...head, ...topic]), long(last));
    const word = [...Buffer.from('word')].map((letter, index) => (index === 3 ? letter | 0x80 : letter));
    expect(readLegacyPair(pair(word, 41n), 0)).toEqual({
      topic: 'word',
      partition: 7,
      offset: 42n,
      stoppingOffset: null,
    });
    expect(readLegacyPair(pair([0x82, 0x77], -915623761773n), 0)).toMatchObject({ topic: 'w', offset: -915623761773n });
    expect(readLegacyPair(pair([0x83, 0xc3, 0xa4], 1n), 0)).toBeNull();
    expect(readLegacyPair(pair(word, 41n).subarray(0, 14), 0)).toBeNull();
  });
});
