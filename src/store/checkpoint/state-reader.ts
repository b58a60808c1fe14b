// Reads the state of one stream from its file, whole: for state that is small by nature, such as a source's offsets.
// Answers with a reason where it cannot. Spec: docs/checkpoints.md, "Kafka offsets".
import type { StateReader } from '../../model/checkpoint.ts';
import { openSegmentBytes } from '../segment-bytes.ts';
import { lookAtFile, type PathMap, placeOf, relativePlace } from './state-places.ts';

/** Why there are no bytes where no reader was asked for. */
export const stateFileUnread = 'the state lies in a file; --state-files reads it';

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
  const look = await lookAtFile(file);
  if (look.kind === 'missing') return `the state file is missing: ${file}`;
  if (look.kind === 'unreadable') return `the state file cannot be read (${look.reason}): ${file}`;
  const end = Number(start) + length;
  if (look.bytes < end) return `the state file is no whole file: ${file}`;
  try {
    const source = await openSegmentBytes(file, end);
    const bytes = await source.read(Number(start), length).finally(() => source.close());
    return bytes.length === length ? bytes : `the state file is no whole file: ${file}`;
  } catch (error) {
    return `the state file cannot be read (${(error as NodeJS.ErrnoException).code}): ${file}`;
  }
}
