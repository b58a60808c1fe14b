// The checksum of a state file, read in chunks: such a file may be larger than memory. Spec: docs/checkpoints.md, "validate".
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';

export type ChecksumRead =
  | { readonly kind: 'checksum'; readonly crc: number }
  | { readonly kind: 'unreadable'; readonly reason: string };

/** CRC-32 of a regular file's bytes. */
export async function checksumOf(file: string): Promise<ChecksumRead> {
  let crc = 0;
  try {
    for await (const chunk of createReadStream(file)) crc = crc32(chunk as Buffer, crc);
    return { kind: 'checksum', crc };
  } catch (error) {
    return { kind: 'unreadable', reason: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}
