// Reads the state of one stream from its file, whole: for state that is small by nature, such as a source's offsets.
// Answers with a reason where it cannot. Spec: docs/checkpoints.md, "Kafka offsets".
import { open } from 'node:fs/promises';
import type { StateReader } from '../../model/checkpoint.ts';
import { type PathMap, placeOf, relativePlace } from './state-places.ts';

const stateBytesMax = 64 * 1024 * 1024;

/** `folder`: the one of the metadata, which relative names count from. */
export function stateReaderOf(folder: string, maps: readonly PathMap[]): StateReader {
  return async (stream) => {
    if (stream.path === null) return 'the state is nowhere';
    const place = stream.place === 'relative-file' ? relativePlace(folder, stream.path) : placeOf(stream.path, maps);
    if (place.kind === 'remote') return `the state lies at ${place.root}`;
    if (stream.size < 0n || stream.size > stateBytesMax) return `the state has ${stream.size} bytes`;
    return readRange(place.file, stream.start, Number(stream.size));
  };
}

async function readRange(file: string, start: bigint, length: number): Promise<Buffer | string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size, isRegular } = await handle
        .stat({ bigint: true })
        .then((s) => ({ size: s.size, isRegular: s.isFile() }));
      if (!isRegular || size < start + BigInt(length)) return `the state file is no whole file: ${file}`;
      const bytes = Buffer.alloc(length);
      await handle.read(bytes, 0, length, Number(start));
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return `the state file cannot be read (${(error as NodeJS.ErrnoException).code}): ${file}`;
  }
}
