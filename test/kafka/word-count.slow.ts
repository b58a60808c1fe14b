// examples/word-count on a real Kafka topic: the same rows as on the embedded log, and its
// checkpoint says where the topic was left.
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { inspectCheckpoint } from '../../src/services/checkpoint-inspect.ts';
import { playWordCount, type WordFeed, wordCountJob } from '../e2e/streaming/word-count-story.ts';
import { kafkaBroker } from './broker.ts';

const answer = await kafkaBroker();
const broker = 'broker' in answer ? answer.broker : null;
const why = 'missing' in answer ? ` (skipped: ${answer.missing})` : '';

describe.skipIf(broker === null)(`word count on Kafka${why}`, () => {
  afterAll(async () => {
    await broker?.close();
  });

  it('counts words of a topic, and begins again from the offset of the checkpoint', async () => {
    const bootstrapServers = broker?.bootstrapServers ?? '';
    const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
    const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true })];
    await Promise.all([admin.connect(), producer.connect()]);
    onTestFinished(async () => void (await Promise.all([admin.disconnect(), producer.disconnect()])));
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'word', numPartitions: 1 }] });
    const connector = { bootstrapServers, topic: 'word', groupId: 'word-count', startingOffsets: 'latest' };
    // What lies in the topic already is not counted: the job begins at its end.
    await producer.send({ topic: 'word', messages: [{ value: '{"word":"old","frequency":1}' }] });
    const feed: WordFeed = {
      source: `kafka: ${JSON.stringify(connector)}`,
      append: async (_job, rows) => {
        await producer.send({ topic: 'word', messages: rows.map((row) => ({ value: JSON.stringify(row) })) });
      },
    };
    const job = await wordCountJob(feed);
    onTestFinished(() => job.remove());
    await playWordCount(job, feed);
    // The failed job's checkpoint stays: it had read the old word, a, b and a.
    const completed = await job.events('checkpoint-completed');
    const location = String(completed.at(-1)?.location);
    const { kafkaSources } = await inspectCheckpoint({ location, operator: null, stateFiles: false, pathMaps: [] });
    const partitions = [{ topic: 'word', partition: 0, offset: 4n, stoppingOffset: null, subtask: 0 }];
    expect(kafkaSources).toMatchObject([{ kind: 'KafkaSource', partitions, unread: [] }]);
  });
});
