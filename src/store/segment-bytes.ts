// Bounded reads of one segment's bytes, from a file or from memory, up to a length that is fixed when it is opened: a
// live store may grow while it is read, and two walks must see the same bytes.
import { open } from 'node:fs/promises';

export interface SegmentBytes {
  /** Bytes that this source gives, fixed. */
  readonly size: number;
  /** The bytes at `offset`, fewer than `length` only at the end. */
  read(offset: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** Large enough that gigabytes behind damage are a few thousand reads. */
export const windowBytes = 1024 * 1024;

export interface Window {
  readonly bytes: Buffer;
  /** Where they lie in the segment. */
  readonly base: number;
}

/** Windows over everything from `from` up to `to`; each repeats the last `overlap` bytes of the one before. */
export async function* windowsOver(
  source: SegmentBytes,
  { from, to, overlap }: { readonly from: number; readonly to: number; readonly overlap: number },
): AsyncGenerator<Window> {
  let base = from;
  while (base < to) {
    const bytes = await source.read(base, Math.min(windowBytes, to - base));
    if (bytes.length === 0) return;
    yield { bytes, base };
    if (base + bytes.length >= to) return;
    base += Math.max(1, bytes.length - overlap);
  }
}

export function segmentBytesOf(bytes: Buffer): SegmentBytes {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    close: async () => {},
  };
}

/** Gives memory for a read of so many bytes, or for more. */
export type BufferSource = (bytes: number) => Buffer;

/**
 * Opens the file read-only. A file that is shorter than `size` by now gives what there is. The bytes of a read are valid
 * until `buffers` gives their memory away again; by default it never does.
 */
export async function openSegmentBytes(
  path: string,
  size: number,
  buffers: BufferSource = Buffer.allocUnsafeSlow,
): Promise<SegmentBytes> {
  const file = await open(path, 'r');
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const buffer = buffers(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await file.read(buffer, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
    close: () => file.close(),
  };
}
