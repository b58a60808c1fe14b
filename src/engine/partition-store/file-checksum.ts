// Length and CRC-32 of a file, read in pieces: memory does not grow with the file.
import { open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

const pieceBytes = 1024 * 1024;

export interface FileChecksum {
  readonly bytes: number;
  readonly crc32: number;
}

/** Throws what the file system throws. */
export async function fileChecksum(path: string): Promise<FileChecksum> {
  const handle = await open(path, 'r');
  const piece = Buffer.allocUnsafe(pieceBytes);
  let checksum = 0;
  let bytes = 0;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, pieceBytes, null);
      if (bytesRead === 0) return { bytes, crc32: checksum };
      checksum = crc32(piece.subarray(0, bytesRead), checksum);
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}
