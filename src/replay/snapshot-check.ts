// Whether each whole snapshot of a log is what the events before it say. Where the beginning of the log was retired, the
// oldest snapshot is taken at its word and the newer ones are held against it and the events between.
// Spec: docs/format.md, "Snapshots"; design invariant 5.
import type { Finding, JobLog, LogSnapshot } from '../model/job-log.ts';
import { createExecutionGraph, type ExecutionGraph } from './execution-graph.ts';
import { graphDifference } from './graph-difference.ts';
import { graphOfSnapshot } from './graph-snapshot.ts';
import { replay } from './replay.ts';
import { mismatch } from './replay-log.ts';

/** SNAPSHOT_MISMATCH for each one that is not. Walks the log up to the newest snapshot: nothing where there is none. */
export async function snapshotFindings(log: JobLog): Promise<Finding[]> {
  const snapshots = (await log.snapshots()).toReversed();
  const { graph, from, others } = await beginning(log, snapshots);
  const newest = others.at(-1);
  if (newest === undefined) return [];
  const findings: Finding[] = [];
  const hold = async (sequence: number) => {
    for (const snapshot of others.filter((each) => each.sequence === sequence)) {
      const reason = await difference(snapshot, graph);
      if (reason !== null) findings.push(mismatch(snapshot, reason));
    }
  };
  const sequences = new Set(others.map(({ sequence }) => sequence));
  await replay(log.records(from), {
    graph,
    until: { sequence: newest.sequence },
    onRecord: ({ sequence }) => (sequences.has(sequence) ? hold(sequence) : undefined),
  });
  return findings;
}

interface Beginning {
  readonly graph: ExecutionGraph;
  /** undefined: the first event. */
  readonly from: LogSnapshot | undefined;
  /** Those behind it, oldest first. */
  readonly others: readonly LogSnapshot[];
}

async function beginning(log: JobLog, snapshots: readonly LogSnapshot[]): Promise<Beginning> {
  if (log.firstSequence === 0) return { graph: createExecutionGraph(), from: undefined, others: snapshots };
  for (const [index, from] of snapshots.entries()) {
    const graph = await graphOfSnapshot(from);
    if (typeof graph !== 'string') return { graph, from, others: snapshots.slice(index + 1) };
  }
  return { graph: createExecutionGraph(), from: undefined, others: [] };
}

/** null: it says what the events say; or it was retired meanwhile. */
async function difference(snapshot: LogSnapshot, expected: ExecutionGraph): Promise<string | null> {
  try {
    const graph = await graphOfSnapshot(snapshot);
    return typeof graph === 'string' ? graph : graphDifference(graph, expected);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
