// ExecutionVertexFinishedEvent: where its facts lie in a stream, found by class and field name, and what they say. Streams
// of a known shape skip the first step; the second is the same for both. Spec: docs/flink.md, "The events".
import type { ExecutionVertexFinished, FlinkSnapshot, ProducedPartition, TaskMetrics } from '../../model/job-events.ts';
import { FieldFault, idPlace, objectIn, placeIn } from './flink-fields.ts';
import type { Interner } from './interner.ts';
import { typeCode } from './java-protocol.ts';
import { JavaObject } from './java-stream.ts';
import type { Hole, HoleBytes } from './stream-shape.ts';

export const finishedEventClass = 'org.apache.flink.runtime.jobmaster.event.ExecutionVertexFinishedEvent';

const classes = {
  attemptId: 'org.apache.flink.runtime.executiongraph.ExecutionAttemptID',
  graphId: 'org.apache.flink.runtime.executiongraph.ExecutionGraphID',
  executionVertexId: 'org.apache.flink.runtime.scheduler.strategy.ExecutionVertexID',
  vertexId: 'org.apache.flink.runtime.jobgraph.JobVertexID',
  metrics: 'org.apache.flink.runtime.executiongraph.IOMetrics',
  location: 'org.apache.flink.runtime.taskmanager.TaskManagerLocation',
  resourceId: 'org.apache.flink.runtime.clusterframework.types.ResourceID',
} as const;

/** The facts of an event, by number; their places are kept in arrays for speed. */
const fact = {
  attempt: 0,
  graphId: 1,
  subtask: 2,
  vertexId: 3,
  bytesIn: 4,
  bytesOut: 5,
  recordsIn: 6,
  recordsOut: 7,
  busyTime: 8,
  idleTime: 9,
  backPressuredTime: 10,
  workerId: 11,
} as const;

export type Fact = keyof typeof fact;

const factCount = 12;

const factBytes: Readonly<Record<number, HoleBytes>> = {
  [fact.attempt]: 4,
  [fact.graphId]: 16,
  [fact.subtask]: 4,
  [fact.vertexId]: 16,
  [fact.workerId]: 'text',
};

/** First byte of each fact, by its number; -1 where the event does not say. */
export type FinishedPlaces = Int32Array<ArrayBuffer>;

/** Where one fact lies. */
export function placeOfFact(places: FinishedPlaces, name: Fact): number {
  return places[fact[name]] as number;
}

/** Throws FieldFault. */
export function locateFinished(event: JavaObject): FinishedPlaces {
  const attemptId = objectIn(event, 'executionAttemptId', classes.attemptId);
  const executionVertexId = objectIn(attemptId, 'executionVertexId', classes.executionVertexId);
  const location = objectIn(event, 'taskManagerLocation', classes.location);
  const places = new Int32Array(factCount).fill(-1);
  places[fact.attempt] = placeIn(attemptId, 'attemptNumber', 'I');
  places[fact.graphId] = idPlace(objectIn(attemptId, 'executionGraphId', classes.graphId));
  places[fact.subtask] = placeIn(executionVertexId, 'subtaskIndex', 'I');
  places[fact.vertexId] = idPlace(objectIn(executionVertexId, 'jobVertexId', classes.vertexId));
  places[fact.workerId] = textPlace(objectIn(location, 'resourceID', classes.resourceId), 'resourceId');
  if (event.field('ioMetrics') !== null) locateMetrics(objectIn(event, 'ioMetrics', classes.metrics), places);
  return places;
}

function locateMetrics(metrics: JavaObject, places: FinishedPlaces): void {
  places[fact.bytesIn] = placeIn(metrics, 'numBytesIn', 'J');
  places[fact.bytesOut] = placeIn(metrics, 'numBytesOut', 'J');
  places[fact.recordsIn] = placeIn(metrics, 'numRecordsIn', 'J');
  places[fact.recordsOut] = placeIn(metrics, 'numRecordsOut', 'J');
  places[fact.busyTime] = placeIn(metrics, 'accumulateBusyTime', 'D');
  places[fact.idleTime] = placeIn(metrics, 'accumulateIdleTime', 'J');
  places[fact.backPressuredTime] = placeIn(metrics, 'accumulateBackPressuredTime', 'J');
}

