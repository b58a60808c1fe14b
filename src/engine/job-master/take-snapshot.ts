// Takes a snapshot: replays a log to a point and writes the graph down beside it, by the same fold and the same bytes that
// a recovery reads. From the log and not from a master's memory, so that what is wrong in memory cannot get into the
// record. The caller sees to it that everything up to the point is acknowledged. Spec: docs/format.md, "Snapshots".
import { invariant } from '../../model/errors.ts';
import type { JobLog } from '../../model/job-log.ts';
import type { ExecutionGraph } from '../../replay/execution-graph.ts';
import { graphToParts, submissionOf } from '../../replay/graph-snapshot.ts';
import { replayNewest } from '../../replay/replay-log.ts';
import { parseSegmentName } from '../../store/format.ts';
import type { ManifestSnapshot } from '../../store/manifest.ts';
import { type SnapshotPosition, writeSnapshot } from '../../store/snapshot-file.ts';
import { localStorage, type StoragePort } from '../../store/storage-port.ts';

export interface SnapshotWriter {
  readonly folder: string;
  /** Of the JobMaster, or of who else holds the store. */
  readonly epoch: number;
  /** Path in `folder` that readers ignore, until the snapshot gets its name. */
  readonly temporary: string;
  readonly storage?: StoragePort;
}

/** The snapshot right behind event `sequence`; null where a snapshot stands there already, or no job was submitted. */
export async function takeSnapshot(
  log: JobLog,
  sequence: number,
  writer: SnapshotWriter,
): Promise<ManifestSnapshot | null> {
  const { graph, last } = await replayNewest(log, { until: { sequence } });
  if (last === null) return null;
  const segment = parseSegmentName(last.segment);
  invariant(segment !== null, 'a record lies in a segment');
  const [offset, timeMicros] = [last.offset + last.bytes, last.timeMicros ?? 0];
  return writeGraph(graph, { segment, offset, sequence: last.sequence, timeMicros }, writer);
}

/** Writes `graph` as the snapshot at `position`; null where no job was submitted. */
export async function writeGraph(
  graph: ExecutionGraph,
  position: SnapshotPosition,
  { folder, epoch, temporary, storage = localStorage }: SnapshotWriter,
): Promise<ManifestSnapshot | null> {
  const submitted = submissionOf(graph);
  if (submitted === null) return null;
  const options = { folder, epoch, temporary, storage, jobId: submitted.jobId, createdMicros: Date.now() * 1000 };
  return writeSnapshot(options, position, { submitted, parts: graphToParts(graph) });
}
