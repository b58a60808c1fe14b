// StreamSource of a Kafka topic: one split a partition, its position the offset of the next record. Records wait in a
// bounded queue: a reader whose records nobody takes stops fetching. A position that the broker no longer has is
// a failure, never a jump: records would be lost without a word. Spec: docs/streaming.md, "Kafka".
import { kafkaPartitionOf, kafkaSplitIdOf } from '../../../model/kafka-split.ts';
import type { Row } from '../../../model/streaming-plan.ts';
import type { RowDecoder } from '../sources/row-format.ts';
import type { RestoredSplits, SourceRecord, SplitState, StreamSource } from '../sources/stream-source.ts';
import {
  type KafkaClient,
  type KafkaReader,
  type KafkaRecord,
  KafkaTrouble,
  type PartitionRange,
} from './kafka-client.ts';
import { RecordQueue } from './record-queue.ts';

const discoveryIntervalMs = 10_000;
/** How long a broker may be unable to serve before the task fails. */
const patienceMs = 60_000;
const retryPauseMs = 200;

export interface KafkaSourceOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  /** The group that is told how far complete checkpoints have come; null: none. */
  readonly groupId: string | null;
  readonly startingOffsets: 'earliest' | 'latest';
  readonly decoder: RowDecoder;
}

export class KafkaSource implements StreamSource {
  readonly discoveryIntervalMs = discoveryIntervalMs;
  readonly #options: KafkaSourceOptions;
  readonly #queue = new RecordQueue();
  /** Partition → offset of the next record that is put into the queue. */
  readonly #nextOffsets = new Map<number, number>();
  #reader: KafkaReader | null = null;
  /** Partitions were added since the reader was started. */
  #isStale = false;
  /** Positions that the broker is being told, or that wait for it; null: none. */
  #toCommit: readonly SplitState[] | null = null;
  /** When reading began to fail; null: it does not. */
  #troubleSinceMs: number | null = null;

  constructor(options: KafkaSourceOptions) {
    this.#options = options;
  }

  get droppedRows(): number {
    return this.#options.decoder.droppedRows;
  }

  async discover(restored: RestoredSplits | null): Promise<readonly SplitState[]> {
    const { client, topic, startingOffsets } = this.#options;
    const fromEnd = restored === null && startingOffsets === 'latest';
    const partitions = await client.partitions(topic);
    return partitions.map(({ partition, low, high }) => ({
      splitId: kafkaSplitIdOf({ topic, partition }),
      position: fromEnd ? high : low,
    }));
  }

