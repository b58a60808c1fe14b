// compact: a snapshot of a store's last state, proved equal to what the events say, and the events retired. Crash-safe at
// each step: until the manifest is replaced everything is there as before, from then on only files that nobody reads are
// removed, and the same command completes it. Spec: docs/commands.md "compact", docs/format.md "Snapshots".
import { join } from 'node:path';
import { writeGraph } from '../engine/job-master/take-snapshot.ts';
import { invariant, JobrecError, messageOf } from '../model/errors.ts';
import type { JobLog, StoreSummary } from '../model/job-log.ts';
import { isGloballyTerminal } from '../model/states.ts';
import type { ExecutionGraph } from '../replay/execution-graph.ts';
import { graphToParts, submissionOf } from '../replay/graph-snapshot.ts';
import { replayLog } from '../replay/replay-log.ts';
import { temporaryPath } from '../store/atomic-file.ts';
import { headerBytes } from '../store/format.ts';
import { readLayout } from '../store/layout.ts';
import type { Manifest } from '../store/manifest.ts';
import { findStore, openJobLog } from '../store/open-log.ts';
import { bytesOf, removeRetired, retiredFiles } from '../store/retired-files.ts';
import { snapshotBytes } from '../store/snapshot-file.ts';
import { localStorage, type StoragePort } from '../store/storage-port.ts';
import { StoreWriter } from '../store/writer.ts';
import { proveSnapshot } from './compact-proof.ts';
import type { CompactReport, StoreSize } from './compact-report.ts';
import { holdStore, refuseLive, type StoreHold } from './store-hold.ts';

export interface CompactOptions {
  readonly location: string;
  readonly dryRun: boolean;
  /** For tests of faults. */
  readonly storage?: StoragePort;
}

/**
 * Compacts the store, or says what that would do. Errors: UNSUPPORTED_FOR_FORMAT for a Flink store, JOB_HELD for one that a
 * process holds, STORE_DAMAGED, STORE_UNREADABLE where the disk refuses (the store is then as it was, or compacted).
 */
export async function compactStore(options: CompactOptions): Promise<CompactReport> {
  const { folder, format } = await findStore(options.location);
  if (format === 'flink') throw unsupported(folder);
  await refuseLive(folder);
  const found = await lookAt(folder);
  const plan = planOf(found);
  if (options.dryRun || !plan.needed) return plan;
  const hold = await holdStore(folder, 'compact', found.epoch);
  try {
    await carryOut(folder, found, hold, options.storage ?? localStorage);
  } catch (error) {
    throw refusal(folder, error);
  }
  const after = await lookAt(folder);
  return { ...plan, applied: true, after: after.size, snapshot: after.base };
}

interface Found {
  readonly folder: string;
  readonly summary: StoreSummary;
  readonly graph: ExecutionGraph;
  readonly manifest: Manifest;
  /** Highest epoch that a file of the store is of. */
  readonly epoch: number;
  /** All of its files that readers look at, or that are being retired. */
  readonly size: StoreSize;
  readonly leftovers: readonly string[];
  /** The snapshot that holds all, right before the first segment; null: there is none. */
  readonly base: CompactReport['snapshot'];
}

async function lookAt(folder: string): Promise<Found> {
  const layout = await readLayout(folder);
  const log = await openJobLog(folder);
  const { graph } = await replayLog(log);
  const summary = await log.summary();
  if (summary.damage !== null || layout.manifest.kind !== 'good') throw damaged(folder, summary);
  const { manifest } = layout.manifest;
  const leftovers = await retiredFiles(folder, manifest);
  const epoch = Math.max(manifest.epoch, ...layout.files.map(({ key }) => key.epoch));
  const temporary = leftovers.filter((name) => name.startsWith('.'));
  const bytes = summary.bytes + (await bytesOf(folder, temporary));
  const size = { bytes, events: summary.events, segments: summary.segments.length };
  const base = await baseOf(log, graph);
  return { folder, summary, graph, manifest, epoch, size, leftovers, base };
}

async function baseOf(log: JobLog, { lastSequence }: ExecutionGraph): Promise<CompactReport['snapshot']> {
  if (log.firstSequence === 0 || log.firstSequence !== (lastSequence ?? -1) + 1) return null;
  const found = (await log.snapshots()).find(({ sequence }) => sequence === lastSequence);
  return found ? { name: found.name, sequence: found.sequence, bytes: found.bytes } : null;
}

