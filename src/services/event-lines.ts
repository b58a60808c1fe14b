// inspect --events: a store's events one by one, in log order, filtered. Streams: memory does not grow with the log.
// Spec: docs/commands.md "inspect --events".
import { JobrecError } from '../model/errors.ts';
import { formatPartitionId } from '../model/ids.ts';
import type { JobEvent, JobEventType, ShuffleMasterSnapshot } from '../model/job-events.ts';
import type { Damage, JobLog, LogRecord } from '../model/job-log.ts';
import { decodePlacements } from '../model/shuffle-placements.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { frameToJson } from '../store/flink/frame-json.ts';
import type { EventLine } from './inspect-report.ts';
import { RawFrames } from './raw-frames.ts';
import { openStore, plannedGraph, type StoreInputOptions, vertexNamed } from './store-input.ts';
import { boundOf, fromFilter, type IsFrom, isoTime } from './times.ts';

export interface EventLinesOptions extends StoreInputOptions {
  /** Event kinds to keep; null: all. */
  readonly types: readonly string[] | null;
  /** Vertex id or unique name; null: all. */
  readonly vertex: string | null;
  /** Positions, both inclusive; null: the ends of the log. */
  readonly from: string | null;
  readonly until: string | null;
  /** At most so many lines; null: all. */
  readonly limit: number | null;
  /** Whether each line carries its frame's bytes. */
  readonly raw: boolean;
}

export interface EventLines {
  readonly lines: AsyncIterable<EventLine>;
  /** To be asked after the last line: where reading stopped for damage; null for a sound store. */
  damage(): Promise<Damage | null>;
  /** Sequence number of the first event that the store still holds; 0 unless history was retired. */
  readonly firstSequence: number;
}

// A record, so that a kind that is added to the model cannot be forgotten here.
const eventTypes: Readonly<Record<JobEventType, true>> = {
  'job-submitted': true,
  'job-status-changed': true,
  'job-vertex-initialized': true,
  'execution-deployed': true,
  'execution-vertex-finished': true,
  'execution-vertex-reset': true,
  'execution-failed': true,
  'coordinator-snapshot': true,
  'shuffle-master-snapshot': true,
  'partitions-released': true,
  'worker-registered': true,
  'worker-lost': true,
  'commit-started': true,
  'recovery-completed': true,
  'checkpoint-completed': true,
  'savepoint-completed': true,
  'checkpoint-aborted': true,
  'checkpoint-restored': true,
};

export const eventTypeNames: readonly string[] = Object.keys(eventTypes);

/** Errors: INVALID_FLAG for an unknown kind, INVALID_ARGUMENT for an unknown vertex, POSITION_INVALID. */
export async function eventLines(options: EventLinesOptions): Promise<EventLines> {
  const types = knownTypes(options.types);
  const store = await openStore(options);
  const { log } = store;
  const names = await plannedGraph(store);
  const selection: Selection = {
    types,
    vertexId: options.vertex === null ? null : vertexNamed(names, options.vertex),
    isFrom: await fromFilter(store, options.from),
    lastSequence: (await boundOf(store, options.until))?.sequence ?? Number.POSITIVE_INFINITY,
    limit: options.limit ?? Number.POSITIVE_INFINITY,
    raw: options.raw,
  };
  const lines = selectedLines(log, names, selection);
  return { lines, damage: async () => (await log.summary()).damage, firstSequence: log.firstSequence };
}

interface Selection {
  readonly types: ReadonlySet<string> | null;
  readonly vertexId: string | null;
  readonly isFrom: IsFrom;
  readonly lastSequence: number;
  readonly limit: number;
  readonly raw: boolean;
}

function knownTypes(types: readonly string[] | null): ReadonlySet<string> | null {
  const unknown = types?.find((type) => !eventTypeNames.includes(type));
  if (unknown === undefined) return types === null ? null : new Set(types);
  const message = `--type: "${unknown}" is no event kind; allowed: ${eventTypeNames.join(', ')}`;
  throw new JobrecError('INVALID_FLAG', message, { data: { flag: '--type', value: unknown, allowed: eventTypeNames } });
}

async function* selectedLines(log: JobLog, names: ExecutionGraph, selection: Selection): AsyncGenerator<EventLine> {
  const frames = selection.raw ? new RawFrames(log.location) : null;
  let left = selection.limit;
  try {
    for await (const record of log.records()) {
      if (left <= 0 || record.sequence > selection.lastSequence) break;
      if (!isSelected(record, selection)) continue;
      left -= 1;
      const line = eventLine(record, names);
      yield frames === null ? line : { ...line, ...rawParts(log, await frames.bytesOf(record)) };
    }
  } finally {
    await frames?.close();
  }
}

function rawParts(log: JobLog, frame: Buffer): Pick<EventLine, 'raw' | 'java'> {
  const raw = frame.toString('hex');
  return log.format === 'flink' ? { raw, java: frameToJson(frame) } : { raw };
}

function isSelected(record: LogRecord, selection: Selection): boolean {
  if (!selection.isFrom(record)) return false;
  if (selection.types !== null && !selection.types.has(record.event.type)) return false;
  return selection.vertexId === null || fieldOf(record.event, 'vertexId') === selection.vertexId;
}

/** The contract's line: head fields first, null where the event has none, then the event's own. */
export function eventLine(record: LogRecord, names: ExecutionGraph): EventLine {
  const { sequence, timeMicros, segment, offset, bytes, event } = record;
  const vertexId = stringField(event, 'vertexId');
  const head = {
    sequence,
    time: isoTime(timeMicros),
    segment,
    offset,
    bytes,
    type: event.type,
    vertexId,
    vertexName: vertexId === null ? null : (names.vertices.get(vertexId)?.name ?? null),
    subtask: numberField(event, 'subtask'),
    attempt: numberField(event, 'attempt'),
    workerId: stringField(event, 'workerId'),
  };
  return event.type === 'shuffle-master-snapshot' ? { ...head, ...shuffleMasterFields(event) } : { ...head, ...event };
}

/** The state as what it says, and its bytes as they are: those of another engine say nothing here. */
function shuffleMasterFields(event: ShuffleMasterSnapshot): Readonly<Record<string, unknown>> {
  const { incremental, state } = event;
  const decoded = decodePlacements(state);
  const held = new Map<string, string[]>();
  for (const placement of typeof decoded === 'string' ? [] : decoded) {
    const partitions = held.get(placement.holderId) ?? [];
    partitions.push(formatPartitionId(placement));
    held.set(placement.holderId, partitions);
  }
  const holders = [...held].map(([workerId, partitions]) => ({ workerId, partitions }));
  return { incremental, stateBytes: state.byteLength, state, holders };
}

function fieldOf(event: JobEvent, field: string): unknown {
  return (event as unknown as Readonly<Record<string, unknown>>)[field];
}

function stringField(event: JobEvent, field: string): string | null {
  const value = fieldOf(event, field);
  return typeof value === 'string' ? value : null;
}

function numberField(event: JobEvent, field: string): number | null {
  const value = fieldOf(event, field);
  return typeof value === 'number' ? value : null;
}
