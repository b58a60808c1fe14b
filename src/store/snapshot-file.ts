// One snapshot file: a header like a segment's, the submission, the parts of the graph, and a sealing mark. Invariants: a
// snapshot gets its name only when it is whole and on disk; a reader takes it for whole only if every frame and the seal
// check out, before anything of it counts. Spec: docs/format.md, "Snapshots".
import path from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { Decoder, Encoder } from '@msgpack/msgpack';
import { list } from '../model/cells.ts';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { JobSubmitted } from '../model/job-events.ts';
import type { SnapshotPart } from '../model/job-log.ts';
import { EventDecoder } from './event-decoder.ts';
import { EventEncoder } from './event-encoder.ts';
import {
  encodeHeader,
  headerBytes,
  type SegmentHeader,
  type SegmentKey,
  snapshotMagic,
  snapshotName,
} from './format.ts';
import {
  encodeMark,
  frameHeadBytes,
  markBytes,
  noVertex,
  payloadBytesMax,
  writeFrameCrc,
  writeFrameHead,
} from './frame.ts';
import type { ManifestSnapshot } from './manifest.ts';
import { checkPayloadBounds } from './payload-bounds.ts';
import { openSegmentBytes, type SegmentBytes } from './segment-bytes.ts';
import { type WalkedFrame, walkSegment } from './segment-reader.ts';
import { type StorageFile, type StoragePort, writeWhole } from './storage-port.ts';

const submissionType = 1;
const packType = 2;
/** A pack is closed when its parts take this much, before they are deflated. */
const packBytes = 256 * 1024;
const packPartsMax = 0xffff;

/** Where in the log a snapshot stands: right behind an event, in the segment that holds it. */
export interface SnapshotPosition {
  readonly segment: SegmentKey;
  /** Byte position behind the last event that it holds. */
  readonly offset: number;
  readonly sequence: number;
  readonly timeMicros: number;
}

export interface SnapshotContent {
  readonly submitted: JobSubmitted;
  readonly parts: Iterable<SnapshotPart>;
}

export interface SnapshotWriteOptions {
  readonly folder: string;
  readonly jobId: string;
  /** Of the writer. */
  readonly epoch: number;
  readonly createdMicros: number;
  readonly storage: StoragePort;
  /** A name in `folder` that readers ignore. */
  readonly temporary: string;
}

/** Writes a snapshot and gives it its name, both durable. An error leaves no file behind, as far as the disk lets it. */
export async function writeSnapshot(
  options: SnapshotWriteOptions,
  position: SnapshotPosition,
  content: SnapshotContent,
): Promise<ManifestSnapshot> {
  const { folder, epoch, storage, temporary } = options;
  const key = { baseSequence: position.sequence + 1, epoch };
  const name = snapshotName(key);
  const file = await storage.createFile(temporary);
  try {
    const bytes = await writeContent(file, headerOf(options, position), position, content);
    await file.datasync();
    await storage.rename(temporary, path.join(folder, name));
    await storage.syncFolder(folder);
    return { name, ...key, bytes };
  } catch (error) {
    await storage.remove(temporary).catch(() => {});
    throw error;
  } finally {
    await file.close().catch(() => {});
  }
}

/** How large the file of a snapshot would be. */
export function snapshotBytes({ submitted, parts }: SnapshotContent): number {
  let bytes = headerBytes + frameHeadBytes + new EventEncoder().encode(submitted).payload.length + markBytes;
  for (const pack of packsOf(parts)) bytes += frameHeadBytes + pack.length;
  return bytes;
}

/** Parts, packed into payloads. */
function* packsOf(parts: Iterable<SnapshotPart>): Generator<Uint8Array> {
  const encoder = new Encoder({ ignoreUndefined: true });
  let encoded: Uint8Array[] = [];
  let bytes = 0;
  for (const part of parts) {
    encoded.push(encoder.encode(part));
    bytes += encoded.at(-1)?.length ?? 0;
    if (bytes < packBytes && encoded.length < packPartsMax) continue;
    yield packOf(encoded);
    encoded = [];
    bytes = 0;
  }
  if (encoded.length > 0) yield packOf(encoded);
}

/** One msgpack array of the parts, deflated: ids and key names repeat. */
function packOf(encoded: readonly Uint8Array[]): Uint8Array {
  const head = Buffer.from([0xdc, encoded.length >> 8, encoded.length & 0xff]);
  const bytes = Buffer.concat([head, ...encoded]);
  if (bytes.length > payloadBytesMax) throw tooLarge(bytes.length);
  return deflateRawSync(bytes, { level: 3 });
}

function headerOf({ jobId, epoch, createdMicros }: SnapshotWriteOptions, position: SnapshotPosition): Buffer {
  const { segment, offset, sequence } = position;
  const previous = { ...segment, length: offset };
  return encodeHeader({ jobId, epoch, createdMicros, baseSequence: sequence + 1, previous }, snapshotMagic);
}

async function writeContent(
  file: StorageFile,
  header: Buffer,
  { timeMicros }: SnapshotPosition,
  { submitted, parts }: SnapshotContent,
): Promise<number> {
  const output = new FrameOutput(file, header.readUInt32LE(headerBytes - 4), timeMicros);
  await output.write(header);
  await output.frame(submissionType, new EventEncoder().encode(submitted).payload);
  for (const pack of packsOf(parts)) await output.frame(packType, pack);
  await output.seal();
  return output.length;
}

