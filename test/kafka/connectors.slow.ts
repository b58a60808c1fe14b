// Kafka source and sink against a real broker: every record once and in order per partition, from any position; what
// retention deleted is a failure; a broker that is killed and comes back costs nothing.
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaSink } from '../../src/engine/streaming/kafka/kafka-sink.ts';
import { KafkaSource } from '../../src/engine/streaming/kafka/kafka-source.ts';
import { connectKafka } from '../../src/engine/streaming/kafka/kafkajs-client.ts';
import { RowDecoder } from '../../src/engine/streaming/sources/row-format.ts';
import type { SourceRecord, SplitState } from '../../src/engine/streaming/sources/stream-source.ts';
import { type KafkaBroker, kafkaBroker } from './broker.ts';

const answer = await kafkaBroker();
const broker = 'broker' in answer ? answer.broker : null;
const why = 'missing' in answer ? ` (skipped: ${answer.missing})` : '';

describe.skipIf(broker === null)(`Kafka${why}`, () => {
  let kafka: Kafka;
  let bootstrapServers = '';
  let topics = 0;

  beforeAll(() => {
    bootstrapServers = (broker as KafkaBroker).bootstrapServers;
    kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  });

  afterAll(async () => {
    await broker?.close();
  });

  async function newTopic(partitions: number): Promise<string> {
    topics += 1;
    const topic = `topic-${topics}`;
    await withAdmin((admin) =>
      admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] }),
    );
    return topic;
  }

  async function withAdmin<T>(action: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await action(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Rows {n: from} to {n: to - 1}, row n in partition n modulo the number of partitions. */
  async function produce(topic: string, partitions: number, from: number, to: number): Promise<void> {
    const producer = kafka.producer({ idempotent: true });
    await producer.connect();
    const numbers = Array.from({ length: to - from }, (_, index) => from + index);
    const messages = numbers.map((n) => ({ partition: n % partitions, value: JSON.stringify({ n }) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  }

  async function source(topic: string, startingOffsets: 'earliest' | 'latest' = 'earliest'): Promise<KafkaSource> {
    return new KafkaSource({
      client: await connectKafka(bootstrapServers, () => {}),
      topic,
      groupId: 'group',
      startingOffsets,
      decoder: new RowDecoder('json', 'fail'),
    });
  }

  async function opened(topic: string, splits?: readonly SplitState[]): Promise<KafkaSource> {
    const opening = await source(topic);
    for (const split of splits ?? (await opening.discover(null))) await opening.addSplit(split);
    return opening;
  }

  async function read(reading: KafkaSource, count: number): Promise<SourceRecord[]> {
    const records: SourceRecord[] = [];
    const deadline = performance.now() + 60_000;
    while (records.length < count && performance.now() < deadline) records.push(...(await reading.poll(100, 100)));
    return records;
  }

  const numbersOf = (records: readonly SourceRecord[]) => records.map(({ row }) => Number(row.n));
  const ascending = (numbers: number[]) => [...numbers].sort((one, other) => one - other);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

  it('reads every record of every partition once, in order within each', async () => {
    const topic = await newTopic(3);
    await produce(topic, 3, 0, 3000);
    const reading = await opened(topic);
    const records = await read(reading, 3000);
    expect(ascending(numbersOf(records))).toEqual(range(0, 3000));
    for (const partition of [0, 1, 2]) {
      const own = records.filter(({ splitId }) => splitId === `${topic}-${partition}`);
      expect(numbersOf(own)).toEqual(ascending(numbersOf(own)));
      expect(own.at(-1)?.position).toBe(1000);
    }
    expect(await reading.poll(10, 50)).toEqual([]);
    await reading.close();
  });

  it('goes on from the positions of a checkpoint, and takes a partition that is added later', async () => {
    const topic = await newTopic(2);
    await produce(topic, 2, 0, 100);
    const positions = [
      { splitId: `${topic}-0`, position: 30 },
      { splitId: `${topic}-1`, position: 50 },
    ];
    const reading = await opened(topic, positions);
    expect(numbersOf(await read(reading, 20))).toEqual(range(30, 50).map((n) => n * 2));
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }));
    await produce(topic, 3, 300, 306);
    const found = (await reading.discover({ splits: [], ofThisJob: true })).filter(
      ({ splitId }) => splitId === `${topic}-2`,
    );
    expect(found).toEqual([{ splitId: `${topic}-2`, position: 0 }]);
    for (const split of found) await reading.addSplit(split);
    expect(ascending(numbersOf(await read(reading, 6)))).toEqual(range(300, 306));
    await reading.close();
  });

  it('begins at the end where startingOffsets is latest, but not for what a checkpoint does not know', async () => {
    const topic = await newTopic(1);
    await produce(topic, 1, 0, 10);
    const latest = await source(topic, 'latest');
    expect(await latest.discover(null)).toEqual([{ splitId: `${topic}-0`, position: 10 }]);
    await latest.close();
    const restored = await source(topic, 'latest');
    expect(await restored.discover({ splits: [], ofThisJob: true })).toEqual([{ splitId: `${topic}-0`, position: 0 }]);
    await restored.close();
  });

  it('fails where the broker does not have the position any more', async () => {
    const topic = await newTopic(1);
    await produce(topic, 1, 0, 10);
    await withAdmin(async (admin) => {
      // The client knows of a topic what it was told when it last asked.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
    });
    const reading = await source(topic);
    await expect(reading.addSplit({ splitId: `${topic}-0`, position: 3 })).rejects.toThrow(
      `Kafka topic ${topic}, partition 0, offset 3: the broker has deleted what lies before offset 5`,
    );
    await expect(reading.addSplit({ splitId: `${topic}-0`, position: 11 })).rejects.toThrow('made anew');
    await expect(reading.addSplit({ splitId: 'other-0', position: 1 })).rejects.toThrow('no partition of it');
    await reading.close();
    const unknown = await source('no-such-topic');
    await expect(unknown.discover(null)).rejects.toThrow(`Kafka at ${bootstrapServers}, topic no-such-topic: `);
    await unknown.close();
  });

  it('holds no more than its queue while nobody polls, and loses nothing', async () => {
    const topic = await newTopic(1);
    for (const from of range(0, 10)) await produce(topic, 1, from * 5000, (from + 1) * 5000);
    const reading = await opened(topic);
    const first = await read(reading, 1);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const rest = await read(reading, 50_000 - first.length);
    expect(numbersOf([...first, ...rest])).toEqual(range(0, 50_000));
    await reading.close();
  });

  it('the sink writes rows in order per key, all of them acknowledged at a barrier; the group hears of positions', async () => {
    const topic = await newTopic(2);
    const client = await connectKafka(bootstrapServers, () => {});
    const sink = new KafkaSink({ client, topic, key: 'key', encode: (row) => JSON.stringify(row) });
    await sink.open();
    for (const n of range(0, 10_000)) {
      sink.write({ n, key: `k${n % 7}` });
      await sink.ready();
    }
    expect(await sink.prepareCommit()).toEqual([]);
    await sink.close();
    const reading = await opened(topic);
    const records = await read(reading, 10_000);
    expect(ascending(numbersOf(records))).toEqual(range(0, 10_000));
    for (const key of range(0, 7)) {
      const own = numbersOf(records).filter((n) => n % 7 === key);
      expect(own).toEqual(ascending(own));
    }
    await reading.notifyCheckpointComplete([{ splitId: `${topic}-0`, position: 17 }]);
    const offsets = await withAdmin((admin) => admin.fetchOffsets({ groupId: 'group', topics: [topic] }));
    expect(offsets[0]?.partitions.find(({ partition }) => partition === 0)?.offset).toBe('17');
    await reading.close();
  });

  it('a broker that is killed and comes back: nothing is lost, nothing comes twice', async () => {
    const topic = await newTopic(1);
    await produce(topic, 1, 0, 100);
    const reading = await opened(topic);
    const before = await read(reading, 100);
    await (broker as KafkaBroker).kill();
    expect(await reading.poll(10, 500)).toEqual([]);
    await (broker as KafkaBroker).restart();
    await produce(topic, 1, 100, 200);
    const after = await read(reading, 100);
    expect(numbersOf([...before, ...after])).toEqual(range(0, 200));
    await reading.close();
  });
});
