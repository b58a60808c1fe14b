// One walk over a `_metadata` that Flink wrote: format versions 2 (1.3 to 1.10), 3 (1.11 to 1.15), 4 (1.16 to 1.20), 5 (2.0)
// and 6 (2.1 and later). Keeps nothing; throws MetadataFault where the bytes have no meaning, and tells a flaw where they
// have one that Flink refuses. Spec: docs/checkpoints.md, "The file".
import type { CheckpointVisitor, OperatorHead, StateKind } from '../../../model/checkpoint.ts';
import { readProperties } from './checkpoint-properties.ts';
import { javaSum, readKeyedHandle } from './keyed-handles.ts';
import { MetadataCursor, MetadataFault } from './metadata-cursor.ts';
import { type ChannelLayout, readChannelHandles, readOperatorStateHandle } from './operator-handles.ts';
import { HandleReader, handleType } from './stream-handles.ts';

export const flinkMetadataMagic = 0x4960672d;
export const oldestMetadataVersion = 2;
export const newestMetadataVersion = 6;

/** Magic and version. */
const headBytes = 8;
const versionOfFlink11 = 3;
const versionWithTypes = 6;
const masterStateMagic = 0xc96b1696 | 0;
/** The fewest bytes that an operator takes, in any version. */
const operatorBytesMin = 28;

export function walkFlinkMetadata(bytes: Buffer, visitor: CheckpointVisitor, layout: ChannelLayout): void {
  new MetadataWalk(bytes, visitor, layout).run();
}

/** Nothing in a file of format 3 says whether Flink 1.11 wrote it: it did where only its layout reads the file to the end. */
export function channelLayoutOf(bytes: Buffer): ChannelLayout {
  const version = bytes.readInt32BE(4);
  if (version !== versionOfFlink11) return version >= versionWithTypes ? 'typed' : 'plain';
  return isReadAs(bytes, 'plain', () => true) || !isReadAs(bytes, 'without-subtask', (end) => end === bytes.length)
    ? 'plain'
    : 'without-subtask';
}

function isReadAs(bytes: Buffer, layout: ChannelLayout, isEnd: (end: number) => boolean): boolean {
  let isRead = false;
  const end = (offset: number) => {
    isRead = isEnd(offset);
  };
  try {
    walkFlinkMetadata(bytes, { end }, layout);
    return isRead;
  } catch (error) {
    if (!(error instanceof MetadataFault)) throw error;
    return false;
  }
}

class MetadataWalk {
  readonly #cursor: MetadataCursor;
  readonly #reader: HandleReader;
  readonly #visitor: CheckpointVisitor;
  readonly #version: number;
  readonly #layout: ChannelLayout;

  constructor(bytes: Buffer, visitor: CheckpointVisitor, layout: ChannelLayout) {
    this.#layout = layout;
    this.#version = bytes.readInt32BE(4);
    this.#cursor = new MetadataCursor(bytes, headBytes);
    this.#visitor = visitor;
    this.#reader = new HandleReader(this.#cursor, visitor);
  }

  run(): void {
    const cursor = this.#cursor;
    const checkpointId = cursor.int64();
    if (checkpointId < 0n) throw new MetadataFault(`the checkpoint's id is negative (${checkpointId})`, headBytes);
    this.#visitor.head?.({ formatVersion: this.#version, checkpointId });
    const masterStates = cursor.count('master states', 8);
    for (let state = 0; state < masterStates; state++) this.#masterState();
    const operators = cursor.count('operators', operatorBytesMin);
    for (let operator = 0; operator < operators; operator++) this.#operator();
    if (this.#version >= 4) this.#properties();
    this.#visitor.end?.(cursor.offset);
  }

  #masterState(): void {
    const offset = this.#cursor.offset;
    if (this.#cursor.int32() !== masterStateMagic) throw new MetadataFault('a master state has no magic', offset);
    const data = new MetadataCursor(this.#cursor.bytes, this.#cursor.offset);
    const length = data.count('bytes of a master state', 1);
    const end = data.offset + length;
    const version = data.int32();
    const name = data.text();
    const bytes = data.block('a master state').length;
    if (data.offset !== end) throw new MetadataFault('a master state does not fill its length', offset);
    this.#cursor.skip(4 + length);
    this.#visitor.masterState?.({ name, version, bytes, offset });
  }

  #properties(): void {
    const { properties, bytes } = readProperties(this.#cursor);
    this.#cursor.skip(bytes);
    this.#visitor.properties?.(properties);
  }

  #operator(): void {
    const cursor = this.#cursor;
    const offset = cursor.offset;
    const name = this.#version >= 5 ? cursor.text() : '';
    const uid = this.#version >= 5 ? cursor.text() : '';
    const idAt = cursor.skip(16);
    const operatorId = cursor.bytes.toString('hex', idAt, idAt + 16);
    const [parallelism, maxParallelism] = this.#parallelism(operatorId);
    const coordinator = this.#version === 2 ? this.#chainLength() : this.#coordinator();
    const countAt = cursor.offset;
    const subtasks = cursor.int32();
    const fullyFinished = this.#version >= 3 && subtasks < 0;
    if (fullyFinished && coordinator !== null) {
      this.#reader.flaw(
        'COORDINATOR_INVALID',
        `operator ${operatorId} has finished but has coordinator state`,
        countAt,
      );
    }
    const names = { uid: uid === '' ? null : uid, name: name === '' ? null : name };
    const operator = { operatorId, ...names, parallelism, maxParallelism, fullyFinished, coordinator, offset };
    this.#visitor.operator?.(operator);
    this.#subtasks(operator, subtasks, countAt);
  }

