// What jobrec needs of a Kafka client, and no more, so that another client can take its place. Offsets are numbers:
// a partition would need 2^53 records to leave them. Spec: docs/streaming.md, "Kafka".

export interface PartitionRange {
  readonly partition: number;
  /** Offset of the oldest record that the broker still has. */
  readonly low: number;
  /** Offset that the next record will get. */
  readonly high: number;
}

export interface KafkaRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: Uint8Array | null;
}

export interface KafkaOutgoing {
  readonly key: string | null;
  readonly value: string;
}

/** Takes the records of one partition in order; the reader goes on when it resolves. */
export type TakeRecords = (records: readonly KafkaRecord[]) => Promise<void>;

/** What a broker or the way to it refused. */
export class KafkaTrouble extends Error {
  /** It may go well when it is tried again: a broker starts, or a partition moves. */
  readonly isTransient: boolean;

  constructor(message: string, isTransient: boolean, cause: unknown) {
    super(message, { cause });
    this.isTransient = isTransient;
  }
}

export interface KafkaReader {
  /** Rejects with KafkaTrouble when it reads no more; never resolves. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export interface KafkaWriter {
  /** Resolves when all in-sync replicas have the records; order within a partition is the order of the calls. */
  send(records: readonly KafkaOutgoing[]): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaClient {
  /** Rejects where the broker cannot be reached or does not have the topic. */
  partitions(topic: string): Promise<readonly PartitionRange[]>;
  /** Reads these partitions, each from its offset on, without sharing them with anybody. */
  read(topic: string, fromOffsets: ReadonlyMap<number, number>, take: TakeRecords): Promise<KafkaReader>;
  write(topic: string): Promise<KafkaWriter>;
  /** Tells the broker how far a group has come: for tools that watch its lag; nothing is read back. */
  commit(groupId: string, topic: string, offsets: ReadonlyMap<number, number>): Promise<void>;
  close(): Promise<void>;
}
