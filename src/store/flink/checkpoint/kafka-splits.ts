// The bytes that Flink's Kafka connectors keep: a KafkaSource's split, its enumerator's state, and the pairs of the consumer
// before it (FlinkKafkaConsumer, through Kryo). Anything else is null: other sources use the same state names.
// Spec: docs/checkpoints.md, "Kafka offsets".
import { MetadataCursor, MetadataFault } from './metadata-cursor.ts';

export interface KafkaSplit {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly stoppingOffset: bigint | null;
}

export interface KafkaTopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What an enumerator knows of a partition: where reading begins only while no reader has it, and since version 3. */
export interface KnownPartition extends KafkaTopicPartition {
  readonly offset: bigint | null;
  readonly stoppingOffset: bigint | null;
}

/** Both of a split without an end, and of one whose place an older enumerator did not keep. */
const noOffset = -(2n ** 63n);
/** Kafka's own rule for topics. */
const topicPattern = /^[A-Za-z0-9._-]{1,249}$/;
const knownSplitVersion = 0;
const coordinatorVersionMax = 1;

/** A split behind its length, serializer version and length again (SimpleVersionedSerialization in a byte array). */
export function readSplit(state: Buffer, offset: number): KafkaSplit | null {
  return orNull(() => {
    const element = cursorOf(new MetadataCursor(state, offset).block('a split'));
    if (element.int32() !== knownSplitVersion) return null;
    const split = splitIn(cursorOf(element.block('a split')));
    return element.remaining > 0 || split === null || !isPartition(split) ? null : split;
  });
}

/** null: there is more than a split. */
function splitIn(cursor: MetadataCursor): KafkaSplit | null {
  const { topic, partition } = topicPartition(cursor);
  const offset = cursor.int64();
  const to = cursor.int64();
  return cursor.remaining > 0 ? null : { topic, partition, offset, stoppingOffset: offsetOrNull(to) };
}

function offsetOrNull(offset: bigint): bigint | null {
  return offset === noOffset ? null : offset;
}

/** What a SourceCoordinator keeps of a KafkaSourceEnumerator: the partitions that it has handed out or found. */
export function readEnumerator(bytes: Buffer): readonly KnownPartition[] | null {
  return orNull(() => {
    const coordinator = cursorOf(bytes);
    const coordinatorVersion = coordinator.int32();
    if (coordinatorVersion < 0 || coordinatorVersion > coordinatorVersionMax) return null;
    const version = coordinator.int32();
    const state = cursorOf(coordinator.block('enumerator state'));
    // Version 0 kept more behind it.
    if (coordinatorVersion > 0 && coordinator.remaining > 0) return null;
    const partitions = knownPartitions(state, version);
    const isKafka = partitions !== null && partitions.length > 0 && partitions.every(isPartition);
    return isKafka && state.remaining === 0 ? partitions : null;
  });
}

function knownPartitions(state: MetadataCursor, version: number): KnownPartition[] | null {
  switch (version) {
    case 0:
      return assignedSplits(state);
    case 1:
    case 2:
      return partitionList(state, version === 2);
    case 3:
      return splitList(state);
  }
  return null;
}

function partitionList(state: MetadataCursor, hasStatus: boolean): KnownPartition[] | null {
  const count = state.count('partitions', 6);
  const partitions: KnownPartition[] = [];
  for (let each = 0; each < count; each++) {
    partitions.push({ ...topicPartition(state), offset: null, stoppingOffset: null });
    if (hasStatus && isAssigned(state) === null) return null;
  }
  // Whether the first discovery is over.
  if (hasStatus) state.uint8();
  return partitions;
}

function splitList(state: MetadataCursor): KnownPartition[] | null {
  const count = state.count('splits', 4);
  if (state.int32() !== knownSplitVersion) return null;
  const partitions: KnownPartition[] = [];
  for (let each = 0; each < count; each++) {
    const split = splitIn(cursorOf(state.block('a split')));
    const assigned = isAssigned(state);
    if (split === null || assigned === null) return null;
    partitions.push({ ...split, offset: assigned ? null : offsetOrNull(split.offset) });
  }
  state.uint8();
  return partitions;
}

/** null: neither assigned nor found and not assigned yet. */
function isAssigned(state: MetadataCursor): boolean | null {
  const status = state.int32();
  return status === 0 ? true : status === 1 ? false : null;
}

function assignedSplits(state: MetadataCursor): KnownPartition[] | null {
  const subtasks = state.count('subtasks', 8);
  if (state.int32() !== knownSplitVersion) return null;
  const partitions: KnownPartition[] = [];
  for (let subtask = 0; subtask < subtasks; subtask++) {
    state.int32();
    const splits = state.count('splits', 4);
    for (let each = 0; each < splits; each++) {
      const split = splitIn(cursorOf(state.block('a split')));
      if (split === null) return null;
      partitions.push({ ...split, offset: null });
    }
  }
  return partitions;
}

/**
 * A KafkaTopicPartition as Kryo 2 writes an object with references (its class's number, a mark for a new object, then the
 * fields by name: cachedHash, partition, topic), and the offset of the last record that was read.
 */
export function readLegacyPair(state: Buffer, offset: number): KafkaSplit | null {
  return orNull(() => {
    const cursor = new MetadataCursor(state, offset);
    varint(cursor); // the class
    if (cursor.uint8() !== 1) return null;
    varint(cursor); // cachedHash
    const partition = zigzag(varint(cursor));
    if (cursor.uint8() !== 1) return null;
    const topic = kryoText(cursor);
    const last = cursor.int64();
    if (topic === null || !isPartition({ topic, partition })) return null;
    // Negative ones are rules, not places.
    return { topic, partition, offset: last < 0n ? last : last + 1n, stoppingOffset: null };
  });
}

/** Text in ASCII: its last byte has the highest bit set. One of one character: its length plus one first. */
function kryoText(cursor: MetadataCursor): string | null {
  const start = cursor.offset;
  const first = cursor.uint8();
  if ((first & 0x80) !== 0) {
    const length = (first & 0x3f) - 1;
    if ((first & 0x40) !== 0 || length < 0) return null;
    return cursor.bytes.toString('latin1', cursor.skip(length), cursor.offset);
  }
  while ((cursor.uint8() & 0x80) === 0) if (cursor.offset - start > 249) return null;
  const characters = Buffer.from(cursor.bytes.subarray(start, cursor.offset));
  characters[characters.length - 1] = (characters.at(-1) as number) & 0x7f;
  return characters.toString('latin1');
}

function varint(cursor: MetadataCursor): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = cursor.uint8();
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) === 0) return value >>> 0;
  }
  throw new MetadataFault('a number does not end', cursor.offset);
}

function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

function topicPartition(cursor: MetadataCursor): KafkaTopicPartition {
  return { topic: cursor.text(), partition: cursor.int32() };
}

function isPartition({ topic, partition }: KafkaTopicPartition): boolean {
  return topicPattern.test(topic) && partition >= 0;
}

function cursorOf(bytes: Buffer): MetadataCursor {
  return new MetadataCursor(bytes);
}

/** Bytes that are something else end early or late. */
function orNull<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MetadataFault)) throw error;
    return null;
  }
}
