// How a writer begins: in a new store, or where the epochs before it left off. Invariants: what may hold an acknowledged
// event is never removed or written over; the segment before is synced and its cut recorded before a new event counts.
// Spec: docs/format.md, "The chain, cuts and fencing".
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { InvariantViolation, invariant, JobrecError } from '../model/errors.ts';
import type { JobLog } from '../model/job-log.ts';
import type { ChainLink } from './chain.ts';
import { headerBytes, type PreviousCut, segmentName, temporaryPrefix } from './format.ts';
import { readLayout, type StoreLayout } from './layout.ts';
import type { ManifestSegment, ManifestSnapshot } from './manifest.ts';
import type { LogEnd } from './scan.ts';
import { SegmentLog } from './segment-log.ts';
import { SegmentOutput, type SegmentOutputOptions } from './segment-output.ts';
import type { UsableSnapshot } from './snapshots.ts';
import { localStorage } from './storage-port.ts';
import type { StoreWriterOptions, WriterStart } from './writer-options.ts';

interface Found {
  readonly layout: StoreLayout;
  /** Whole ones, newest first. */
  readonly snapshots: readonly UsableSnapshot[];
  /** Of the events behind the newest snapshot. */
  readonly end: LogEnd;
}

/** Starts a store in an empty folder, or over what a writer left that was killed in its first write. */
export async function startFirst(options: StoreWriterOptions): Promise<WriterStart> {
  const found = await lookAt(options);
  if (holdsNothing(found)) return startClean(options, found);
  throw found.end.nextSequence > 0
    ? new InvariantViolation(`${options.folder} holds events: it is to be resumed, not created`)
    : damaged(options.folder, found.end);
}

/** Takes over a store; one that holds nothing yet is started clean. */
export async function startNext(options: StoreWriterOptions): Promise<{ start: WriterStart; log: JobLog }> {
  const found = await lookAt(options);
  if (holdsNothing(found)) {
    const empty = new SegmentLog(
      { ...found.layout, snapshots: [], chain: { links: [], findings: [] } },
      { live: true },
    );
    return { start: await startClean(options, found), log: empty };
  }
  refuseUnsound(options.folder, found.end);
  return takeOver(options, found);
}

async function lookAt(options: StoreWriterOptions): Promise<Found> {
  const { folder, storage = localStorage } = options;
  await storage.makeFolder(folder);
  await storage.syncFolder(path.dirname(folder));
  const layout = await readLayout(folder);
  const log = new SegmentLog(layout, { live: true });
  const snapshots = await log.snapshots();
  // What the newest snapshot holds is not read again: that bounds the time of a take-over.
  return { layout, snapshots, end: await log.scanToEnd(snapshots[0]) };
}

/** Whether no event can ever have been acknowledged here: nothing was written, or the first group never ended. */
function holdsNothing({ layout, end }: Found): boolean {
  if (end.nextSequence > 0) return false;
  if (layout.files.some((file) => file.key.baseSequence > 0)) return false;
  // A header that is cut short was never given its name by this writer, and holds nothing that could count.
  if (layout.manifest.kind === 'absent') return layout.files.every((file) => file.size < headerBytes);
  const named = layout.manifest.kind === 'good' ? layout.manifest.manifest.segments.map((segment) => segment.name) : [];
  const unborn = layout.files.filter((file) => file.size < headerBytes).map((file) => segmentName(file.key));
  const errors = end.findings.filter((found) => found.severity === 'error');
  return errors.every((found) => unborn.includes(found.segment ?? '') && !named.includes(found.segment ?? ''));
}

async function startClean(options: StoreWriterOptions, { layout }: Found): Promise<WriterStart> {
  const output = await SegmentOutput.open(outputOptions(options, 0), {
    baseSequence: 0,
    previous: null,
    earlier: [],
    snapshots: [],
  });
  const own = segmentName({ baseSequence: 0, epoch: options.epoch });
  const halfMade = layout.files.map((file) => segmentName(file.key)).filter((name) => name !== own);
  // Only now: until the new segment is there, the old one is what a reader finds.
  await removeLeftovers(options, halfMade).catch((error) => output.close().then(() => Promise.reject(error)));
  return { output, nextSequence: 0, lastTimeMicros: 0, tables: null, tookOver: null };
}

