// `-`: stdin instead of a file, for every flag and argument that names one. It can be read once, so that one of them at most
// can be it. Each reader refuses what is too large in its own words.
import { JobrecError } from '../model/errors.ts';

export const standardInput = '-';

/** How errors call what came from it. */
export const standardInputName = 'stdin';

/** All of stdin; null: it is larger than `bytesMax`. Errors: INVALID_ARGUMENT, it has been read before. */
export async function readStandardInput(bytesMax: number): Promise<Buffer | null> {
  if (process.stdin.readableEnded || process.stdin.destroyed)
    throw new JobrecError('INVALID_ARGUMENT', '- (stdin) is named twice, and can be read once only');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    const buffer = Buffer.from(chunk as Uint8Array);
    bytes += buffer.length;
    if (bytes > bytesMax) return null;
    chunks.push(buffer);
  }
  return Buffer.concat(chunks, bytes);
}
