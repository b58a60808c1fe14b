// `_metadata` of jobrec's own checkpoints and savepoints: what there is of state, by operator and subtask, and where.
// Bytes: magic, format version, length and checksum, then one msgpack value of positional arrays. Bad bytes are a value
// with a reason, never an exception; lengths are bounded before memory is taken. Spec: docs/streaming.md, "_metadata".
import { crc32 } from 'node:zlib';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { bytes, CellError, type Cells, count, list, listOfGroups, number, text } from '../../model/cells.ts';
import { messageOf } from '../../model/errors.ts';
import { encodeNumberList, numbers } from '../number-list.ts';
import { checkPayloadBounds } from '../payload-bounds.ts';

export const metadataName = '_metadata';
/** As a segment's, but for one letter: neither is taken for the other, nor by a tool that expects text. */
export const metadataMagic = Buffer.from([0x89, 0x4a, 0x4f, 0x42, 0x43, 0x48, 0x4b, 0x0a]);
export const metadataVersion = 1;
const headBytes = metadataMagic.length + 12;
/** More than this is no `_metadata`: inlined state is small. */
export const metadataBytesMax = 1024 * 1024 * 1024;

/** Where the bytes of a state are: here, or in a file of the checkpoint's folder. */
export type StateHandle =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly name: string; readonly length: number; readonly crc: number };

/** Keyed state: blocks of key groups, one behind the other in the handle's bytes. */
export interface KeyedStateHandle {
  readonly state: StateHandle;
  readonly blocks: readonly { readonly keyGroup: number; readonly length: number }[];
}

export interface SubtaskState {
  readonly subtask: number;
  readonly keyed: KeyedStateHandle | null;
  /** The operator's own state, encoded by the engine. */
  readonly operator: StateHandle | null;
}

export interface OperatorState {
  readonly operatorId: string;
  readonly uid: string;
  readonly name: string;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly subtasks: readonly SubtaskState[];
  /** What its state is (`stateShapeOf`); absent: it has none. */
  readonly shape?: string;
}

/** A staged part that the completion of this checkpoint makes part of a sink's output. */
export interface CommittedPart {
  readonly sink: string;
  readonly staged: string;
  readonly final: string;
  readonly rows: number;
  readonly bytes: number;
}

export interface CheckpointMetadata {
  readonly kind: 'checkpoint' | 'savepoint';
  readonly checkpointId: number;
  readonly jobId: string;
  readonly jobName: string;
  readonly epoch: number;
  /** When it was triggered, in milliseconds. */
  readonly timestampMs: number;
  readonly operators: readonly OperatorState[];
  readonly parts: readonly CommittedPart[];
  /** Rows of each sink since the job's state began, these parts included. */
  readonly sinkRows: readonly { readonly sink: string; readonly rows: number }[];
}

export type DecodedMetadata =
  | { readonly kind: 'metadata'; readonly metadata: CheckpointMetadata }
  | { readonly kind: 'version'; readonly formatVersion: number }
  | { readonly kind: 'damaged'; readonly reason: string };

export function encodeMetadata(metadata: CheckpointMetadata): Buffer {
  const body = new Encoder().encode(cellsOf(metadata));
  const head = Buffer.alloc(headBytes);
  metadataMagic.copy(head);
  head.writeUInt32BE(metadataVersion, metadataMagic.length);
  head.writeUInt32BE(body.length, metadataMagic.length + 4);
  head.writeUInt32BE(crc32(body), metadataMagic.length + 8);
  return Buffer.concat([head, body]);
}

/** Whether a file that begins with these bytes is jobrec's own `_metadata`. */
export function isOwnMetadata(start: Uint8Array): boolean {
  return metadataMagic.equals(start.subarray(0, metadataMagic.length));
}

export function decodeMetadata(file: Uint8Array): DecodedMetadata {
  const data = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (data.length < headBytes || !isOwnMetadata(data)) return damaged('it does not begin as a _metadata of jobrec');
  const formatVersion = data.readUInt32BE(metadataMagic.length);
  if (formatVersion !== metadataVersion) return { kind: 'version', formatVersion };
  const body = data.subarray(headBytes);
  const length = data.readUInt32BE(metadataMagic.length + 4);
  if (length !== body.length) return damaged(`it has ${body.length} bytes behind its head, which says ${length}`);
  if (crc32(body) !== data.readUInt32BE(metadataMagic.length + 8)) return damaged('its checksum is wrong');
  try {
    checkPayloadBounds(body);
    return { kind: 'metadata', metadata: metadataOf(list(new Decoder().decode(body))) };
  } catch (error) {
    return damaged(messageOf(error));
  }
}

