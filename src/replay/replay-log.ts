// The graph of a whole log, from its events or from a snapshot and the events behind it; the law is that both give the
// same. Readers go by the events as long as they are there, which names all damage; a recovery goes by the newest
// snapshot, which bounds its time. Where one way does not reach the end, the other is taken.
// Spec: docs/format.md, "Snapshots".
import { JobrecError } from '../model/errors.ts';
import type { Finding, JobLog, LogSnapshot } from '../model/job-log.ts';
import type { Bound } from './bound.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { graphOfSnapshot } from './graph-snapshot.ts';
import { type ReplayOptions, type ReplayResult, replay } from './replay.ts';

export interface LogReplay extends ReplayResult {
  /** The snapshot that the graph rests on; null: on events alone. */
  readonly snapshot: LogSnapshot | null;
}

export interface ReplayLogOptions {
  readonly until?: Bound | undefined;
  readonly onRecord?: ReplayOptions['onRecord'];
}

/** By the events, and by a snapshot only for what they no longer say. Errors: STORE_DAMAGED where neither says it. */
export async function replayLog(log: JobLog, options: ReplayLogOptions = {}): Promise<LogReplay> {
  if (log.firstSequence > 0) return replayNewest(log, options);
  const events = { ...(await replay(log.records(), replayOptions(options))), snapshot: null };
  const reached = events.graph.lastSequence ?? -1;
  const isWhole = reached === options.until?.sequence || (await log.summary()).damage === null;
  if (isWhole) return events;
  const further = await fromSnapshot(log, options, reached);
  return further === null ? events : { ...further, findings: [...events.findings, ...further.findings] };
}

/** By the newest snapshot, and by all events where there is none. Errors: STORE_DAMAGED where the store has neither. */
export async function replayNewest(log: JobLog, options: ReplayLogOptions = {}): Promise<LogReplay> {
  const found = await fromSnapshot(log, options, -1);
  if (found !== null) return found;
  if (log.firstSequence > 0) throw nothingHolds(log);
  return { ...(await replay(log.records(), replayOptions(options))), snapshot: null };
}

/** From the newest snapshot that holds more than the events up to `beyond`, and can be read. */
async function fromSnapshot(log: JobLog, options: ReplayLogOptions, beyond: number): Promise<LogReplay | null> {
  const until = options.until?.sequence ?? Number.POSITIVE_INFINITY;
  const mismatches: Finding[] = [];
  for (const snapshot of await log.snapshots()) {
    if (snapshot.sequence > until || snapshot.sequence <= beyond) continue;
    const graph = await graphOfSnapshot(snapshot);
    if (typeof graph === 'string') mismatches.push(mismatch(snapshot, graph));
    else return goOn(log, options, { snapshot, graph, mismatches });
  }
  return null;
}

interface Start {
  readonly snapshot: LogSnapshot;
  readonly graph: ExecutionGraph;
  readonly mismatches: readonly Finding[];
}

async function goOn(log: JobLog, options: ReplayLogOptions, start: Start): Promise<LogReplay> {
  const { snapshot, graph, mismatches } = start;
  const result = await replay(log.records(snapshot), { ...replayOptions(options), graph });
  return { ...result, findings: [...mismatches, ...result.findings], snapshot };
}

function replayOptions({ until, onRecord }: ReplayLogOptions) {
  return { ...(until === undefined ? {} : { until }), ...(onRecord === undefined ? {} : { onRecord }) };
}

/** A snapshot with good checksums whose content contradicts itself, or the events. */
export function mismatch({ name, sequence }: Pick<LogSnapshot, 'name' | 'sequence'>, reason: string): Finding {
  const message = `${name} has good checksums but is not the state at sequence ${sequence}: ${reason}`;
  return { code: 'SNAPSHOT_MISMATCH', severity: 'error', segment: name, offset: 0, sequence, bytesLost: 0, message };
}

function nothingHolds(log: JobLog): JobrecError {
  const message = `the events before sequence ${log.firstSequence} of ${log.location} were retired, and no whole snapshot holds them`;
  return new JobrecError('STORE_DAMAGED', message, {
    data: { location: log.location, firstSequence: log.firstSequence },
    hint: `jobrec validate ${log.location} says what is damaged`,
  });
}
