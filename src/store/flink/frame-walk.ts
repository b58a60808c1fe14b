// Walks the frames of one Flink file: `int32 type | int32 length | payload`, big endian, without magic or checksum. Reads
// in chunks; a frame's length is bounded by the bytes left in its file before memory is taken for it. Bad bytes end the
// walk with a reason, the same that ends Flink's own. Spec: docs/flink.md, "Frames".
import type { SegmentBytes } from '../segment-bytes.ts';

export const frameHeadBytes = 8;

/** Types that Flink has serializers for. 2.3 names a fourth (a vertex finished), but neither writes nor reads it. */
export const frameType = { vertexFinished: 1, vertexReset: 2, vertexInitialized: 3 } as const;

export interface FlinkFrame {
  readonly type: number;
  /** Of the head, in the file. */
  readonly offset: number;
  /** Valid until the walk is asked for the next batch. */
  readonly payload: Buffer;
  /** Of the payload: reads through it are several times cheaper than the Buffer's. */
  readonly view: DataView;
}

export type FrameStop =
  /** The file ends inside a frame. `length` is what the head declares; null where the head itself is cut. */
  | { readonly kind: 'cut'; readonly offset: number; readonly length: number | null }
  | { readonly kind: 'negative-length'; readonly offset: number; readonly length: number };

export interface FrameBatch {
  readonly frames: readonly FlinkFrame[];
  /** Why there is nothing behind these frames; null at the clean end, and while there is more. */
  readonly stop: FrameStop | null;
}

const chunkBytes = 512 * 1024;

/**
 * The whole frames of `source`, some at a time. While a batch is looked at the next bytes are read: `source` must keep
 * the bytes of its last two reads.
 */
export async function* walkFrames(source: SegmentBytes): AsyncGenerator<FrameBatch> {
  let reading: Promise<Buffer> | null = null;
  let wanted = chunkBytes;
  try {
    for (let offset = 0; offset < source.size; ) {
      const chunk: Buffer = await (reading ?? source.read(offset, wanted));
      const { frames, stop, next, need } = framesOf(chunk, offset, source.size);
      // A file that became shorter meanwhile gives no more bytes: the frame that began is cut.
      const isCut = stop === null && frames.length === 0 && chunk.length < Math.min(wanted, source.size - offset);
      wanted = Math.max(chunkBytes, need);
      reading = stop !== null || isCut ? null : source.read(next, wanted);
      if (isCut) yield { frames, stop: { kind: 'cut', offset, length: null } };
      else if (frames.length > 0 || stop !== null) yield { frames, stop };
      if (reading === null) return;
      offset = next;
    }
  } finally {
    // Whoever stopped early closes the source, which must not be read any more then.
    await reading?.catch(() => {});
  }
}

interface ChunkFrames extends FrameBatch {
  /** Where the first frame begins that is not whole in this chunk. */
  readonly next: number;
  /** Bytes that this frame takes. */
  readonly need: number;
}

function framesOf(chunk: Buffer, base: number, fileSize: number): ChunkFrames {
  const frames: FlinkFrame[] = [];
  let at = 0;
  for (;;) {
    const offset = base + at;
    const left = fileSize - offset;
    const found = { frames, next: offset };
    if (left === 0) return { ...found, stop: null, need: 0 };
    if (left < frameHeadBytes) return { ...found, stop: { kind: 'cut', offset, length: null }, need: left };
    if (chunk.length - at < frameHeadBytes) return { ...found, stop: null, need: frameHeadBytes };
    const length = chunk.readInt32BE(at + 4);
    if (length < 0) return { ...found, stop: { kind: 'negative-length', offset, length }, need: 0 };
    const bytes = frameHeadBytes + length;
    if (bytes > left) return { ...found, stop: { kind: 'cut', offset, length }, need: left };
    if (chunk.length - at < bytes) return { ...found, stop: null, need: bytes };
    frames.push(frameOf(chunk, at, offset, length));
    at += bytes;
  }
}

function frameOf(chunk: Buffer, at: number, offset: number, length: number): FlinkFrame {
  const start = chunk.byteOffset + at + frameHeadBytes;
  return {
    type: chunk.readInt32BE(at),
    offset,
    payload: Buffer.from(chunk.buffer, start, length),
    view: new DataView(chunk.buffer, start, length),
  };
}
