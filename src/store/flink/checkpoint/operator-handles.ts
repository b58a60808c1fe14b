// Handles of operator state (named lists with the place of each element) and of channel state (what was in flight at an
// unaligned checkpoint). Each function gives the size that Flink reports. Spec: docs/checkpoints.md, "Handles".
import { MetadataFault } from './metadata-cursor.ts';
import { type HandleReader, handleType } from './stream-handles.ts';

const modes = ['SPLIT_DISTRIBUTE', 'UNION', 'BROADCAST'] as const;

/** The size of the operator state handle at the cursor; null where there is none. */
export function readOperatorStateHandle(reader: HandleReader): bigint | null {
  const { cursor } = reader;
  const at = cursor.offset;
  const type = cursor.uint8();
  if (type === handleType.none) return null;
  if (type !== handleType.operatorState && type !== handleType.segmentedOperatorState) {
    throw new MetadataFault(`${type} is no known type of an operator state handle`, at);
  }
  const count = cursor.count('named states', 7);
  for (let state = 0; state < count; state++) readNamedState(reader);
  if (type === handleType.segmentedOperatorState) readFolders(reader);
  return reader.stream('an operator state handle');
}

function readNamedState(reader: HandleReader): void {
  const { cursor } = reader;
  const offset = cursor.offset;
  const name = cursor.text();
  const modeAt = cursor.offset;
  const mode = modes[cursor.uint8()];
  const elements = cursor.longs(cursor.count('elements', 8));
  if (mode === undefined) reader.flaw('HANDLE_INVALID', `state ${name} has an unknown distribution mode`, modeAt);
  else reader.visitor.namedState?.({ state: reader.state, name, mode, elements, offset });
}

/** File merging: the folders of files that TaskManagers own, which its handle must be a segment of. */
function readFolders(reader: HandleReader): void {
  reader.path();
  reader.path();
  reader.cursor.uint8();
  const type = reader.cursor.bytes[reader.cursor.offset];
  if (type === handleType.segment || type === handleType.emptySegment) return;
  reader.flaw('HANDLE_INVALID', 'a merged operator state handle is no segment', reader.cursor.offset);
}

export interface ChannelHandles {
  readonly count: number;
  readonly size: bigint;
}

/** How handles of channel state lie in the file: Flink 1.11 wrote them without the subtask; since format 6 a type comes first. */
export type ChannelLayout = 'without-subtask' | 'plain' | 'typed';

const channelType = { inputChannel: 1, resultSubpartition: 2, mergedInput: 3, mergedResult: 4 } as const;

/** The handles of input channels or of result subpartitions. A negative number counts as none. */
export function readChannelHandles(reader: HandleReader, layout: ChannelLayout): ChannelHandles {
  const { cursor } = reader;
  const at = cursor.offset;
  const count = Math.max(0, cursor.int32());
  if (count * 17 > cursor.remaining) {
    throw new MetadataFault(`${count} channel handles are declared, ${cursor.remaining} bytes are left`, at);
  }
  let size = 0n;
  for (let handle = 0; handle < count; handle++) {
    size += layout === 'typed' ? readTyped(reader) : readChannelHandle(reader, layout === 'plain');
  }
  return { count, size: BigInt.asIntN(64, size) };
}

function readTyped(reader: HandleReader): bigint {
  const at = reader.cursor.offset;
  const type = reader.cursor.uint8();
  const isInput = reader.state === 'inputChannel';
  if (type === (isInput ? channelType.inputChannel : channelType.resultSubpartition))
    return readChannelHandle(reader, true);
  if (type === (isInput ? channelType.mergedInput : channelType.mergedResult)) return readMergedHandle(reader);
  throw new MetadataFault(`${type} is no known type of ${isInput ? 'an input' : 'an output'} channel handle`, at);
}

function readChannelHandle(reader: HandleReader, hasSubtask: boolean): bigint {
  const { cursor } = reader;
  if (hasSubtask) cursor.int32();
  cursor.skip(8); // gate and channel, or partition and subpartition
  cursor.longs(cursor.count('places of buffers', 8));
  // Of this channel; the stream is shared with others.
  const size = cursor.int64();
  reader.stream('a channel handle');
  return size;
}

/** All channels of a subtask in one handle. */
function readMergedHandle(reader: HandleReader): bigint {
  reader.cursor.int32(); // subtask
  const size = reader.cursor.int64();
  reader.optionalStream();
  reader.cursor.block('places of buffers');
  return size;
}
