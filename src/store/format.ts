// Constants and the segment header of format 1, and the names of segment files. Offsets are derived from one another,
// so that the byte table of docs/format.md can be checked against them. Invariant: a header that decodes has the
// checksum of its bytes, and its 64-bit numbers are safe integers.
import { crc32 } from 'node:zlib';

export const formatVersion = 1;
export const segmentMagic = Buffer.from([0x89, 0x4a, 0x4f, 0x42, 0x52, 0x45, 0x43, 0x0a]);
export const snapshotMagic = Buffer.from([0x89, 0x4a, 0x4f, 0x42, 0x53, 0x4e, 0x50, 0x0a]);
export const manifestName = 'MANIFEST';
/** Files under construction: ignored by readers, removed by the next writer. */
export const temporaryPrefix = '.tmp-';

const versionAt = segmentMagic.length;
const epochAt = versionAt + 4;
const jobIdAt = epochAt + 4;
const baseAt = jobIdAt + 16;
const createdAt = baseAt + 8;
const previousBaseAt = createdAt + 8;
const previousLengthAt = previousBaseAt + 8;
const previousEpochAt = previousLengthAt + 8;
const reservedAt = previousEpochAt + 4;
const headerCrcAt = reservedAt + 8;
export const headerBytes = headerCrcAt + 4;

/** The segment before: where it is, and the length at which the writer of the next one found it. */
export interface PreviousCut {
  readonly baseSequence: number;
  readonly epoch: number;
  readonly length: number;
}

export interface SegmentHeader {
  readonly formatVersion: number;
  readonly jobId: string;
  readonly epoch: number;
  readonly baseSequence: number;
  readonly createdMicros: number;
  /** null in the first segment of a store. */
  readonly previous: PreviousCut | null;
  /** Checksum of the header; seeds the checksum of every frame of the segment. */
  readonly crc: number;
}

export type HeaderVerdict =
  | { readonly kind: 'good'; readonly header: SegmentHeader }
  /** a whole header of a version that this reader does not know */
  | { readonly kind: 'version'; readonly formatVersion: number }
  | { readonly kind: 'bad'; readonly reason: 'short' | 'magic' | 'checksum' | 'value' };

export interface SegmentKey {
  readonly baseSequence: number;
  readonly epoch: number;
}

const namePattern = /^(\d{20})-(\d{10})\.(seg|snap)$/;

export function segmentName(key: SegmentKey): string {
  return `${keyText(key)}.seg`;
}

/** A snapshot is named by the first event that it does not hold, and by the epoch of its writer. */
export function snapshotName(key: SegmentKey): string {
  return `${keyText(key)}.snap`;
}

function keyText({ baseSequence, epoch }: SegmentKey): string {
  return `${String(baseSequence).padStart(20, '0')}-${String(epoch).padStart(10, '0')}`;
}

/** What a segment's name says; null where it is not the name of a segment. */
export function parseSegmentName(name: string): SegmentKey | null {
  return parseName(name, 'seg');
}

/** What a snapshot's name says; null where it is not the name of a snapshot. */
export function parseSnapshotName(name: string): SegmentKey | null {
  return parseName(name, 'snap');
}

function parseName(name: string, kind: 'seg' | 'snap'): SegmentKey | null {
  const match = namePattern.exec(name);
  if (match?.[3] !== kind) return null;
  const key = { baseSequence: Number(match[1]), epoch: Number(match[2]) };
  return Number.isSafeInteger(key.baseSequence) && key.epoch >= 1 && key.epoch <= 0xffffffff ? key : null;
}

/** The header of a segment, or with its magic that of a snapshot. */
export function encodeHeader(
  header: Omit<SegmentHeader, 'crc' | 'formatVersion'>,
  magic: Buffer = segmentMagic,
): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatVersion, versionAt);
  bytes.writeUInt32LE(header.epoch, epochAt);
  bytes.write(header.jobId, jobIdAt, 16, 'hex');
  writeSafeInteger(bytes, header.baseSequence, baseAt);
  writeSafeInteger(bytes, header.createdMicros, createdAt);
  writeSafeInteger(bytes, header.previous?.baseSequence ?? 0, previousBaseAt);
  writeSafeInteger(bytes, header.previous?.length ?? 0, previousLengthAt);
  bytes.writeUInt32LE(header.previous?.epoch ?? 0, previousEpochAt);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, headerCrcAt)), headerCrcAt);
  return bytes;
}

/** Reads a header; every flaw is a value. The checksum comes before the version, so that a flipped bit is damage. */
export function decodeHeader(bytes: Buffer, magic: Buffer = segmentMagic): HeaderVerdict {
  if (bytes.length < headerBytes) return { kind: 'bad', reason: 'short' };
  if (!bytes.subarray(0, magic.length).equals(magic)) return { kind: 'bad', reason: 'magic' };
  const crc = bytes.readUInt32LE(headerCrcAt);
  if (crc32(bytes.subarray(0, headerCrcAt)) !== crc) return { kind: 'bad', reason: 'checksum' };
  const version = bytes.readUInt32LE(versionAt);
  if (version !== formatVersion) return { kind: 'version', formatVersion: version };
  const header = readFields(bytes, crc);
  return header ? { kind: 'good', header } : { kind: 'bad', reason: 'value' };
}

function readFields(bytes: Buffer, crc: number): SegmentHeader | null {
  const baseSequence = readSafeInteger(bytes, baseAt);
  const createdMicros = readSafeInteger(bytes, createdAt);
  const previousBase = readSafeInteger(bytes, previousBaseAt);
  const length = readSafeInteger(bytes, previousLengthAt);
  const epoch = bytes.readUInt32LE(epochAt);
  if (baseSequence === null || createdMicros === null || previousBase === null || length === null) return null;
  if (baseSequence < 0 || epoch === 0 || (length !== 0 && length < headerBytes)) return null;
  return {
    formatVersion,
    jobId: bytes.toString('hex', jobIdAt, jobIdAt + 16),
    epoch,
    baseSequence,
    createdMicros,
    previous: length === 0 ? null : { baseSequence: previousBase, epoch: bytes.readUInt32LE(previousEpochAt), length },
    crc,
  };
}

/** Writes a safe integer as a little-endian 64-bit number (two's complement). */
export function writeSafeInteger(bytes: Buffer, value: number, offset: number): void {
  const high = Math.floor(value / 0x100000000);
  bytes.writeUInt32LE(value - high * 0x100000000, offset);
  bytes.writeInt32LE(high, offset + 4);
}

/** The 64-bit number at `offset`, or null if it is not a safe integer. */
export function readSafeInteger(bytes: Buffer, offset: number): number | null {
  const value = bytes.readInt32LE(offset + 4) * 0x100000000 + bytes.readUInt32LE(offset);
  return Number.isSafeInteger(value) ? value : null;
}
