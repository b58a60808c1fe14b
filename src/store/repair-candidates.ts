// What can still be read of a damaged store: the events from its beginning up to the first damage, and each whole snapshot
// with the events behind it. Reads only, decides nothing. Spec: docs/format.md, "Repair".
import path from 'node:path';
import type { LogSnapshot } from '../model/job-log.ts';
import type { ChainLink } from './chain.ts';
import { EventDecoder } from './event-decoder.ts';
import { GraphTables } from './event-types.ts';
import type { PreviousCut } from './format.ts';
import type { StoreLayout } from './layout.ts';
import { type LogEnd, LogScan } from './scan.ts';
import { openSegmentBytes } from './segment-bytes.ts';
import { SegmentLog } from './segment-log.ts';
import { marksBehind, walkSegment } from './segment-reader.ts';

export interface RepairCandidate {
  /** What it rests on; null: on events alone. */
  readonly snapshot: LogSnapshot | null;
  /** The segments that it reads, in order. */
  readonly links: readonly ChainLink[];
  readonly previous: PreviousCut | null;
  readonly nextSequence: number;
  readonly timeMicros: number;
}

export interface RepairCandidates {
  readonly log: SegmentLog;
  /** The one that reaches furthest first; of two that reach as far, the one with more events. */
  readonly candidates: readonly RepairCandidate[];
  /** Behind the last event that the store is known to have held. */
  readonly endKnown: number;
  /** Finished tasks in the segments that can be read one by one, also behind damage, by sequence number. */
  readonly finishes: readonly { readonly sequence: number; readonly vertexId: string; readonly subtask: number }[];
  /** Ends of all walks that were made. */
  readonly ends: readonly LogEnd[];
}

export async function repairCandidates(layout: StoreLayout): Promise<RepairCandidates> {
  const log = new SegmentLog(layout, { live: false });
  const snapshots = await log.snapshots();
  const candidates: RepairCandidate[] = [];
  const ends: LogEnd[] = [];
  if (log.firstSequence === 0) {
    const end = await scanned(layout);
    ends.push(end);
    candidates.push({ snapshot: null, ...reached(layout, end, 0) });
  }
  for (const snapshot of snapshots) {
    const end = await log.scanToEnd(snapshot);
    ends.push(end);
    const { previous, start } = snapshot;
    const rest = start.hole === null ? reached(layout, end, start.linkIndex) : { links: [] };
    const own = { previous, nextSequence: snapshot.sequence + 1, timeMicros: snapshot.timeMicros };
    candidates.push({ ...own, ...rest, previous: ('previous' in rest ? rest.previous : null) ?? previous, snapshot });
  }
  candidates.sort(
    (a, b) => b.nextSequence - a.nextSequence || (a.snapshot?.sequence ?? -1) - (b.snapshot?.sequence ?? -1),
  );
  const tables = ends.find((end) => end.tables.vertexIds.length > 0)?.tables ?? new GraphTables(null);
  return { log, candidates, ...(await beyondReach(layout, candidates, tables)), ends };
}

/** Without what is known of the snapshots: a walk over the events alone. */
async function scanned(layout: StoreLayout): Promise<LogEnd> {
  const scan = new LogScan(layout, { live: false });
  for await (const _group of scan.groups());
  return scan.end();
}

function reached({ chain }: StoreLayout, end: LogEnd, from: number): Omit<RepairCandidate, 'snapshot'> {
  const { last, nextSequence } = end;
  const timeMicros = end.lastTimeMicros ?? 0;
  if (last === null) return { links: [], previous: null, nextSequence, timeMicros };
  const to = chain.links.findIndex((link) => link.name === last.link.name);
  const previous = { ...last.link.key, length: last.length };
  return { links: chain.links.slice(from, to + 1), previous, nextSequence, timeMicros };
}

type Beyond = Pick<RepairCandidates, 'endKnown' | 'finishes'>;

/** What the manifest and the frames of the log's segments tell, each segment read for itself. */
async function beyondReach(
  layout: StoreLayout,
  candidates: readonly RepairCandidate[],
  tables: GraphTables,
): Promise<Beyond> {
  const named = layout.manifest.kind === 'good' ? layout.manifest.manifest.segments : [];
  const ends = candidates.map(({ nextSequence }) => nextSequence);
  ends.push(...named.map(({ baseSequence, lastSequence }) => (lastSequence ?? baseSequence - 1) + 1));
  const finishes: Beyond['finishes'][number][] = [];
  for (const link of layout.chain.links) ends.push(await readAlone(layout.folder, link, tables, finishes));
  return { endKnown: Math.max(0, ...ends), finishes };
}

/** Returns the sequence number behind the segment's last whole frame. */
async function readAlone(
  folder: string,
  { name, key, size, header, nextBase }: ChainLink,
  tables: GraphTables,
  finishes: Beyond['finishes'][number][],
): Promise<number> {
  if (header === null) return nextBase ?? key.baseSequence;
  const source = await openSegmentBytes(path.join(folder, name), size);
  const decoder = new EventDecoder(tables);
  try {
    const walk = walkSegment(source, header, { wholeUpTo: null, nextBase });
    let step = await walk.next();
    for (; !step.done; step = await walk.next()) {
      for (const { head, payload } of step.value) {
        const decoded = decoder.decode(head.type, head.vertex, payload);
        if (decoded.kind !== 'event' || decoded.event.type !== 'execution-vertex-finished') continue;
        const { vertexId, subtask } = decoded.event;
        finishes.push({ sequence: head.sequence, vertexId, subtask });
      }
    }
    const { nextSequence, offset, stop } = step.value;
    let furthest = Math.max(nextSequence, nextBase ?? 0);
    if (stop === null) return furthest;
    for await (const mark of marksBehind(source, header, offset)) furthest = Math.max(furthest, mark.nextSequence);
    return furthest;
  } finally {
    await source.close();
  }
}
