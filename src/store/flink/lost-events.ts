// What lies in the bytes that a repair gives up, as far as it can still be read: frames are found again behind what does
// not decode, so that the loss is counted in events and tasks and not only in bytes. Reads only.
// Spec: docs/flink.md "Repair".
import path from 'node:path';
import type { JobEvent } from '../../model/job-events.ts';
import type { SegmentBytes } from '../segment-bytes.ts';
import { openFileBytes } from './file-bytes.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { type FlinkFrame, frameType, walkFrames } from './frame-walk.ts';
import { hiddenFrameBehind } from './hidden-frames.ts';
import type { FileRepair } from './repair-plan.ts';

/** The readable events behind what each file keeps. */
export async function* lostEvents(folder: string, files: readonly FileRepair[]): AsyncGenerator<JobEvent> {
  for (const { name, size, keptBytes } of files) {
    const from = keptBytes ?? 0;
    if (from >= size) continue;
    const source = await openFileBytes(path.join(folder, name), size);
    try {
      yield* readableEvents(source, from);
    } finally {
      await source.close();
    }
  }
}

async function* readableEvents(source: SegmentBytes, from: number): AsyncGenerator<JobEvent> {
  const decoder = new FrameDecoder();
  for (let start: number | null = from; start !== null; ) {
    let next: number | null = null;
    for await (const { frames, stop } of walkFrames(behind(source, start))) {
      for (const frame of frames) {
        const event = eventIn(decoder, frame);
        if (event !== null) yield event;
      }
      if (stop !== null) next = await hiddenFrameBehind(source, start + stop.offset);
    }
    start = next;
  }
}

/** Of a frame whose type alone is damaged, too. */
function eventIn(decoder: FrameDecoder, frame: FlinkFrame): JobEvent | null {
  for (const type of [frame.type, frameType.vertexFinished, frameType.vertexInitialized]) {
    const decoded = decoder.decode({ ...frame, type });
    if (decoded.ok) return decoded.value;
  }
  return null;
}

/** The bytes of `source` from `start` on. */
function behind(source: SegmentBytes, start: number): SegmentBytes {
  return {
    size: source.size - start,
    read: (offset, length) => source.read(start + offset, length),
    close: () => source.close(),
  };
}
