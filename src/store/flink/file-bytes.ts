// Bounded reads of one file into two buffers that are used by turns: a walk over hundreds of megabytes would otherwise
// spend its time on fresh memory. The bytes of a read are valid until the one after the next.
import { open } from 'node:fs/promises';
import type { SegmentBytes } from '../segment-bytes.ts';

/** Opens the file read-only, up to the length `size`: a live store may grow while it is read. */
export async function openFileBytes(path: string, size: number): Promise<SegmentBytes> {
  const file = await open(path, 'r');
  let buffers: [next: Buffer, last: Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const [spare, last] = buffers;
      const buffer = spare.length < wanted ? Buffer.allocUnsafeSlow(wanted) : spare;
      buffers = [last, buffer];
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
