// A large Flink store out of real frames: the frames of a captured store again and again, each finish as another task of
// another vertex with other numbers, a file a vertex, as Flink cuts them.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FinishedPlaces, locateFinished, placeOfFact } from '../src/store/flink/finished-event.ts';
import { idPlace, objectIn, placeIn } from '../src/store/flink/flink-fields.ts';
import { type FlinkFrame, frameHeadBytes, frameType, walkFrames } from '../src/store/flink/frame-walk.ts';
import { JavaObject, parseJavaStream } from '../src/store/flink/java-stream.ts';
import { segmentBytesOf } from '../src/store/segment-bytes.ts';

export interface GeneratedStore {
  readonly events: number;
  readonly bytes: number;
  readonly finishes: number;
}

/** Writes at least `bytesMin` bytes, `tasks` finishes a vertex, below `folder`. */
export async function writeLargeStore(
  capture: string,
  folder: string,
  bytesMin: number,
  tasks: number,
): Promise<GeneratedStore> {
  const { finishes, initialized } = await realFrames(capture);
  let bytes = 0;
  let events = 0;
  let vertex = 0;
  for (; bytes < bytesMin; vertex++) {
    const frames = [initializedFrame(initialized, vertex, tasks)];
    for (let subtask = 0; subtask < tasks; subtask++) {
      const template = finishes[(vertex + subtask) % finishes.length] as FinishTemplate;
      frames.push(finishedFrame(template, vertex, subtask));
    }
    bytes += await writeFrames(join(folder, `events.${vertex}`), frames);
    events += frames.length;
  }
  return { events, bytes, finishes: events - vertex };
}

interface FinishTemplate {
  readonly frame: Buffer;
  readonly places: FinishedPlaces;
}

interface RealFrames {
  readonly finishes: readonly FinishTemplate[];
  readonly initialized: Buffer;
}

async function realFrames(capture: string): Promise<RealFrames> {
  const finishes: FinishTemplate[] = [];
  let initialized: Buffer | null = null;
  for (const name of (await readdir(capture)).sort()) {
    const bytes = await readFile(join(capture, name));
    for await (const { frames } of walkFrames(segmentBytesOf(bytes))) {
      for (const frame of frames) {
        if (frame.type === frameType.vertexFinished) finishes.push(finishTemplate(bytes, frame));
        else if (frame.type === frameType.vertexInitialized) initialized ??= wholeFrame(bytes, frame);
      }
    }
  }
  if (initialized === null || finishes.length === 0) throw new Error(`${capture} holds no usable frames`);
  return { finishes, initialized };
}

function wholeFrame(bytes: Buffer, { offset, payload }: FlinkFrame): Buffer {
  return bytes.subarray(offset, offset + frameHeadBytes + payload.length);
}

/** Places count from the Java stream, which begins behind the head and the length of the first part. */
const finishStreamAt = frameHeadBytes + 4;

function finishTemplate(bytes: Buffer, frame: FlinkFrame): FinishTemplate {
  const whole = wholeFrame(bytes, frame);
  return { frame: whole, places: locateFinished(objectAt(whole, finishStreamAt)) };
}

function objectAt(frame: Buffer, at: number): JavaObject {
  const parsed = parseJavaStream(frame.subarray(at));
  if (!parsed.ok || !(parsed.value instanceof JavaObject)) throw new Error('a captured frame does not parse');
  return parsed.value;
}

function finishedFrame({ frame, places }: FinishTemplate, vertex: number, subtask: number): Buffer {
  const copy = Buffer.from(frame);
  const stream = copy.subarray(finishStreamAt);
  writeVertexId(stream, placeOfFact(places, 'vertexId'), vertex);
  stream.writeInt32BE(subtask, placeOfFact(places, 'subtask'));
  stream.writeBigInt64BE(BigInt(vertex * 1000 + subtask), placeOfFact(places, 'recordsOut'));
  stream.writeBigInt64BE(BigInt(subtask * 17), placeOfFact(places, 'bytesOut'));
  stream.writeDoubleBE(subtask / 4, placeOfFact(places, 'busyTime'));
  return copy;
}

function initializedFrame(frame: Buffer, vertex: number, tasks: number): Buffer {
  const copy = Buffer.from(frame);
  const event = objectAt(copy, frameHeadBytes);
  const stream = copy.subarray(frameHeadBytes);
  stream.writeInt32BE(tasks, placeIn(event, 'parallelism', 'I'));
  writeVertexId(
    stream,
    idPlace(objectIn(event, 'jobVertexId', 'org.apache.flink.runtime.jobgraph.JobVertexID')),
    vertex,
  );
  return copy;
}

/** All 16 bytes: the captured frames are of several vertices. */
function writeVertexId(stream: Buffer, at: number, vertex: number): void {
  stream.fill(0, at, at + 16).writeUInt32BE(vertex, at);
}

async function writeFrames(file: string, frames: readonly Buffer[]): Promise<number> {
  const bytes = Buffer.concat(frames);
  await writeFile(file, bytes);
  return bytes.length;
}
