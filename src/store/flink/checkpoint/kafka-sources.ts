// Finds the Kafka sources of a checkpoint and where each stood: in the list state of its readers, which lies in the metadata
// while it is small, and in its enumerator's state. What cannot be read is said. Spec: docs/checkpoints.md, "Kafka offsets".
import type {
  CheckpointMetadata,
  CheckpointVisitor,
  KafkaPartitionOffset,
  KafkaSourceState,
  LongList,
  NamedState,
  OperatorHead,
  StateReader,
  StateStream,
} from '../../../model/checkpoint.ts';
import { stateFileUnread } from '../../checkpoint/state-reader.ts';
import {
  type KafkaSplit,
  type KafkaTopicPartition,
  type KnownPartition,
  readEnumerator,
  readLegacyPair,
  readSplit,
} from './kafka-splits.ts';
import { dataChunkAt } from './snappy-chunk.ts';

const stateNames = { SourceReaderState: 'KafkaSource', 'topic-partition-offset-states': 'FlinkKafkaConsumer' } as const;
type Kind = KafkaSourceState['kind'];

/** From this version on, operator state says whether it is compressed. */
const versionWithCompression = 6;
/** Far beyond what Kafka allows; and what a report may hold. */
const partitionsMax = 200_000;
/** Of one split: a topic's name has at most 249 bytes. */
const splitBytesMax = 4096;

/** The offsets of one subtask: where they lie, not yet read. */
interface ReaderState {
  readonly kind: Kind;
  readonly subtask: number;
  /** null: there are more than are read. */
  readonly elements: LongList | null;
  readonly stream: StateStream;
}

interface Candidate {
  readonly operatorId: string;
  readonly known: readonly KnownPartition[] | null;
  readonly readers: ReaderState[];
}

export async function kafkaSourcesOf(
  walk: CheckpointMetadata['walk'],
  readState: StateReader | null,
): Promise<readonly KafkaSourceState[]> {
  const candidates = new Candidates();
  walk(candidates.visitor());
  const found: KafkaSourceState[] = [];
  for (const candidate of candidates.list) {
    const source = await readSource(candidate, readState);
    if (source !== null) found.push(source);
  }
  return found.sort((a, b) => (a.operatorId < b.operatorId ? -1 : 1));
}

/** Operators that have such state, kept until the walk is over. */
class Candidates {
  readonly list: Candidate[] = [];
  #partitions = 0;
  #operator: OperatorHead | null = null;
  #readers: ReaderState[] = [];
  #named: NamedState | null = null;
  #open: { readonly named: NamedState; readonly stream: StateStream } | null = null;

  visitor(): CheckpointVisitor {
    return {
      operator: (operator) => {
        this.#endOperator();
        this.#operator = operator;
      },
      namedState: (named) => {
        if (named.state === 'managedOperator' && named.name in stateNames) this.#named = named;
      },
      stream: (stream) => {
        if (this.#named !== null) this.#open = { named: this.#named, stream };
        this.#named = null;
      },
      subtask: ({ subtask }) => this.#endSubtask(subtask),
      end: () => this.#endOperator(),
    };
  }

  #endSubtask(subtask: number): void {
    const open = this.#open;
    this.#open = null;
    if (open === null || open.named.elements.length === 0) return;
    this.#partitions += open.named.elements.length;
    const kind = stateNames[open.named.name as keyof typeof stateNames];
    const elements = this.#partitions > partitionsMax ? null : open.named.elements;
    this.#readers.push({ kind, subtask, elements, stream: open.stream });
  }

  #endOperator(): void {
    if (this.#operator === null) return;
    const { operatorId, coordinator } = this.#operator;
    const known = coordinator === null ? null : readEnumerator(Buffer.from(coordinator));
    if (known !== null || this.#readers.length > 0) this.list.push({ operatorId, known, readers: this.#readers });
    this.#operator = null;
    this.#readers = [];
  }
}

async function readSource(candidate: Candidate, readState: StateReader | null): Promise<KafkaSourceState | null> {
  const { operatorId, known, readers } = candidate;
  const partitions: KafkaPartitionOffset[] = [];
  const unread: { subtask: number; reason: string }[] = [];
  for (const reader of readers) {
    const answer = await readOffsets(reader, readState);
    if (typeof answer === 'string') unread.push({ subtask: reader.subtask, reason: answer });
    else partitions.push(...answer.map((split) => ({ ...split, subtask: reader.subtask })));
  }
  const kind = readers[0]?.kind ?? 'KafkaSource';
  // Many sources keep SourceReaderState; only its bytes, or the enumerator's, tell that it is Kafka's.
  if (partitions.length === 0 && known === null && kind === 'KafkaSource') return null;
  const all = [...partitions, ...ofNoReader(known ?? [], partitions)];
  return { operatorId, kind, partitions: oncePerPartition(all, kind), unread };
}

/** A union state comes with all its elements from each subtask that had some; the last word of each counts. */
function oncePerPartition(all: readonly KafkaPartitionOffset[], kind: Kind): KafkaPartitionOffset[] {
  const sorted = all.toSorted((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  if (kind === 'KafkaSource') return sorted;
  return [...new Map(sorted.map((each) => [nameOf(each), each])).values()];
}

function ofNoReader(known: readonly KnownPartition[], read: readonly KafkaTopicPartition[]): KafkaPartitionOffset[] {
  const names = new Set(read.map(nameOf));
  return known.filter((partition) => !names.has(nameOf(partition))).map((each) => ({ ...each, subtask: null }));
}

function nameOf({ topic, partition }: KafkaTopicPartition): string {
  return `${topic}-${partition}`;
}

/** The splits of one subtask, or why there are none. */
async function readOffsets(reader: ReaderState, readState: StateReader | null): Promise<KafkaSplit[] | string> {
  if (reader.elements === null) return `there are more than ${partitionsMax} splits, which are not read`;
  const bytes = await bytesOf(reader.stream, readState);
  if (typeof bytes === 'string') return bytes;
  const readAt = reader.kind === 'KafkaSource' ? readSplit : readLegacyPair;
  const read = isCompressed(bytes) ? compressed(readAt) : readAt;
  const splits: KafkaSplit[] = [];
  for (const offset of reader.elements) {
    const split = offset < 0n || offset > BigInt(bytes.length) ? null : read(bytes, Number(offset));
    if (split === null) return 'the state is not as a Kafka source writes it';
    splits.push(split);
  }
  return splits;
}

type ReadSplit = (state: Buffer, offset: number) => KafkaSplit | null;

/** Each element begins a chunk: Flink flushes before it writes one. */
function compressed(read: ReadSplit): ReadSplit {
  return (state, offset) => {
    const chunk = dataChunkAt(state, offset, splitBytesMax);
    return chunk === null ? null : read(chunk, 0);
  };
}

async function bytesOf(stream: StateStream, readState: StateReader | null): Promise<Buffer | string> {
  if (stream.bytes !== null) return Buffer.from(stream.bytes.buffer, stream.bytes.byteOffset, stream.bytes.byteLength);
  if (readState === null) return stateFileUnread;
  const bytes = await readState(stream);
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The head of operator state: its version, then whether it is compressed. */
function isCompressed(bytes: Buffer): boolean {
  return bytes.length > 4 && bytes.readInt32BE(0) >= versionWithCompression && bytes[4] !== 0;
}
