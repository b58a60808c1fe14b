// One frame as one job event. A finished event's frame has three parts, each behind its length: the event, the state of
// coordinators, the ShuffleMaster's snapshot; the others are one Java object. What cannot be decoded is a value.
// Spec: docs/flink.md, "Frames" and "The events".
import type { FlinkSnapshot, JobEvent } from '../../model/job-events.ts';
import { ClassRegister } from './class-register.ts';
import { type Decoded, parseObject, readFields, undecodable } from './decoded.ts';
import {
  FinishedReader,
  finishedEventClass,
  finishedHoles,
  holesOfFacts,
  locateFinished,
  newPlaces,
  placesFromHoles,
} from './finished-event.ts';
import { FieldFault } from './flink-fields.ts';
import { type FlinkFrame, frameType } from './frame-walk.ts';
import { initializedEvent, initializedEventClass, resetEvent, resetEventClass } from './graph-events.ts';
import { Interner } from './interner.ts';
import type { JavaObject } from './java-stream.ts';
import { producedPartitions } from './produced-partitions.ts';
import { CoordinatorParts, ShuffleParts } from './snapshot-parts.ts';
import { KnownShapes } from './stream-shape.ts';

/** Shapes of finished events: they differ by the lengths of what their workers' addresses hold. */
const shapesMax = 128;
const holesMax = 64;

/** Decodes the frames of one store, in order. */
export class FrameDecoder {
  readonly #interner = new Interner();
  readonly #classes = new ClassRegister();
  readonly #known = new KnownShapes<Int32Array>(shapesMax, holesMax);
  readonly #places = newPlaces();
  readonly #reader = new FinishedReader(this.#interner);
  readonly #coordinators = new CoordinatorParts(this.#interner, this.#classes);
  readonly #shuffle = new ShuffleParts(this.#classes);

  decode(frame: FlinkFrame): Decoded<JobEvent> {
    if (frame.type === frameType.vertexFinished) return this.#finishedFrame(frame);
    if (frame.type === frameType.vertexReset || frame.type === frameType.vertexInitialized) {
      return this.#plainFrame(frame.payload);
    }
    return undecodable(`no Flink reads an event of type ${frame.type}`, 0);
  }

  /** Flink has one serializer for all events of one object: the class counts, not the type. */
  #plainFrame(payload: Buffer): Decoded<JobEvent> {
    const parsed = parseObject(payload, 0, payload.length);
    if (!parsed.ok) return parsed;
    const flaw = this.#classes.check(parsed.value.index.classes, 0);
    return flaw ?? readFields(0, () => this.#plainEvent(parsed.value));
  }

  #plainEvent(event: JavaObject): JobEvent {
    if (event.className === initializedEventClass) return initializedEvent(event);
    if (event.className === resetEventClass) return resetEvent(event);
    if (event.className === finishedEventClass) return this.#finishedObject(event, null);
    throw new FieldFault(`an object of class ${event.className}, which is no event`);
  }

  #finishedFrame(frame: FlinkFrame): Decoded<JobEvent> {
    const task = partAt(frame.view, 0);
    if (!task.ok) return task;
    const coordinators = partAt(frame.view, task.value.end);
    if (!coordinators.ok) return coordinators;
    const shuffle = optionalPartAt(frame.view, coordinators.value.end);
    if (!shuffle.ok) return shuffle;
    const snapshot = this.#snapshot(frame, coordinators.value, shuffle.value);
    return snapshot.ok ? this.#finished(frame, task.value, snapshot.value) : snapshot;
  }

  /** Flink counts a finish as one with a snapshot if the ShuffleMaster's came with it. */
  #snapshot(frame: FlinkFrame, coordinatorPart: Part, shufflePart: Part | null): Decoded<FlinkSnapshot | null> {
    const coordinators = this.#coordinators.read(frame, coordinatorPart.start, coordinatorPart.end);
    if (!coordinators.ok) return coordinators;
    if (shufflePart === null) return { ok: true, value: null };
    const shuffleMaster = this.#shuffle.read(frame, shufflePart.start, shufflePart.end);
    if (!shuffleMaster.ok) return shuffleMaster;
    return { ok: true, value: { coordinators: coordinators.value, shuffleMaster: shuffleMaster.value } };
  }

  #finished({ payload, view }: FlinkFrame, { start, end }: Part, snapshot: FlinkSnapshot | null): Decoded<JobEvent> {
    const holes = this.#known.find(payload, start, end);
    if (holes !== null) {
      const places = placesFromHoles(holes, this.#known.places, this.#places);
      return { ok: true, value: this.#reader.read(payload, view, places, noPartitions, snapshot) };
    }
    const parsed = parseObject(payload, start, end);
    if (!parsed.ok) return parsed;
    if (parsed.value.className !== finishedEventClass) {
      return undecodable(`an object of class ${parsed.value.className}, which is no finished event`, start);
    }
    const flaw = this.#classes.check(parsed.value.index.classes, start);
    return flaw ?? readFields(start, () => this.#finishedObject(parsed.value, snapshot));
  }

  #finishedObject(event: JavaObject, snapshot: FlinkSnapshot | null): JobEvent {
    const places = locateFinished(event);
    const partitions = producedPartitions(event);
    const { bytes } = event.index;
    if (partitions.length === 0) {
      const holes = finishedHoles(event, places);
      this.#known.add(bytes, holes, holesOfFacts(holes, places));
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this.#reader.read(bytes, view, places, partitions, snapshot);
  }
}

const noPartitions: readonly never[] = [];

interface Part {
  readonly start: number;
  readonly end: number;
}

function partAt(payload: DataView, at: number): Decoded<Part> {
  if (at + 4 > payload.byteLength) return undecodable('a part of the event is missing', at);
  const length = payload.getInt32(at);
  const start = at + 4;
  if (length < 0 || length > payload.byteLength - start) {
    return undecodable(`a part of ${length} bytes, where ${payload.byteLength - start} are left`, at);
  }
  return { ok: true, value: { start, end: start + length } };
}

/** The last part: a length of 0 or less means none. */
function optionalPartAt(payload: DataView, at: number): Decoded<Part | null> {
  if (at + 4 <= payload.byteLength && payload.getInt32(at) <= 0) return { ok: true, value: null };
  return partAt(payload, at);
}
