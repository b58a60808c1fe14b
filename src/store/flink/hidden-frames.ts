// Whether whole events lie behind a frame that does not end within its file. A write that never ended leaves a part of one
// frame and nothing behind it; a damaged length hides all the frames behind it, and Flink never misses them.
import type { SegmentBytes } from '../segment-bytes.ts';
import { frameHeadBytes, frameType } from './frame-walk.ts';

/** How far behind the cut a next frame is looked for: more than any event takes that was seen (coordinator state apart). */
const windowBytes = 1024 * 1024;
/** Frames in a row, to the end of the window or of the file, that are no coincidence. */
const framesNeeded = 1;

/** Offset of the first whole frame behind `offset`; null where there is none. */
export async function hiddenFrameBehind(source: SegmentBytes, offset: number): Promise<number | null> {
  const bytes = await source.read(offset, windowBytes);
  for (let at = 1; at + frameHeadBytes < bytes.length; at++) {
    if (bytes[at] === 0 && countFrames(bytes, at) >= framesNeeded) return offset + at;
  }
  return null;
}

function countFrames(bytes: Buffer, start: number): number {
  let frames = 0;
  let at = start;
  while (at + frameHeadBytes <= bytes.length && frames < framesNeeded) {
    const type = bytes.readInt32BE(at);
    const length = bytes.readInt32BE(at + 4);
    const streamAt = at + frameHeadBytes + (type === frameType.vertexFinished ? 4 : 0);
    if (!isFrameType(type) || length <= 0 || at + frameHeadBytes + length > bytes.length) break;
    if (streamAt + 5 > bytes.length || bytes.readUInt32BE(streamAt) !== streamStart || bytes[streamAt + 4] !== 0x73)
      break;
    frames += 1;
    at += frameHeadBytes + length;
  }
  return frames;
}

/** Magic and version of a Java stream; an object follows. */
const streamStart = 0xaced0005;

function isFrameType(type: number): boolean {
  return type >= frameType.vertexFinished && type <= frameType.vertexInitialized;
}
