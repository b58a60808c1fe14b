// One frame as one job event. A finished event's frame has three parts, each behind its length: the event, the state of
// coordinators, the ShuffleMaster's snapshot; the others are one Java object. What cannot be decoded is a value.
// Spec: docs/flink.md, "Frames" and "The events".
import type { ExecutionVertexFinished, FlinkSnapshot, JobEvent } from '../../model/job-events.ts';
import { ClassRegister } from './class-register.ts';
import { type Decoded, parseObject, readFields, undecodable } from './decoded.ts';
import {
  type FinishedPlaces,
  type FinishedTask,
  factPlaces,
  finishedEventClass,
  finishedHoles,
  locateFinished,
  producedPartitions,
  readFinished,
} from './finished-event.ts';
import { FieldFault } from './flink-fields.ts';
import { type FlinkFrame, frameType } from './frame-walk.ts';
import { initializedEvent, initializedEventClass, resetEvent, resetEventClass } from './graph-events.ts';
import { Interner } from './interner.ts';
import type { JavaObject } from './java-stream.ts';
import { CoordinatorParts, ShuffleParts } from './snapshot-parts.ts';
import { KnownShapes, StreamShape } from './stream-shape.ts';

/** Shapes of finished events: they differ by what their workers' addresses hold. */
const shapesMax = 16;
const holesMax = 64;

type Finished = Pick<ExecutionVertexFinished, 'partitions'> & FinishedTask;

/** Decodes the frames of one store, in order. */
export class FrameDecoder {
  readonly #interner = new Interner();
  readonly #classes = new ClassRegister();
  readonly #known = new KnownShapes<(found: Int32Array) => FinishedPlaces>(shapesMax, holesMax);
  readonly #coordinators = new CoordinatorParts(this.#interner, this.#classes);
  readonly #shuffle = new ShuffleParts(this.#classes);

  decode(frame: Pick<FlinkFrame, 'type' | 'payload'>): Decoded<JobEvent> {
    if (frame.type === frameType.vertexFinished) return this.#finishedFrame(frame.payload);
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
    if (event.className === finishedEventClass) return finished(this.#readParsed(event), null);
    throw new FieldFault(`an object of class ${event.className}, which is no event`);
  }

  #finishedFrame(payload: Buffer): Decoded<JobEvent> {
    const task = partAt(payload, 0);
    if (!task.ok) return task;
    const coordinators = partAt(payload, task.value.end);
    if (!coordinators.ok) return coordinators;
    const shuffle = optionalPartAt(payload, coordinators.value.end);
    if (!shuffle.ok) return shuffle;
    return this.#finishedParts(payload, task.value, coordinators.value, shuffle.value);
  }

  #finishedParts(payload: Buffer, taskPart: Part, coordinatorPart: Part, shufflePart: Part | null): Decoded<JobEvent> {
    const task = this.#task(payload, taskPart);
    if (!task.ok) return task;
    const coordinators = this.#coordinators.read(payload, coordinatorPart.start, coordinatorPart.end);
    if (!coordinators.ok) return coordinators;
    if (shufflePart === null) return { ok: true, value: finished(task.value, null) };
    const shuffleMaster = this.#shuffle.read(payload, shufflePart.start, shufflePart.end);
    if (!shuffleMaster.ok) return shuffleMaster;
    const snapshot = { coordinators: coordinators.value, shuffleMaster: shuffleMaster.value };
    return { ok: true, value: finished(task.value, snapshot) };
  }

  #task(payload: Buffer, { start, end }: Part): Decoded<Finished> {
    const placesOf = this.#known.find(payload, start, end);
    if (placesOf !== null) {
      const task = readFinished(payload, placesOf(this.#known.places), this.#interner);
      return { ok: true, value: { ...task, partitions: [] } };
    }
    const parsed = parseObject(payload, start, end);
    if (!parsed.ok) return parsed;
    if (parsed.value.className !== finishedEventClass) {
      return undecodable(`an object of class ${parsed.value.className}, which is no finished event`, start);
    }
    const flaw = this.#classes.check(parsed.value.index.classes, start);
    return flaw ?? readFields(start, () => this.#readParsed(parsed.value));
  }

  #readParsed(event: JavaObject): Finished {
    const places = locateFinished(event);
    const partitions = producedPartitions(event);
    const { bytes } = event.index;
    if (partitions.length === 0) {
      const holes = finishedHoles(event, places);
      this.#known.add(new StreamShape(bytes, holes), factPlaces(holes, places));
    }
    return { ...readFinished(bytes, places, this.#interner), partitions };
  }
}

function finished(task: Finished, snapshot: FlinkSnapshot | null): ExecutionVertexFinished {
  return {
    type: 'execution-vertex-finished',
    vertexId: task.vertexId,
    subtask: task.subtask,
    attempt: task.attempt,
    epoch: null,
    workerId: task.workerId,
    partitions: task.partitions,
    parts: [],
    metrics: task.metrics,
    flink: { executionGraphId: task.executionGraphId, snapshot },
  };
}

interface Part {
  readonly start: number;
  readonly end: number;
}

function partAt(payload: Buffer, at: number): Decoded<Part> {
  if (at + 4 > payload.length) return undecodable('a part of the event is missing', at);
  const length = payload.readInt32BE(at);
  const start = at + 4;
  if (length < 0 || length > payload.length - start) {
    return undecodable(`a part of ${length} bytes, where ${payload.length - start} are left`, at);
  }
  return { ok: true, value: { start, end: start + length } };
}

/** The last part: a length of 0 or less means none. */
function optionalPartAt(payload: Buffer, at: number): Decoded<Part | null> {
  if (at + 4 <= payload.length && payload.readInt32BE(at) <= 0) return { ok: true, value: null };
  return partAt(payload, at);
}
