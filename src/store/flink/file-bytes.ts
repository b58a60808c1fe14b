// Bounded reads of one file into two buffers that are used by turns: a walk over hundreds of megabytes would otherwise
// spend its time on fresh memory. The bytes of a read are valid until the one after the next.
import { type BufferSource, openSegmentBytes, type SegmentBytes } from '../segment-bytes.ts';

/** Opens the file read-only, up to the length `size`: a live store may grow while it is read. */
export function openFileBytes(path: string, size: number): Promise<SegmentBytes> {
  return openSegmentBytes(path, size, twoBuffers());
}

function twoBuffers(): BufferSource {
  let buffers: [next: Buffer, last: Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  return (bytes) => {
    const [spare, last] = buffers;
    const buffer = spare.length < bytes ? Buffer.allocUnsafeSlow(bytes) : spare;
    buffers = [last, buffer];
    return buffer;
  };
}
