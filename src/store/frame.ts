// One frame: fixed head, payload, checksum seeded with its segment's header checksum; and the mark, the frame that says
// how much of the segment is on disk. Invariant: a length is bounded before anything is allocated or read for it.
// Spec: docs/format.md, "Grammar" and "Marks, and what they prove".
import { crc32 } from 'node:zlib';
import { readSafeInteger, writeSafeInteger } from './format.ts';

const crcAt = 0;
const lengthAt = crcAt + 4;
const typeAt = lengthAt + 4;
const flagsAt = typeAt + 1;
const vertexAt = flagsAt + 1;
const sequenceAt = vertexAt + 2;
const timeAt = sequenceAt + 8;
export const frameHeadBytes = timeAt + 8;

export const payloadBytesMax = 64 * 1024 * 1024;
export const markType = 0;
export const optionalFlag = 0x01;
export const sealFlag = 0x02;
export const noVertex = 0xffff;

export const markMagic = Buffer.from([0x8a, 0x6a, 0x6d, 0x61, 0x72, 0x6b, 0x0d, 0x0a]);
const markOffsetAt = markMagic.length;
const markSyncedAt = markOffsetAt + 8;
const markPayloadBytes = markSyncedAt + 8;
export const markBytes = frameHeadBytes + markPayloadBytes;

/** The fixed part of a frame whose length and checksum are good. */
export interface FrameHead {
  /** Whole frame, head included. */
  readonly bytes: number;
  readonly type: number;
  readonly flags: number;
  readonly vertex: number;
  readonly sequence: number;
  readonly timeMicros: number;
}

export interface FrameFields {
  readonly type: number;
  readonly flags: number;
  readonly vertex: number;
  readonly sequence: number;
  readonly timeMicros: number;
}

export type FrameVerdict =
  | { readonly kind: 'good'; readonly head: FrameHead }
  /** the bytes end before the frame does; `bytes` is what the frame claims to need */
  | { readonly kind: 'short'; readonly bytes: number }
  | { readonly kind: 'bad'; readonly code: 'BAD_LENGTH' | 'CHECKSUM_MISMATCH' };

/** Fills in a frame's head at `offset`; the payload already stands behind it. The checksum comes with `writeFrameCrc`. */
export function writeFrameHead(bytes: Buffer, offset: number, fields: FrameFields, payloadBytes: number): void {
  bytes.writeUInt32LE(payloadBytes, offset + lengthAt);
  bytes[offset + typeAt] = fields.type;
  bytes[offset + flagsAt] = fields.flags;
  bytes.writeUInt16LE(fields.vertex, offset + vertexAt);
  writeSafeInteger(bytes, fields.sequence, offset + sequenceAt);
  writeSafeInteger(bytes, fields.timeMicros, offset + timeAt);
}

/** Writes the checksum of the frame at `offset`, which is otherwise complete. Returns the frame's length. */
export function writeFrameCrc(bytes: Buffer, offset: number, seed: number): number {
  const end = offset + frameHeadBytes + bytes.readUInt32LE(offset + lengthAt);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + lengthAt, end), seed), offset + crcAt);
  return end - offset;
}

/** Checks the frame at `offset`; `bytes` may end in the middle of it. */
export function readFrame(bytes: Buffer, offset: number, seed: number): FrameVerdict {
  const available = bytes.length - offset;
  if (available < frameHeadBytes) return { kind: 'short', bytes: frameHeadBytes };
  const payloadBytes = bytes.readUInt32LE(offset + lengthAt);
  if (payloadBytes > payloadBytesMax) return { kind: 'bad', code: 'BAD_LENGTH' };
  const frameBytes = frameHeadBytes + payloadBytes;
  if (available < frameBytes) return { kind: 'short', bytes: frameBytes };
  const crc = crc32(bytes.subarray(offset + lengthAt, offset + frameBytes), seed);
  if (crc !== bytes.readUInt32LE(offset + crcAt)) return { kind: 'bad', code: 'CHECKSUM_MISMATCH' };
  return readHead(bytes, offset, frameBytes);
}

function readHead(bytes: Buffer, offset: number, frameBytes: number): FrameVerdict {
  const sequence = readSafeInteger(bytes, offset + sequenceAt);
  const timeMicros = readSafeInteger(bytes, offset + timeAt);
  if (sequence === null || timeMicros === null) return { kind: 'bad', code: 'CHECKSUM_MISMATCH' };
  const head: FrameHead = {
    bytes: frameBytes,
    type: bytes[offset + typeAt] as number,
    flags: bytes[offset + flagsAt] as number,
    vertex: bytes.readUInt16LE(offset + vertexAt),
    sequence,
    timeMicros,
  };
  return { kind: 'good', head };
}

export interface Mark {
  readonly ownOffset: number;
  readonly syncedLength: number;
  readonly seal: boolean;
}

export interface FoundMark extends Mark {
  /** Of the event that comes behind it. */
  readonly nextSequence: number;
}

/** A whole mark frame. `sequence` is the next event's. */
export function encodeMark(mark: Mark, sequence: number, timeMicros: number, seed: number): Buffer {
  const bytes = Buffer.alloc(markBytes);
  const flags = mark.seal ? sealFlag : 0;
  markMagic.copy(bytes, frameHeadBytes);
  writeSafeInteger(bytes, mark.ownOffset, frameHeadBytes + markOffsetAt);
  writeSafeInteger(bytes, mark.syncedLength, frameHeadBytes + markSyncedAt);
  writeFrameHead(bytes, 0, { type: markType, flags, vertex: noVertex, sequence, timeMicros }, markPayloadBytes);
  writeFrameCrc(bytes, 0, seed);
  return bytes;
}

/** The mark in the good frame `head` at `offset` of `bytes`, which lie at `base` of the segment; null if it is none. */
export function readMark(bytes: Buffer, offset: number, head: FrameHead, base: number): Mark | null {
  const payload = offset + frameHeadBytes;
  if (head.type !== markType || head.bytes !== markBytes || (head.flags & ~sealFlag) !== 0) return null;
  if (!bytes.subarray(payload, payload + markMagic.length).equals(markMagic)) return null;
  const ownOffset = readSafeInteger(bytes, payload + markOffsetAt);
  const syncedLength = readSafeInteger(bytes, payload + markSyncedAt);
  if (ownOffset !== base + offset || syncedLength === null || syncedLength > ownOffset) return null;
  return { ownOffset, syncedLength, seal: (head.flags & sealFlag) !== 0 };
}

/** The marks anywhere in `bytes`. For use behind damage. */
export function marksIn(bytes: Buffer, base: number, seed: number): FoundMark[] {
  const marks: FoundMark[] = [];
  for (let at = bytes.indexOf(markMagic); at !== -1; at = bytes.indexOf(markMagic, at + 1)) {
    const offset = at - frameHeadBytes;
    const verdict = offset < 0 ? null : readFrame(bytes, offset, seed);
    const mark = verdict?.kind === 'good' ? readMark(bytes, offset, verdict.head, base) : null;
    if (mark && verdict?.kind === 'good') marks.push({ ...mark, nextSequence: verdict.head.sequence });
  }
  return marks;
}