async function takeOver(options: StoreWriterOptions, found: Found): Promise<{ start: WriterStart; log: JobLog }> {
  const { layout, end, snapshots } = found;
  invariant(end.last !== null, 'a store with events has a last segment');
  const { link, length } = end.last;
  invariant(options.epoch > link.key.epoch, `epoch ${options.epoch} does not follow epoch ${link.key.epoch}`);
  await syncSegment(options, link.name);
  await removeLeftovers(options, []);
  const links = layout.chain.links.map((each) => (each === link ? { ...link, wholeUpTo: length, cut: true } : each));
  const output = await SegmentOutput.open(outputOptions(options, end.lastTimeMicros ?? 0), {
    baseSequence: end.nextSequence,
    previous: { ...link.key, length },
    earlier: links.map((each) => cutEntry(each, end.nextSequence)),
    snapshots: snapshots.map(snapshotEntry).reverse(),
  });
  const log = new SegmentLog({ ...layout, chain: { ...layout.chain, links } }, { live: true });
  const { nextSequence, tables, lastTimeMicros } = end;
  const timeMicros = lastTimeMicros ?? 0;
  const tookOver = { segment: link.key, offset: length, sequence: nextSequence - 1, timeMicros };
  return { start: { output, nextSequence, lastTimeMicros: timeMicros, tables, tookOver }, log };
}

/** Where a repaired log ends; what is not named here is no part of it any more. */
export interface RepairedLog {
  /** Its segments, in order; the last one counts up to `length`. Empty: a snapshot alone holds all, or nothing is held. */
  readonly links: readonly ChainLink[];
  /** The segment that held the last event, and the length of it that counts; null: no event is kept. */
  readonly previous: PreviousCut | null;
  readonly nextSequence: number;
  readonly timeMicros: number;
  readonly snapshots: readonly ManifestSnapshot[];
}

/** Ends the log where `log` says, by a segment of this epoch behind it and a manifest; touches no other file. */
export async function endLogAt(options: StoreWriterOptions, log: RepairedLog, seals: boolean): Promise<void> {
  const { links, previous, nextSequence, timeMicros, snapshots } = log;
  const last = links.at(-1);
  const kept = links.map((link) =>
    link === last && previous !== null ? { ...link, wholeUpTo: previous.length } : link,
  );
  const earlier = kept.map((link) => cutEntry(link, nextSequence));
  const start = { baseSequence: nextSequence, previous, earlier, snapshots };
  const output = await SegmentOutput.open(outputOptions(options, timeMicros), start);
  try {
    if (seals) await output.seal();
  } finally {
    await output.close();
  }
}

/** What was read may still be in memory only: it must be on disk before the cut makes it count. */
async function syncSegment({ folder, storage = localStorage }: StoreWriterOptions, name: string): Promise<void> {
  const file = await storage.openFile(path.join(folder, name));
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  await storage.syncFolder(folder);
}

function cutEntry(link: ChainLink, nextSequence: number): ManifestSegment {
  const { baseSequence, epoch } = link.key;
  const next = Math.min(link.nextBase ?? nextSequence, nextSequence);
  const lastSequence = next > baseSequence ? next - 1 : null;
  return { name: link.name, baseSequence, epoch, sealed: true, bytes: link.wholeUpTo, lastSequence };
}

function snapshotEntry({ name, sequence, epoch, bytes }: UsableSnapshot): ManifestSnapshot {
  return { name, baseSequence: sequence + 1, epoch, bytes };
}

/** Half-made files of writers that are gone, by their temporary names, and `segments`. */
async function removeLeftovers(options: StoreWriterOptions, segments: readonly string[]): Promise<void> {
  const { folder, storage = localStorage } = options;
  const names = (await readdir(folder)).filter((name) => name.startsWith(temporaryPrefix));
  for (const name of [...names, ...segments]) await storage.remove(path.join(folder, name));
  if (names.length + segments.length > 0) await storage.syncFolder(folder);
}

function outputOptions(options: StoreWriterOptions, lastTimeMicros: number): SegmentOutputOptions {
  const { folder, jobId, epoch, isFenced, now, storage = localStorage } = options;
  const nowMicros = () => Math.max(Math.trunc(now?.() ?? Date.now() * 1000), lastTimeMicros);
  return { folder, jobId, epoch, storage, isFenced, nowMicros };
}

function refuseUnsound(folder: string, end: LogEnd): void {
  if (end.damage !== null) throw damaged(folder, end);
  const unknown = end.findings.find((found) => found.code === 'UNKNOWN_TYPE');
  if (unknown === undefined) return;
  const message = `${folder} holds events of a newer jobrec: ${unknown.message}`;
  throw new JobrecError('FORMAT_TOO_NEW', message, {
    data: { folder, finding: unknown },
    hint: 'go on with the newer one',
  });
}

function damaged(folder: string, end: LogEnd): JobrecError {
  const errors = end.findings.filter((found) => found.severity === 'error');
  const message = `the store ${folder} is damaged and cannot be gone on with: ${errors[0]?.message ?? 'it has no good prefix'}`;
  const hint = `jobrec validate ${folder} tells what can be read; with --repair it keeps that, and run goes on from there`;
  return new JobrecError('STORE_DAMAGED', message, { data: { folder, findings: errors }, hint });
}
