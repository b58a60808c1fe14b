// A job from a real Kafka topic to files and to another topic: everything is killed while it reads, and a savepoint takes it
// to another parallelism. The files hold every running count once; the topic every one at least once.
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually, parseJson } from '../e2e/cli.ts';
import { StreamJob } from '../e2e/streaming/stream-job.ts';
import { kafkaBroker } from './broker.ts';

const answer = await kafkaBroker();
const broker = 'broker' in answer ? answer.broker : null;
const why = 'missing' in answer ? ` (skipped: ${answer.missing})` : '';

const words = ['ant', 'bee', 'cat', 'dog', 'eel'];
const partitions = 3;
const batches = 40;
const batchRows = 100;

function jobFile(bootstrapServers: string, parallelism: number): string {
  return `
name: counts
mode: streaming
config: { execution.checkpointing.interval: 200 ms, parallelism.default: ${parallelism} }
sources:
  words: { kafka: { bootstrapServers: "${bootstrapServers}", topic: words, groupId: counts, startingOffsets: earliest }, format: json }
stages:
  counts: { inputs: { w: words }, sum: n, keyBy: word }
sinks:
  files: { input: counts, path: out }
  topic: { input: counts, kafka: { bootstrapServers: "${bootstrapServers}", topic: counts, key: word } }
`;
}

const expected = words
  .flatMap((word) => Array.from({ length: (batches * batchRows) / words.length }, (_, count) => `${word} ${count + 1}`))
  .sort();

const textOf = ({ word, n }: Readonly<Record<string, unknown>>) => `${String(word)} ${String(n)}`;

describe.skipIf(broker === null)(`a job that reads and writes Kafka${why}`, () => {
  const bootstrapServers = broker?.bootstrapServers ?? '';
  const kafka = new Kafka({ brokers: [bootstrapServers || 'none:1'], logLevel: logLevel.NOTHING });

  afterAll(async () => {
    await broker?.close();
  });

  it('counts each record once through SIGKILL of everything and a savepoint at another parallelism', async () => {
    const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true })];
    await Promise.all([admin.connect(), producer.connect()]);
    onTestFinished(async () => void (await Promise.all([admin.disconnect(), producer.disconnect()])));
    const topics = [
      { topic: 'words', numPartitions: partitions },
      { topic: 'counts', numPartitions: 2 },
    ];
    await admin.createTopics({ waitForLeaders: true, topics });
    const job = await StreamJob.create({ 'job.yaml': jobFile(bootstrapServers, 1) });
    onTestFinished(() => job.remove());

    let sent = 0;
    /** Up to so many batches of the whole, every partition in turn. */
    const feed = async (until: number): Promise<void> => {
      for (; sent < until; sent += 1) {
        const messages = Array.from({ length: batchRows }, (_, row) => {
          const value = JSON.stringify({ word: words[row % words.length], n: 1 });
          return { partition: (sent + row) % partitions, value };
        });
        await producer.send({ topic: 'words', messages });
      }
    };
    const written = async () => (await job.written('out')).map(textOf).sort();
    const reached = (until: number) =>
      eventually(`${until} batches`, async () => ((await written()).length >= until * batchRows ? true : null), 60_000);

    const first = job.start('--json');
    await feed(10);
    await reached(5);
    await feed(15);
    await job.killAll(first);
    await feed(20);
    const second = job.start('--json');
    await reached(20);
    const stopped = await job.cli('stop', 'counts', '--savepoint-path', 'saved', '--json');
    const { path } = parseJson<{ readonly path: string }>(stopped);
    expect((await second.result).code).toBe(0);
    expect(await written()).toHaveLength(20 * batchRows);

    await feed(30);
    await job.write('job.yaml', jobFile(bootstrapServers, 2));
    const third = job.start('--json', '--from-savepoint', path, '--workers', '2');
    await reached(25);
    await job.killAll(third);
    await feed(batches);
    const fourth = job.start('--json', '--workers', '2');
    await reached(batches);
    expect((await job.cli('cancel', 'counts')).code).toBe(0);
    await fourth.result;

    expect(await written()).toEqual(expected);
    const { sinks } = parseJson<{ readonly sinks: readonly object[] }>(await fourth.result);
    expect(sinks).toMatchObject([{ name: 'files', rows: batches * batchRows }]);
    const records = await recordsOf(kafka, 'counts', expected.length);
    expect([...new Set(records)].sort()).toEqual(expected);
  });
});

/** All records of a topic, read until it is known to hold `least` different ones. */
async function recordsOf(kafka: Kafka, topic: string, least: number): Promise<string[]> {
  const consumer = kafka.consumer({ groupId: `check-${topic}` });
  const records: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => void records.push(textOf(JSON.parse(String(message.value)))),
  });
  await eventually(`${least} records`, async () => (new Set(records).size >= least ? true : null), 60_000);
  await consumer.disconnect();
  return records;
}