  #parallelism(operatorId: string): [number, number] {
    const at = this.#cursor.offset;
    const parallelism = this.#cursor.int32();
    const maxParallelism = this.#cursor.int32();
    if (parallelism < 0 || parallelism > maxParallelism) {
      const text = `operator ${operatorId} has parallelism ${parallelism} and max parallelism ${maxParallelism}`;
      this.#reader.flaw('PARALLELISM_INVALID', text, at);
    }
    return [parallelism, maxParallelism];
  }

  /** Until Flink 1.2 the number of operators in a chain. */
  #chainLength(): null {
    this.#cursor.int32();
    return null;
  }

  #coordinator(): Uint8Array | null {
    const cursor = this.#cursor;
    const at = cursor.offset;
    const type = cursor.uint8();
    if (type === handleType.none) return null;
    if (type !== handleType.bytes) throw new MetadataFault(`a coordinator's state is no bytes (type ${type})`, at);
    cursor.text();
    return cursor.block('coordinator state');
  }

  #subtasks(operator: OperatorHead, count: number, countAt: number): void {
    if (count * 4 > this.#cursor.remaining) {
      throw new MetadataFault(`${count} subtasks are declared, ${this.#cursor.remaining} bytes are left`, countAt);
    }
    for (let subtask = 0; subtask < count; subtask++) this.#subtask(operator);
  }

  #subtask(operator: OperatorHead): void {
    const offset = this.#cursor.offset;
    const stored = this.#cursor.int32();
    // Since format 3 a finished subtask is stored as -(index + 1), without state.
    const finished = this.#version >= 3 && stored < 0;
    const subtask = finished ? -1 - stored : stored;
    if (subtask < 0 || subtask >= operator.parallelism) {
      const text = `subtask ${subtask} of operator ${operator.operatorId}, whose parallelism is ${operator.parallelism}`;
      this.#reader.flaw('SUBTASK_OUT_OF_RANGE', text, offset);
    }
    const handles = noHandles();
    const stateSize = finished ? 0n : this.#subtaskState(handles);
    this.#visitor.subtask?.({ subtask, finished, handles, stateSize, offset });
  }

  #subtaskState(handles: Record<StateKind, number>): bigint {
    if (this.#version === 2) this.#legacyFields();
    let size = 0n;
    for (const state of ['managedOperator', 'rawOperator'] as const) {
      size = javaSum(
        size,
        this.#counted(state, handles, () => this.#operatorState()),
      );
    }
    for (const state of ['managedKeyed', 'rawKeyed'] as const) {
      size = javaSum(
        size,
        this.#counted(state, handles, () => readKeyedHandle(this.#reader)),
      );
    }
    if (this.#version === 2) return size;
    for (const state of ['inputChannel', 'resultSubpartition'] as const) {
      this.#reader.state = state;
      const channels = readChannelHandles(this.#reader, this.#layout);
      handles[state] = channels.count;
      size = javaSum(size, channels.size);
    }
    return size;
  }

  #counted(state: StateKind, handles: Record<StateKind, number>, read: () => bigint | null): bigint {
    this.#reader.state = state;
    const size = read();
    if (size !== null) handles[state] = 1;
    return size ?? 0n;
  }

  #operatorState(): bigint | null {
    if (this.#cursor.int32() === 0) return null;
    const at = this.#cursor.offset;
    const size = readOperatorStateHandle(this.#reader);
    if (size === null) this.#reader.flaw('HANDLE_MISSING', 'operator state is announced and missing', at);
    return size;
  }

  /** A duration, and states of the kind that Flink 1.1 had. */
  #legacyFields(): void {
    this.#cursor.int64();
    const at = this.#cursor.offset;
    if (this.#cursor.int32() > 0) throw new MetadataFault('state of Flink 1.1, which no later Flink reads', at);
  }
}

function noHandles(): Record<StateKind, number> {
  return { managedOperator: 0, rawOperator: 0, managedKeyed: 0, rawKeyed: 0, inputChannel: 0, resultSubpartition: 0 };
}