/** Frames one behind the other, in writes of a decent size. */
class FrameOutput {
  readonly #file: StorageFile;
  readonly #seed: number;
  readonly #timeMicros: number;
  #frames = 0;
  length = 0;

  constructor(file: StorageFile, seed: number, timeMicros: number) {
    this.#file = file;
    this.#seed = seed;
    this.#timeMicros = timeMicros;
  }

  async frame(type: number, payload: Uint8Array): Promise<void> {
    const bytes = Buffer.allocUnsafe(frameHeadBytes + payload.length);
    bytes.set(payload, frameHeadBytes);
    const fields = { type, flags: 0, vertex: noVertex, sequence: this.#frames++, timeMicros: this.#timeMicros };
    writeFrameHead(bytes, 0, fields, payload.length);
    writeFrameCrc(bytes, 0, this.#seed);
    await this.write(bytes);
  }

  seal(): Promise<void> {
    const mark = { ownOffset: this.length, syncedLength: this.length, seal: true };
    return this.write(encodeMark(mark, this.#frames, this.#timeMicros, this.#seed));
  }

  async write(bytes: Buffer): Promise<void> {
    await writeWhole(this.#file, bytes, this.length);
    this.length += bytes.length;
  }
}

function tooLarge(bytes: number): JobrecError {
  const message = `a part of a snapshot of ${bytes} bytes is larger than the ${payloadBytesMax} that a frame takes`;
  return new JobrecError('INVALID_ARGUMENT', message, { data: { bytes, bytesMax: payloadBytesMax } });
}

/** What a check of every byte has found in a snapshot whose header is good. */
export type SnapshotVerdict =
  | { readonly kind: 'whole'; readonly submitted: JobSubmitted; readonly timeMicros: number }
  | { readonly kind: 'damaged'; readonly offset: number; readonly reason: string }
  | { readonly kind: 'gone' };

export interface SnapshotSource {
  /** Path of the file. */
  readonly file: string;
  readonly size: number;
  readonly header: SegmentHeader;
}

/** Checks every byte of the file. */
export async function checkSnapshot(source: SnapshotSource): Promise<SnapshotVerdict> {
  let first: WalkedFrame | null = null;
  let submitted: JobSubmitted | string | null = null;
  const bytes = await openUnlessGone(source);
  if (bytes === null) return { kind: 'gone' };
  try {
    const walk = framesOf(bytes, source);
    let step = await walk.next();
    for (; !step.done; step = await walk.next()) {
      if (first !== null) continue;
      first = step.value[0] as WalkedFrame;
      submitted = submissionOf(first);
    }
    const { offset, stop, sealed } = step.value;
    if (stop !== null || !sealed) return { kind: 'damaged', offset, reason: 'a checksum or a length does not match' };
    if (first === null || submitted === null) return { kind: 'damaged', offset, reason: 'it is empty' };
    if (typeof submitted === 'string') return { kind: 'damaged', offset: headerBytes, reason: submitted };
    return { kind: 'whole', submitted, timeMicros: first.head.timeMicros };
  } finally {
    await bytes.close();
  }
}

/** The parts of a snapshot that was found whole; none where it is gone. Errors: STORE_UNREADABLE where it has changed. */
export async function* partsOf(source: SnapshotSource): AsyncGenerator<SnapshotPart> {
  const decoder = new Decoder();
  const bytes = await openUnlessGone(source);
  if (bytes === null) return;
  try {
    const walk = framesOf(bytes, source);
    let step = await walk.next();
    for (; !step.done; step = await walk.next()) {
      for (const frame of step.value) if (frame.head.type === packType) yield* decodePack(decoder, frame.payload);
    }
    if (step.value.stop !== null) throw changed(source.file);
  } finally {
    await bytes.close();
  }
}

/** null: a live writer has newer ones, and has removed it. */
function openUnlessGone({ file, size }: SnapshotSource): Promise<SegmentBytes | null> {
  return openSegmentBytes(file, size).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** A pack that does not decode is one part without cells: replay says that it is not the part of a graph. */
function decodePack(decoder: Decoder, payload: Buffer): SnapshotPart[] {
  try {
    const bytes = inflateRawSync(payload, { maxOutputLength: payloadBytesMax });
    checkPayloadBounds(bytes);
    return list(decoder.decode(bytes)).map(list) as SnapshotPart[];
  } catch {
    return [[]];
  }
}

/** Frames are numbered from 0 and fill the file. */
function framesOf(bytes: SegmentBytes, { size, header }: SnapshotSource) {
  return walkSegment(bytes, { ...header, baseSequence: 0 }, { wholeUpTo: size, nextBase: null });
}

function submissionOf({ head, payload }: WalkedFrame): JobSubmitted | string {
  if (head.type !== submissionType) return 'it does not begin with a submission';
  const decoded = new EventDecoder().decode(head.type, head.vertex, payload);
  if (decoded.kind === 'event' && decoded.event.type === 'job-submitted') return decoded.event;
  return decoded.kind === 'invalid' ? messageOf(decoded.reason) : 'it does not begin with a submission';
}

function changed(file: string): JobrecError {
  return new JobrecError('STORE_UNREADABLE', `${file} changed while it was read`, { data: { path: file } });
}