/** Where the length of a text lies; Flink gives ids of a few dozen characters, never a long string. */
function textPlace(owner: JavaObject, name: string): number {
  const found = owner.findField(name);
  const { bytes } = owner.index;
  const at = found === undefined || typeof found.value !== 'string' ? -1 : owner.index.textKey(found.offset);
  if (at < 0 || bytes[at - 1] !== typeCode.string) throw new FieldFault(`${owner.className}.${name} holds no text`);
  return at;
}

/** Reads events at places. One literal for each event: a large store's time goes into making objects. */
export class FinishedReader {
  readonly #interner: Interner;

  constructor(interner: Interner) {
    this.#interner = interner;
  }

  read(
    bytes: Buffer,
    view: DataView,
    places: FinishedPlaces,
    partitions: readonly ProducedPartition[],
    snapshot: FlinkSnapshot | null,
  ): ExecutionVertexFinished {
    const workerId = places[fact.workerId] as number;
    return {
      type: 'execution-vertex-finished',
      vertexId: this.#interner.id(bytes, places[fact.vertexId] as number),
      subtask: view.getInt32(places[fact.subtask] as number),
      attempt: view.getInt32(places[fact.attempt] as number),
      epoch: null,
      workerId: this.#interner.text(bytes, workerId + 2, workerId + 2 + view.getUint16(workerId)),
      partitions,
      parts: noParts,
      metrics: readMetrics(view, places),
      flink: { executionGraphId: this.#interner.id(bytes, places[fact.graphId] as number), snapshot },
    };
  }
}

const noParts: readonly never[] = [];

function readMetrics(view: DataView, places: FinishedPlaces): TaskMetrics {
  const busyTime = places[fact.busyTime] as number;
  const busyMs = busyTime < 0 ? 0 : view.getFloat64(busyTime);
  // A task without a measured busy time (some sources) says NaN.
  const knownBusyMs = Number.isFinite(busyMs) ? Math.round(busyMs) : 0;
  return {
    recordsIn: longAt(view, places[fact.recordsIn] as number),
    recordsOut: longAt(view, places[fact.recordsOut] as number),
    bytesIn: longAt(view, places[fact.bytesIn] as number),
    bytesOut: longAt(view, places[fact.bytesOut] as number),
    durationMs:
      knownBusyMs +
      longAt(view, places[fact.idleTime] as number) +
      longAt(view, places[fact.backPressuredTime] as number),
  };
}

function longAt(view: DataView, at: number): number {
  return at < 0 ? 0 : view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** The holes of a shape for this event: its facts, and the other texts of its location, which differ by worker. */
export function finishedHoles(event: JavaObject, places: FinishedPlaces): Hole[] {
  const found = new Map<number, Hole>();
  places.forEach((at, number) => {
    if (at >= 0) found.set(at, { at, bytes: factBytes[number] ?? 8 });
  });
  for (const hole of addressHoles(objectIn(event, 'taskManagerLocation', classes.location))) found.set(hole.at, hole);
  return [...found.values()];
}

const locationDepth = 3;

function* addressHoles(owner: JavaObject, depth = 0): Generator<Hole> {
  for (const { value, offset, name, signature } of owner.fields()) {
    const { index } = owner;
    if (typeof value === 'string' && index.bytes[offset] === typeCode.string) yield { at: offset + 1, bytes: 'text' };
    else if (signature === 'I' && (name === 'dataPort' || name === 'address')) yield { at: offset, bytes: 4 };
    else if (value instanceof JavaObject && depth < locationDepth) yield* addressHoles(value, depth + 1);
  }
}

/** Which hole of a shape, in order, is the place of each fact; -1 for none. */
export function holesOfFacts(holes: readonly Hole[], places: FinishedPlaces): Int32Array<ArrayBuffer> {
  const order = holes.map((hole) => hole.at).sort((a, b) => a - b);
  return places.map((at) => (at < 0 ? -1 : order.indexOf(at)));
}

/** The places of the facts, from those of the holes; written to `places`. */
export function placesFromHoles(holes: Int32Array, found: Int32Array, places: FinishedPlaces): FinishedPlaces {
  for (let number = 0; number < factCount; number++) {
    const hole = holes[number] as number;
    places[number] = hole < 0 ? -1 : (found[hole] as number);
  }
  return places;
}

export function newPlaces(): FinishedPlaces {
  return new Int32Array(factCount);
}