function damaged(reason: string): DecodedMetadata {
  return { kind: 'damaged', reason };
}

function cellsOf(metadata: CheckpointMetadata): unknown[] {
  const { kind, checkpointId, jobId, jobName, epoch, timestampMs, operators, parts, sinkRows } = metadata;
  return [
    [kind, checkpointId, jobId, jobName, epoch, timestampMs],
    operators.map((operator) => [
      operator.operatorId,
      operator.uid,
      operator.name,
      operator.parallelism,
      operator.maxParallelism,
      operator.subtasks.map(({ subtask, keyed, operator: own }) => [
        subtask,
        keyed && [
          handleCells(keyed.state),
          encodeNumberList(keyed.blocks.flatMap(({ keyGroup, length }) => [keyGroup, length])),
        ],
        own && handleCells(own),
      ]),
      ...(operator.shape === undefined ? [] : [operator.shape]),
    ]),
    parts.flatMap((part) => [part.sink, part.staged, part.final, part.rows, part.bytes]),
    sinkRows.flatMap(({ sink, rows }) => [sink, rows]),
  ];
}

function handleCells(handle: StateHandle): unknown[] {
  return handle.kind === 'inline' ? [handle.bytes] : [handle.name, handle.length, handle.crc];
}

function metadataOf(cells: Cells): CheckpointMetadata {
  const [kind, checkpointId, jobId, jobName, epoch, timestampMs] = list(cells[0]);
  if (kind !== 'checkpoint' && kind !== 'savepoint') throw new CellError('it is neither a checkpoint nor a savepoint');
  return {
    kind,
    checkpointId: count(checkpointId),
    jobId: text(jobId),
    jobName: text(jobName),
    epoch: count(epoch),
    timestampMs: number(timestampMs),
    operators: list(cells[1]).map((operator) => operatorOf(list(operator))),
    parts: groups(cells[2], 5).map(([sink, staged, final, rows, size]) => ({
      sink: text(sink),
      staged: text(staged),
      final: text(final),
      rows: count(rows),
      bytes: count(size),
    })),
    sinkRows: groups(cells[3], 2).map(([sink, rows]) => ({ sink: text(sink), rows: count(rows) })),
  };
}

function operatorOf([operatorId, uid, name, parallelism, maxParallelism, subtasks, shape]: Cells): OperatorState {
  return {
    operatorId: text(operatorId),
    uid: text(uid),
    name: text(name),
    parallelism: count(parallelism),
    maxParallelism: count(maxParallelism),
    subtasks: list(subtasks).map((cells) => {
      const [subtask, keyed, own] = list(cells);
      return {
        subtask: count(subtask),
        keyed: keyed === null ? null : keyedOf(list(keyed)),
        operator: own === null ? null : handleOf(list(own)),
      };
    }),
    ...(shape === undefined ? {} : { shape: text(shape) }),
  };
}

function keyedOf([state, blocks]: Cells): KeyedStateHandle {
  const handle = handleOf(list(state));
  const flat = numbers(blocks);
  const pairs = groups(flat, 2).map(([keyGroup, length]) => ({ keyGroup: count(keyGroup), length: count(length) }));
  const total = pairs.reduce((sum, { length }) => sum + length, 0);
  if (total !== stateBytesOf(handle)) throw new CellError('the key groups are not as long as their state');
  return { state: handle, blocks: pairs };
}

function handleOf(cells: Cells): StateHandle {
  if (cells.length === 1) return { kind: 'inline', bytes: new Uint8Array(bytes(cells[0])) };
  const name = text(cells[0]);
  // It is joined to a folder: nothing outside of it may be named.
  if (!/^[\w-][\w.-]*$/.test(name)) throw new CellError(`${JSON.stringify(name)} is no name of a state file`);
  return { kind: 'file', name, length: count(cells[1]), crc: count(cells[2]) };
}

function groups(cell: unknown, size: number): Cells[] {
  const cells = listOfGroups(cell, size);
  return Array.from({ length: cells.length / size }, (_, index) => cells.slice(index * size, (index + 1) * size));
}

/** Bytes of one state. */
export function stateBytesOf(handle: StateHandle): number {
  return handle.kind === 'inline' ? handle.bytes.length : handle.length;
}