  /** Neighbouring partitions go to different subtasks. */
  ordinalOf(splitId: string): number {
    return partitionOf(this.#options.topic, splitId) ?? 0;
  }

  async addSplit({ splitId, position }: SplitState): Promise<void> {
    const partition = partitionOf(this.#options.topic, splitId);
    if (partition === null || typeof position !== 'number') {
      const { topic } = this.#options;
      throw new Error(`Kafka topic ${topic}: the state names ${splitId} at ${position}, which is no partition of it`);
    }
    await this.#checkPosition(partition, position);
    this.#nextOffsets.set(partition, position);
    this.#isStale = true;
  }

  async poll(recordsMax: number, waitMs: number): Promise<readonly SourceRecord[]> {
    try {
      if (this.#isStale) await this.#startReader();
      const failed = this.#reader?.failed;
      const arrived = this.#queue.whenFilled(waitMs);
      await (failed === undefined ? arrived : Promise.race([arrived, failed]));
    } catch (error) {
      await this.#bear(error);
    }
    return this.#rows(this.#queue.take(recordsMax));
  }

  /** The group's offsets are for tools that show its lag: while the broker is being told, the latest waits. */
  async notifyCheckpointComplete(positions: readonly SplitState[]): Promise<void> {
    const isBusy = this.#toCommit !== null;
    this.#toCommit = positions;
    if (!isBusy) await this.#commit();
  }

  async close(): Promise<void> {
    this.#queue.close();
    await this.#reader?.close();
    await this.#options.client.close();
  }

  async #commit(): Promise<void> {
    const { client, topic, groupId } = this.#options;
    for (let told: unknown = null; this.#toCommit !== told; ) {
      const positions = this.#toCommit ?? [];
      const offsets = positions.map(
        ({ splitId, position }) => [partitionOf(topic, splitId) ?? 0, Number(position)] as const,
      );
      // Nothing is read back from there, so a broker that does not take it changes nothing for the job.
      if (groupId !== null && offsets.length > 0) await client.commit(groupId, topic, new Map(offsets)).catch(() => {});
      told = positions;
    }
    this.#toCommit = null;
  }

  /** A reader that failed for now is started again where it was, as long as patience lasts. */
  async #bear(error: unknown): Promise<void> {
    this.#troubleSinceMs ??= performance.now();
    const lasts = performance.now() - this.#troubleSinceMs;
    if (!(error instanceof KafkaTrouble && error.isTransient) || lasts > patienceMs) throw error;
    this.#isStale = true;
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
  }

  /** Over all partitions, each where it is now. What is in the queue stays in it. */
  async #startReader(): Promise<void> {
    this.#isStale = false;
    const previous = this.#reader;
    this.#reader = null;
    if (previous) {
      this.#queue.refuse();
      await previous.close();
      this.#queue.accept();
    }
    const { client, topic } = this.#options;
    this.#reader = await client.read(topic, this.#nextOffsets, (records) => this.#enqueue(records));
  }

  async #enqueue(records: readonly KafkaRecord[]): Promise<void> {
    // A group that forms again begins at the log's start: what came already does not come again.
    const fresh = records.filter(({ partition, offset }) => offset >= this.#nextOffset(partition));
    const [first] = fresh;
    if (first === undefined) return;
    if (first.offset > this.#nextOffset(first.partition)) await this.#checkPosition(first.partition);
    if (!(await this.#queue.put(fresh))) return;
    this.#troubleSinceMs = null;
    for (const { partition, offset } of fresh) this.#nextOffsets.set(partition, offset + 1);
  }

  #nextOffset(partition: number): number {
    return this.#nextOffsets.get(partition) ?? 0;
  }

  /** Offsets are skipped by compaction and by transactions, too; what retention deleted unread is another matter. */
  async #checkPosition(partition: number, position = this.#nextOffset(partition)): Promise<void> {
    const { client, topic } = this.#options;
    const range = (await client.partitions(topic)).find((each) => each.partition === partition);
    const problem = problemOf(range, position);
    if (problem !== null)
      throw new Error(`Kafka topic ${topic}, partition ${partition}, offset ${position}: ${problem}`);
  }

  #rows(records: readonly KafkaRecord[]): SourceRecord[] {
    const { topic } = this.#options;
    return records.flatMap((record) => {
      const row = this.#rowOf(record);
      const { partition, offset } = record;
      return row === null ? [] : [{ splitId: kafkaSplitIdOf({ topic, partition }), row, position: offset + 1 }];
    });
  }

  #rowOf({ partition, offset, value }: KafkaRecord): Row | null {
    const { topic, decoder } = this.#options;
    // A tombstone: there is no row in it.
    if (value === null) return null;
    const where = () => `Kafka topic ${topic}, partition ${partition}, offset ${offset}`;
    return decoder.decode(Buffer.from(value).toString('utf8'), where);
  }
}

function problemOf(range: PartitionRange | undefined, position: number): string | null {
  if (range === undefined) return 'the topic has no such partition any more';
  if (position < range.low) return `the broker has deleted what lies before offset ${range.low}: rows would be lost`;
  if (position > range.high) return `the partition ends at offset ${range.high}: the topic was made anew`;
  return null;
}

function partitionOf(topic: string, splitId: string): number | null {
  const split = kafkaPartitionOf(splitId);
  return split?.topic === topic ? split.partition : null;
}
