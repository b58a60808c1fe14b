// KafkaClient over kafkajs, an optional dependency that is loaded when a job names Kafka. kafkajs reads through consumer
// groups only, and a checkpoint, not a group, says where a task goes on. So each reader is the one member of a group of
// its own, takes the partitions that it was told, and never commits. Spec: docs/streaming.md, "Kafka".
import { randomUUID } from 'node:crypto';
import type { Admin, Consumer, EachBatchPayload, Kafka, LogEntry, PartitionAssigner } from 'kafkajs';
import { messageOf } from '../../../model/errors.ts';
import {
  type KafkaClient,
  type KafkaOutgoing,
  type KafkaReader,
  KafkaTrouble,
  type KafkaWriter,
  type PartitionRange,
  type TakeRecords,
} from './kafka-client.ts';

/** A broker may be away for about a minute before a task fails. */
const retry = { retries: 14, initialRetryTime: 200, maxRetryTime: 5_000 };
/** Longest that a read waits for a record, and so the longest that closing takes. */
const fetchWaitMs = 500;
const fetchBytesMax = 4 << 20;
const partitionBytesMax = 1 << 20;
/** How often the group hears of a reader whose records nobody takes. */
const heartbeatMs = 3_000;

type KafkaJs = typeof import('kafkajs');

/** Loaded when a job names Kafka; the planner has seen that it is there. */
async function loadKafkaJs(): Promise<KafkaJs> {
  // CommonJS: all names are on the default export.
  return (await import('kafkajs')).default as unknown as KafkaJs;
}

/** `bootstrapServers`: host:port, comma-separated. `notice`: hears of connections that fail and are tried again. */
export async function connectKafka(bootstrapServers: string, notice: (message: string) => void): Promise<KafkaClient> {
  const library = await loadKafkaJs();
  const brokers = bootstrapServers.split(',').map((address) => address.trim());
  const logCreator = () => (entry: LogEntry) => {
    if (isConnectionTrouble(entry)) notice(`Kafka at ${entry.log.broker}: ${entry.log.message}; trying again`);
  };
  const kafka = new library.Kafka({ clientId: 'jobrec', brokers, retry, logLevel: library.logLevel.ERROR, logCreator });
  return new KafkaJsClient(library, kafka, bootstrapServers);
}

/** Everything else that the library logs comes as an error, too, to who called it. */
function isConnectionTrouble({ namespace, log }: LogEntry): boolean {
  return namespace === 'Connection' && /^Connection (error|timeout)/.test(log.message);
}

class KafkaJsClient implements KafkaClient {
  readonly #library: KafkaJs;
  readonly #kafka: Kafka;
  readonly #address: string;
  #admin: Promise<Admin> | null = null;

  constructor(library: KafkaJs, kafka: Kafka, address: string) {
    this.#library = library;
    this.#kafka = kafka;
    this.#address = address;
  }

  async partitions(topic: string): Promise<readonly PartitionRange[]> {
    return this.#named(topic, async () => {
      const admin = await this.#connectedAdmin();
      // Asked first: for a topic that is not there, the client would ask again and again.
      if (!(await admin.listTopics()).includes(topic)) throw new Error('there is no such topic');
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
    });
  }

  async read(topic: string, fromOffsets: ReadonlyMap<number, number>, take: TakeRecords): Promise<KafkaReader> {
    const groupId = `jobrec-${randomUUID()}`;
    const consumer = this.#kafka.consumer({
      groupId,
      partitionAssigners: [assignerOf(this.#library, topic, [...fromOffsets.keys()])],
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytes: fetchBytesMax,
      maxBytesPerPartition: partitionBytesMax,
      heartbeatInterval: heartbeatMs,
      // A reader that starts anew by itself would have forgotten its offsets: it fails, and its task with it.
      retry: { ...retry, restartOnFailure: async () => false },
    });
    return this.#named(topic, async () => {
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const failed = crashOf(consumer, (error) => this.#nameError(topic, error));
      const running = consumer.run({ autoCommit: false, eachBatch: (payload) => takeBatch(payload, take) });
      // Before the first fetch: run() has begun, and has not got to the broker yet.
      for (const [partition, offset] of fromOffsets) consumer.seek({ topic, partition, offset: String(offset) });
      await running;
      return { failed, close: () => this.#closeReader(consumer, groupId) };
    });
  }

  async write(topic: string): Promise<KafkaWriter> {
    const { Partitioners } = this.#library;
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry,
    });
    await this.#named(topic, () => producer.connect());
    const send = async (records: readonly KafkaOutgoing[]) => {
      await this.#named(topic, () => producer.send({ topic, acks: -1, messages: [...records] }));
    };
    return { send, close: () => producer.disconnect() };
  }

  async commit(groupId: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void> {
    const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }));
    await (await this.#connectedAdmin()).setOffsets({ groupId, topic, partitions });
  }

  async close(): Promise<void> {
    await (await this.#admin?.catch(() => null))?.disconnect();
    this.#admin = null;
  }

  async #closeReader(consumer: Consumer, groupId: string): Promise<void> {
    await consumer.disconnect();
    // Its group is empty now, and of no use to anybody; the broker would forget it after some days.
    await (await this.#connectedAdmin()).deleteGroups([groupId]).catch(() => {});
  }

  #connectedAdmin(): Promise<Admin> {
    this.#admin ??= (async () => {
      const admin = this.#kafka.admin();
      await admin.connect();
      return admin;
    })();
    // A connection that failed is tried again by the next caller.
    this.#admin.catch(() => {
      this.#admin = null;
    });
    return this.#admin;
  }

  async #named<T>(topic: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      throw this.#nameError(topic, error);
    }
  }

  #nameError(topic: string, cause: unknown): Error {
    const isTransient = cause instanceof this.#library.KafkaJSError && cause.retriable;
    return new KafkaTrouble(`Kafka at ${this.#address}, topic ${topic}: ${messageOf(cause)}`, isTransient, cause);
  }
}

/** All `partitions` to the one member that there is. */
function assignerOf(library: KafkaJs, topic: string, partitions: readonly number[]): PartitionAssigner {
  const name = 'jobrec';
  const version = 0;
  const assignment = { [topic]: [...partitions] };
  return () => ({
    name,
    version,
    assign: async ({ members }) =>
      members.map(({ memberId }) => ({
        memberId,
        memberAssignment: library.AssignerProtocol.MemberAssignment.encode({
          version,
          assignment,
          userData: Buffer.alloc(0),
        }),
      })),
    protocol: ({ topics }) => ({
      name,
      metadata: library.AssignerProtocol.MemberMetadata.encode({ version, topics, userData: Buffer.alloc(0) }),
    }),
  });
}

function crashOf(consumer: Consumer, name: (cause: unknown) => Error): Promise<never> {
  const failed = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(name(payload.error)));
  });
  // Whoever polls hears of it; nobody may be polling.
  failed.catch(() => {});
  return failed;
}

async function takeBatch({ batch, heartbeat }: EachBatchPayload, take: TakeRecords): Promise<void> {
  const { partition } = batch;
  const records = batch.messages.map(({ offset, value }) => ({ partition, offset: Number(offset), value }));
  let pending = true;
  const taken = take(records).finally(() => {
    pending = false;
  });
  while (pending) {
    await within(taken, heartbeatMs);
    if (pending) await heartbeat();
  }
  await taken;
}

/** Resolves when `promise` has settled, or after `timeoutMs`. */
async function within(promise: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([promise.catch(() => {}), timeout]);
  clearTimeout(timer);
}
