// Where the Kafka sources of a jobrec job stood: the state of a source is a list of its splits and their positions, msgpack as
// the engine's value codec writes it. What cannot be read is said. Spec: docs/streaming.md, "_metadata".
import { crc32 } from 'node:zlib';
import { Decoder } from '@msgpack/msgpack';
import { count, list, text } from '../../model/cells.ts';
import type { KafkaPartitionOffset, KafkaSourceState, StateReader, StateStream } from '../../model/checkpoint.ts';
import { kafkaPartitionOf } from '../../model/kafka-split.ts';
import { positionsShapeOf } from '../../model/streaming-plan.ts';
import { checkPayloadBounds } from '../payload-bounds.ts';
import type { CheckpointMetadata, OperatorState, StateHandle } from './own-metadata.ts';
import { stateFileUnread } from './state-reader.ts';

const kafkaShape = positionsShapeOf('kafka');

/** `streamOf`: a handle as the seam tells it, which is what `readState` takes. */
export async function ownKafkaSources(
  { operators }: CheckpointMetadata,
  readState: StateReader | null,
  streamOf: (handle: StateHandle) => StateStream,
): Promise<readonly KafkaSourceState[]> {
  const sources = operators.filter(({ shape }) => shape === kafkaShape);
  const found: KafkaSourceState[] = [];
  for (const source of sources) {
    found.push(await readSource(source, (handle) => bytesOf(handle, readState, streamOf)));
  }
  return found.sort((a, b) => (a.operatorId < b.operatorId ? -1 : 1));
}

type HandleReader = (handle: StateHandle) => Promise<Uint8Array | string>;

async function readSource({ operatorId, subtasks }: OperatorState, read: HandleReader): Promise<KafkaSourceState> {
  const partitions: KafkaPartitionOffset[] = [];
  const unread: { subtask: number; reason: string }[] = [];
  for (const { subtask, operator } of subtasks) {
    const bytes = operator === null ? null : await read(operator);
    if (bytes === null) continue;
    const positions = typeof bytes === 'string' ? bytes : positionsIn(bytes);
    if (typeof positions === 'string') unread.push({ subtask, reason: positions });
    else for (const each of positions) partitions.push({ ...each, stoppingOffset: null, subtask });
  }
  partitions.sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
  return { operatorId, kind: 'KafkaSource', partitions, unread };
}

async function bytesOf(
  handle: StateHandle,
  readState: StateReader | null,
  streamOf: (handle: StateHandle) => StateStream,
): Promise<Uint8Array | string> {
  if (handle.kind === 'inline') return handle.bytes;
  if (readState === null) return stateFileUnread;
  const bytes = await readState(streamOf(handle));
  if (typeof bytes === 'string' || crc32(bytes) === handle.crc) return bytes;
  return `the checksum of the state file is wrong: ${handle.name}`;
}

/** Offsets by partition, or why there are none. */
function positionsIn(bytes: Uint8Array): Pick<KafkaPartitionOffset, 'topic' | 'partition' | 'offset'>[] | string {
  try {
    checkPayloadBounds(bytes);
    return list(new Decoder().decode(bytes)).map(positionOf);
  } catch {
    return 'the state is not as a Kafka source of jobrec writes it';
  }
}

function positionOf(cell: unknown) {
  const { splitId, position } = cell as Readonly<Record<string, unknown>>;
  const split = kafkaPartitionOf(text(splitId));
  if (split === null) throw new TypeError('no partition');
  return { ...split, offset: BigInt(count(position)) };
}
