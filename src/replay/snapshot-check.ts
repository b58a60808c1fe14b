// Whether each whole snapshot of a log is what the events before it say. Where the beginning of the log was retired, the
// oldest snapshot is taken at its word and the newer ones are held against it and the events between.
// Spec: docs/format.md, "Snapshots"; design invariant 5.
import { isDeepStrictEqual } from 'node:util';
import { CellError } from '../model/cells.ts';
import type { Finding, JobLog, LogRecord, LogSnapshot } from '../model/job-log.ts';
import type { ExecutionGraph } from './execution-graph.ts';
import { graphDifference } from './graph-difference.ts';
import { graphOfSnapshot, graphToParts, submissionOf } from './graph-snapshot.ts';
import { replay } from './replay.ts';
import { mismatch } from './replay-log.ts';

/** Looks on while a log is replayed from its first event. */
export class SnapshotCheck {
  readonly #log: JobLog;
  readonly #snapshots: readonly LogSnapshot[];
  readonly #sequences: ReadonlySet<number>;
  readonly #findings: Finding[] = [];

  private constructor(log: JobLog, snapshots: readonly LogSnapshot[]) {
    this.#log = log;
    this.#snapshots = snapshots;
    this.#sequences = new Set(snapshots.map(({ sequence }) => sequence));
  }

  static async of(log: JobLog): Promise<SnapshotCheck> {
    return new SnapshotCheck(log, (await log.snapshots()).toReversed());
  }

  /** For each record, with the graph right after it. What is returned is to be waited for. */
  readonly onRecord = ({ sequence }: LogRecord, graph: ExecutionGraph): Promise<void> | undefined =>
    this.#sequences.has(sequence) ? this.#hold(sequence, graph) : undefined;

  /** Once, after the replay: SNAPSHOT_MISMATCH for each that is wrong. Where events were retired it walks by itself. */
  async findings(): Promise<readonly Finding[]> {
    if (this.#log.firstSequence > 0) await this.#walkFromOldest();
    return this.#findings;
  }

  async #walkFromOldest(): Promise<void> {
    const newest = this.#snapshots.at(-1);
    for (const oldest of this.#snapshots) {
      if (oldest === newest || newest === undefined) return;
      const graph = await graphOfSnapshot(oldest);
      if (typeof graph === 'string') continue;
      const until = { sequence: newest.sequence };
      await replay(this.#log.records(oldest), { graph, until, onRecord: this.onRecord });
      return;
    }
  }

  async #hold(sequence: number, graph: ExecutionGraph): Promise<void> {
    for (const snapshot of this.#snapshots.filter((each) => each.sequence === sequence)) {
      const reason = await differenceOf(snapshot, graph);
      if (reason !== null) this.#findings.push(mismatch(snapshot, reason));
    }
  }
}

/** null: it says what the events say; or it was retired meanwhile. */
async function differenceOf(snapshot: LogSnapshot, expected: ExecutionGraph): Promise<string | null> {
  try {
    if (await isSame(snapshot, expected)) return null;
    // Another jobrec may have written the same in other parts.
    const graph = await graphOfSnapshot(snapshot);
    if (typeof graph === 'string') return graph;
    const difference = graphDifference(graph, expected);
    return difference && `the events before it say otherwise (${difference}); --repair takes it out`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Part by part: without a second graph in memory. */
async function isSame(snapshot: LogSnapshot, expected: ExecutionGraph): Promise<boolean> {
  if (!isDeepStrictEqual(snapshot.submitted, submissionOf(expected))) return false;
  const parts = graphToParts(expected);
  try {
    for await (const part of snapshot.parts()) {
      if (!isDeepStrictEqual(part, parts.next().value)) return false;
    }
  } catch (error) {
    if (error instanceof CellError) return false;
    throw error;
  }
  return parts.next().done === true;
}
