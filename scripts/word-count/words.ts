// Where the example's words go: the embedded log that the job file names, or a topic of a Kafka broker.
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';

export interface WordFeed {
  /** What the job file says in place of `log: data/words`. */
  readonly source: string;
  append(words: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const lineOf = (word: string) => JSON.stringify({ word, frequency: 1 });

export function logFeed(file: string): WordFeed {
  return {
    source: 'log: data/words',
    append: async (words) => {
      await mkdir(dirname(file), { recursive: true });
      await appendFile(file, words.map((word) => `${lineOf(word)}\n`).join(''));
    },
    close: async () => {},
  };
}

/** A topic of its own, made anew: `latest` then begins where this run begins. */
export async function kafkaFeed(bootstrapServers: string): Promise<WordFeed> {
  const topic = `word-count-${process.pid}`;
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({ idempotent: true });
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
  await producer.connect();
  const connector = { bootstrapServers, topic, groupId: 'word-count', startingOffsets: 'latest' };
  return {
    source: `kafka: ${JSON.stringify(connector)}`,
    append: async (words) => {
      await producer.send({ topic, messages: words.map((word) => ({ value: lineOf(word) })) });
    },
    close: async () => {
      await producer.disconnect();
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    },
  };
}
