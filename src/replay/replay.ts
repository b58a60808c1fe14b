// replay: folds a log into an ExecutionGraph. Deterministic, and a fold in the strict sense: replaying a prefix and then
// the rest onto its graph gives what replaying all gives (design: "Invariants", 5).
import type { Finding, LogRecord } from '../model/job-log.ts';
import { applyEvent } from './apply-event.ts';
import type { Bound } from './bound.ts';
import { type DroppedEvent, droppedFinishes } from './dropped-finishes.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { createExecutionGraph } from './execution-graph.ts';

export interface ReplayOptions {
  /** Last sequence number to apply, inclusive; resolved from a position by `resolvePosition`. */
  readonly until?: Bound;
  /** Called for each record after it has been applied to `graph`; a promise is waited for. */
  readonly onRecord?: (record: LogRecord, graph: ExecutionGraph) => unknown;
  /** A graph to go on from (a snapshot's); it is changed. Without it, replay starts from nothing. */
  readonly graph?: ExecutionGraph;
}

export type { DroppedEvent };

export interface ReplayResult {
  readonly graph: ExecutionGraph;
  /** Events that do not fit the ones before them, in log order. */
  readonly findings: Finding[];
  /** The last applied record; null where there was none. */
  readonly last: LogRecord | null;
  readonly droppedEvents: DroppedEvent[];
}

/** Folds `records` up to `options.until`. Errors are only those of the iterable itself. */
export async function replay(records: AsyncIterable<LogRecord>, options: ReplayOptions = {}): Promise<ReplayResult> {
  const graph = options.graph ?? createExecutionGraph();
  const until = options.until?.sequence ?? Number.POSITIVE_INFINITY;
  const findings: Finding[] = [];
  let last: LogRecord | null = null;
  for await (const record of records) {
    if (record.sequence > until) break;
    const found = applyEvent(graph, record, record.event);
    if (found !== null) findings.push(located(found, record));
    last = record;
    const seen = options.onRecord?.(record, graph);
    if (seen instanceof Promise) await seen;
    if (record.sequence === until) break;
  }
  return { graph, findings, last, droppedEvents: droppedFinishes(graph) };
}

function located(found: Pick<Finding, 'code' | 'severity' | 'message'>, record: LogRecord): Finding {
  const { segment, offset, sequence } = record;
  return { ...found, segment, offset, sequence, bytesLost: 0 };
}
