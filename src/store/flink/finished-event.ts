// ExecutionVertexFinishedEvent: where its facts lie in a stream, found by class and field name, and what they say. Streams
// of a known shape skip the first step; the second is the same for both. Spec: docs/flink.md, "The events".
import type { ProducedPartition, TaskMetrics } from '../../model/job-events.ts';
import { FieldFault, idIn, idPlace, intIn, objectIn, placeIn } from './flink-fields.ts';
import type { Interner } from './interner.ts';
import { mapEntries } from './java-collections.ts';
import { typeCode } from './java-protocol.ts';
import { JavaArray, JavaObject } from './java-stream.ts';
import type { Hole } from './stream-shape.ts';

export const finishedEventClass = 'org.apache.flink.runtime.jobmaster.event.ExecutionVertexFinishedEvent';

const classes = {
  attemptId: 'org.apache.flink.runtime.executiongraph.ExecutionAttemptID',
  graphId: 'org.apache.flink.runtime.executiongraph.ExecutionGraphID',
  executionVertexId: 'org.apache.flink.runtime.scheduler.strategy.ExecutionVertexID',
  vertexId: 'org.apache.flink.runtime.jobgraph.JobVertexID',
  metrics: 'org.apache.flink.runtime.executiongraph.IOMetrics',
  location: 'org.apache.flink.runtime.taskmanager.TaskManagerLocation',
  resourceId: 'org.apache.flink.runtime.clusterframework.types.ResourceID',
  partitionId: 'org.apache.flink.runtime.jobgraph.IntermediateResultPartitionID',
  dataSetId: 'org.apache.flink.runtime.jobgraph.IntermediateDataSetID',
} as const;

/** Bytes of each fact. */
const factBytes = {
  attempt: 4,
  graphId: 16,
  subtask: 4,
  vertexId: 16,
  bytesIn: 8,
  bytesOut: 8,
  recordsIn: 8,
  recordsOut: 8,
  busyTime: 8,
  idleTime: 8,
  backPressuredTime: 8,
  workerId: 'text',
} as const;

type Fact = keyof typeof factBytes;

const facts = Object.keys(factBytes) as Fact[];

/** First byte of each fact; -1 where the event does not say. */
export type FinishedPlaces = Record<Fact, number>;

/** The task's part of a finished event. */
export interface FinishedTask {
  readonly vertexId: string;
  readonly subtask: number;
  readonly attempt: number;
  readonly executionGraphId: string;
  readonly workerId: string;
  readonly metrics: TaskMetrics;
}

const noMetrics = {
  bytesIn: -1,
  bytesOut: -1,
  recordsIn: -1,
  recordsOut: -1,
  busyTime: -1,
  idleTime: -1,
  backPressuredTime: -1,
};

/** Throws FieldFault. */
export function locateFinished(event: JavaObject): FinishedPlaces {
  const attemptId = objectIn(event, 'executionAttemptId', classes.attemptId);
  const executionVertexId = objectIn(attemptId, 'executionVertexId', classes.executionVertexId);
  const location = objectIn(event, 'taskManagerLocation', classes.location);
  return {
    attempt: placeIn(attemptId, 'attemptNumber', 'I'),
    graphId: idPlace(objectIn(attemptId, 'executionGraphId', classes.graphId)),
    subtask: placeIn(executionVertexId, 'subtaskIndex', 'I'),
    vertexId: idPlace(objectIn(executionVertexId, 'jobVertexId', classes.vertexId)),
    ...(event.field('ioMetrics') === null ? noMetrics : locateMetrics(objectIn(event, 'ioMetrics', classes.metrics))),
    workerId: textPlace(objectIn(location, 'resourceID', classes.resourceId), 'resourceId'),
  };
}

function locateMetrics(
  metrics: JavaObject,
): Omit<FinishedPlaces, 'attempt' | 'graphId' | 'subtask' | 'vertexId' | 'workerId'> {
  return {
    bytesIn: placeIn(metrics, 'numBytesIn', 'J'),
    bytesOut: placeIn(metrics, 'numBytesOut', 'J'),
    recordsIn: placeIn(metrics, 'numRecordsIn', 'J'),
    recordsOut: placeIn(metrics, 'numRecordsOut', 'J'),
    busyTime: placeIn(metrics, 'accumulateBusyTime', 'D'),
    idleTime: placeIn(metrics, 'accumulateIdleTime', 'J'),
    backPressuredTime: placeIn(metrics, 'accumulateBackPressuredTime', 'J'),
  };
}