/** What compacting would do; as long as nothing was done. */
function planOf(found: Found): CompactReport {
  const { folder, graph, summary, manifest, leftovers, base, size } = found;
  const same = { location: folder, applied: false, before: size, after: size, retired: [], snapshot: base };
  const submitted = submissionOf(graph);
  if (submitted === null) return { ...same, needed: false, why: 'the store holds no job yet' };
  if (base !== null && manifest.segments.length === 1) {
    if (leftovers.length === 0) return { ...same, needed: false, why: 'its history is retired already' };
    const why = 'an earlier compaction did not end: what it had retired is removed';
    return { ...same, needed: true, why, after: sizeOf(base.bytes), retired: segmentsIn(leftovers) };
  }
  const bytes = snapshotBytes({ submitted, parts: graphToParts(graph) });
  const snapshot = { name: null, sequence: graph.lastSequence ?? 0, bytes };
  const why = `the ${summary.events} events up to sequence ${snapshot.sequence} are retired; a snapshot holds what they led to`;
  const retired = summary.segments.map(({ name }) => name);
  return { ...same, needed: true, why, after: sizeOf(bytes), retired, snapshot };
}

/** One snapshot, and an empty segment that says where the log goes on. */
function sizeOf(snapshot: number): StoreSize {
  return { bytes: snapshot + headerBytes, events: 0, segments: 1 };
}

function segmentsIn(names: readonly string[]): string[] {
  return names.flatMap((name) => /[^-]+-[^-]+\.seg$/.exec(name)?.[0] ?? []);
}

async function carryOut(folder: string, found: Found, hold: StoreHold, storage: StoragePort): Promise<void> {
  if (found.base === null || found.manifest.segments.length > 1) await retireHistory(folder, found, hold, storage);
  const layout = await readLayout(folder);
  invariant(layout.manifest.kind === 'good', 'a manifest that was just written is good');
  if (await hold.isFenced()) return;
  await removeRetired(folder, await retiredFiles(folder, layout.manifest.manifest), storage);
}

/** Up to the manifest that leaves the history out, nothing of it is touched. */
async function retireHistory(folder: string, found: Found, hold: StoreHold, storage: StoragePort): Promise<void> {
  const { epoch, isFenced } = hold;
  const { jobId } = found.manifest;
  const buffers = { flushIntervalMs: 0, writeBufferSizeBytes: 1 };
  const { writer, log } = await StoreWriter.resume({ folder, jobId, epoch, isFenced, storage, ...buffers });
  try {
    const { graph } = await replayLog(log);
    invariant(writer.tookOver !== null, 'a store with a job has a last event');
    invariant(graph.lastSequence === writer.tookOver.sequence, 'the whole log was replayed');
    const temporary = temporaryPath(join(folder, 'snapshot'));
    const snapshot = await writeGraph(graph, writer.tookOver, { folder, epoch, temporary, storage });
    invariant(snapshot !== null, 'a store with a job has a snapshot');
    await proveSnapshot(await openJobLog(folder), snapshot, graph);
    await writer.retireEarlier(snapshot, isGloballyTerminal(graph.state));
  } finally {
    await writer.close().catch(() => {});
  }
}

function unsupported(location: string): JobrecError {
  const message = 'compact is for stores that jobrec wrote; Flink deletes its own when the job ends';
  return new JobrecError('UNSUPPORTED_FOR_FORMAT', message, { data: { location, format: 'flink' } });
}

function damaged(folder: string, { findings }: StoreSummary): JobrecError {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const message = `the store ${folder} is damaged, and nothing of it is retired: ${errors[0]?.message ?? 'its manifest is damaged'}`;
  const hint = `repair it first: jobrec validate ${folder} --repair --dry-run`;
  return new JobrecError('STORE_DAMAGED', message, { data: { location: folder, findings: errors }, hint });
}

function refusal(folder: string, error: unknown): unknown {
  if (error instanceof JobrecError && error.data.fenced === true) {
    const message = `the store ${folder} was taken over by another process meanwhile`;
    return new JobrecError('JOB_HELD', message, { data: { location: folder }, cause: error });
  }
  const system = error instanceof JobrecError ? error.cause : error;
  if (!(system instanceof Error && 'code' in system)) return error;
  const message = `${folder} cannot be compacted: ${messageOf(system)}`;
  const hint = 'nothing is lost: the store is as it was, or compacted; free or repair the disk, and run compact again';
  return new JobrecError('STORE_UNREADABLE', message, { data: { location: folder }, hint, cause: error });
}
