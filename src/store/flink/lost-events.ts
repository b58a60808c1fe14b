// What lies in bytes that Flink does not read, or that a repair gives up, as far as it can still be read: frames are found
// again behind what does not decode. Such events are lost to a recovery, but they happened. Reads only.
// Spec: docs/flink.md "Repair" and "Partitions that are gone although their worker lives".
import path from 'node:path';
import type { JobEvent } from '../../model/job-events.ts';
import type { SegmentInfo, StoreSummary } from '../../model/job-log.ts';
import type { SegmentBytes } from '../segment-bytes.ts';
import { openFileBytes } from './file-bytes.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { type FlinkFrame, frameType, walkFrames } from './frame-walk.ts';
import { hiddenFrameBehind } from './hidden-frames.ts';

/** The end of a file, or all of it. */
export interface LostBytes {
  readonly name: string;
  /** Of the file. */
  readonly size: number;
  /** Where they begin. */
  readonly from: number;
  /** Events of the store that stay and lie before them. */
  readonly after: number;
}

export interface LostEvent {
  readonly after: number;
  readonly event: JobEvent;
}

/** Bytes of a store that Flink's replay passes over; none where the replay fails. */
export function bytesPassedOver({ segments, findings }: StoreSummary): LostBytes[] {
  if (findings.some(({ flinkDoes }) => flinkDoes === 'deletes-store')) return [];
  const hidden = findings.find(({ code }) => code === 'SEGMENT_GAP')?.segment ?? null;
  const readable = hidden === null ? segments.length : segments.findIndex(({ name }) => name === hidden);
  return segments.flatMap(({ name, bytes, tornBytes }, index): LostBytes[] => {
    const from = index < readable ? bytes - tornBytes : 0;
    return from < bytes ? [{ name, size: bytes, from, after: eventsUpTo(segments, index) }] : [];
  });
}

/** Events in the first files up to this one. */
export function eventsUpTo(segments: readonly SegmentInfo[], index: number): number {
  return segments.slice(0, index + 1).reduce((sum, { events }) => sum + events, 0);
}

/** The readable events in these bytes. */
export async function* lostEvents(folder: string, lost: readonly LostBytes[]): AsyncGenerator<LostEvent> {
  for (const { name, size, from, after } of lost) {
    const source = await openFileBytes(path.join(folder, name), size);
    try {
      for await (const event of readableEvents(source, from)) yield { after, event };
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