/** Where the length of a text lies; Flink gives ids of a few dozen characters, never a long string. */
function textPlace(owner: JavaObject, name: string): number {
  const found = owner.findField(name);
  const { bytes } = owner.index;
  const at = found === undefined || typeof found.value !== 'string' ? -1 : owner.index.textKey(found.offset);
  if (at < 0 || bytes[at - 1] !== typeCode.string) throw new FieldFault(`${owner.className}.${name} holds no text`);
  return at;
}

/** What the bytes at `places` say. */
export function readFinished(bytes: Buffer, places: FinishedPlaces, interner: Interner): FinishedTask {
  const from = places.workerId + 2;
  return {
    vertexId: interner.id(bytes, places.vertexId),
    subtask: bytes.readInt32BE(places.subtask),
    attempt: bytes.readInt32BE(places.attempt),
    executionGraphId: interner.id(bytes, places.graphId),
    workerId: interner.text(bytes, from, from + bytes.readUInt16BE(places.workerId)),
    metrics: readMetrics(bytes, places),
  };
}

function readMetrics(bytes: Buffer, places: FinishedPlaces): TaskMetrics {
  const busyMs = places.busyTime < 0 ? 0 : bytes.readDoubleBE(places.busyTime);
  // A task without a measured busy time (some sources) says NaN.
  const knownBusyMs = Number.isFinite(busyMs) ? Math.round(busyMs) : 0;
  return {
    recordsIn: longAt(bytes, places.recordsIn),
    recordsOut: longAt(bytes, places.recordsOut),
    bytesIn: longAt(bytes, places.bytesIn),
    bytesOut: longAt(bytes, places.bytesOut),
    durationMs: knownBusyMs + longAt(bytes, places.idleTime) + longAt(bytes, places.backPressuredTime),
  };
}

function longAt(bytes: Buffer, at: number): number {
  return at < 0 ? 0 : bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

/** The holes of a shape for this event: its facts, and the other texts of its location, which differ by worker. */
export function finishedHoles(event: JavaObject, places: FinishedPlaces): Hole[] {
  const holes = facts.filter((fact) => places[fact] >= 0).map((fact) => ({ at: places[fact], bytes: factBytes[fact] }));
  const found = new Map<number, Hole>(holes.map((hole) => [hole.at, hole]));
  for (const hole of otherTexts(objectIn(event, 'taskManagerLocation', classes.location))) found.set(hole.at, hole);
  return [...found.values()];
}

const locationDepth = 3;

function* otherTexts(owner: JavaObject, depth = 0): Generator<Hole> {
  for (const { value, offset, name, signature } of owner.fields()) {
    const { index } = owner;
    if (typeof value === 'string' && index.bytes[offset] === typeCode.string) yield { at: offset + 1, bytes: 'text' };
    else if (signature === 'I' && (name === 'dataPort' || name === 'address')) yield { at: offset, bytes: 4 };
    else if (value instanceof JavaObject && depth < locationDepth) yield* otherTexts(value, depth + 1);
  }
}

/** From the numbers of a shape's holes to the places of the facts. */
export function factPlaces(holes: readonly Hole[], places: FinishedPlaces): (found: Int32Array) => FinishedPlaces {
  const order = [...holes].sort((a, b) => a.at - b.at).map((hole) => hole.at);
  const numbers = facts.map((fact) => [fact, order.indexOf(places[fact])] as const);
  const filled = { ...places };
  return (found) => {
    for (const [fact, number] of numbers) filled[fact] = number < 0 ? -1 : (found[number] as number);
    return filled;
  };
}

/** Partitions that the event names with their sizes. Flink drops this map before it writes; kept for versions that do not. */
export function producedPartitions(event: JavaObject): ProducedPartition[] {
  const metrics = event.field('ioMetrics');
  const sizes = metrics instanceof JavaObject ? metrics.field('resultPartitionBytes') : null;
  const entries = sizes === null || sizes === undefined ? [] : mapEntries(sizes);
  if (entries === null) throw new FieldFault('IOMetrics.resultPartitionBytes holds no map');
  return Array.from(entries, ([id, bytes]) => producedPartition(id, bytes));
}

function producedPartition(id: unknown, sizes: unknown): ProducedPartition {
  if (!(id instanceof JavaObject && id.type.is(classes.partitionId))) throw new FieldFault('a partition has no id');
  const list = sizes instanceof JavaObject ? sizes.field('subpartitionBytes') : null;
  const bytes = list instanceof JavaArray && list.component === 'J' ? sumOf(list) : null;
  const datasetId = idIn(id, 'intermediateDataSetID', classes.dataSetId);
  return { datasetId, partitionIndex: intIn(id, 'partitionNum'), bytes, rows: null, subpartitionRows: null };
}

function sumOf(list: JavaArray): number {
  let sum = 0;
  for (const item of list.items()) sum += Number(item);
  return sum;
}
