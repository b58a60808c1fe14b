// Which snapshots of a store are whole, and where in the log each goes on. Invariant: a snapshot holds acknowledged events
// only (its writer sees to that), so a whole one is always true; where the log does not reach it, the log has lost
// something. Damaged ones are findings. Spec: docs/format.md, "Snapshots".
import path from 'node:path';
import type { Finding, LogSnapshot } from '../model/job-log.ts';
import { type ChainLink, compareKeys, finding } from './chain.ts';
import { GraphTables } from './event-types.ts';
import { headerBytes, type PreviousCut, type SegmentHeader, segmentName, snapshotName } from './format.ts';
import type { SnapshotFile, StoreLayout } from './layout.ts';
import type { ManifestSnapshot } from './manifest.ts';
import type { ScanStart } from './scan.ts';
import { checkSnapshot, partsOf, type SnapshotSource } from './snapshot-file.ts';

/** A whole snapshot with the place where the log goes on behind it. */
export interface UsableSnapshot extends LogSnapshot {
  readonly start: ScanStart;
  /** The segment that holds its last event, and the position behind that event. */
  readonly previous: PreviousCut;
}

export interface CheckedSnapshots {
  /** Newest first. */
  readonly usable: readonly UsableSnapshot[];
  readonly findings: readonly Finding[];
}

/** `gone`: superseded and removed by a live writer since the folder was listed. */
type Checked = { readonly usable: UsableSnapshot } | { readonly flaw: Flaw } | { readonly gone: true };

interface Flaw {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

/** Reads every byte of every snapshot. */
export async function checkSnapshots(layout: StoreLayout): Promise<CheckedSnapshots> {
  const first = layout.chain.links[0]?.key.baseSequence ?? 0;
  // One that ends before the first segment is being retired with the events that it would need.
  const files = layout.snapshots.filter(({ key }) => key.baseSequence >= first);
  const checked = await Promise.all(files.map((file) => checkFile(layout, file)));
  const usable = checked.flatMap((each) => ('usable' in each ? [each.usable] : []));
  const flaws = checked.flatMap((each) => ('flaw' in each ? [each.flaw] : []));
  const isNeeded = first > 0 && usable.length === 0;
  const findings = [...flaws, ...missingOf(layout)].map((flaw) => flawFinding(flaw, isNeeded));
  if (isNeeded) findings.push(nothingHolds(layout, first));
  usable.sort((a, b) => b.sequence - a.sequence || b.epoch - a.epoch);
  // Of an older one it says nothing that the damage of its segment does not say.
  const hole = usable[0]?.start.hole ?? null;
  if (hole !== null) findings.push(hole);
  return { usable, findings };
}

async function checkFile(layout: StoreLayout, { key, size, header }: SnapshotFile): Promise<Checked> {
  const name = snapshotName(key);
  const flaw = (offset: number, reason: string) => ({ flaw: { name, offset, bytes: size, reason } });
  if (header.kind !== 'good' || header.header.previous === null) return flaw(0, 'its header is damaged');
  const isOwn = compareKeys(header.header, key) === 0 && header.header.jobId === jobIdOf(layout, header.header);
  if (!isOwn) return flaw(0, 'it has the header of another snapshot or job');
  const source = { file: path.join(layout.folder, name), size, header: header.header };
  const verdict = await checkSnapshot(source);
  if (verdict.kind === 'gone') return { gone: true };
  if (verdict.kind === 'damaged') return flaw(verdict.offset, verdict.reason);
  const { submitted, timeMicros } = verdict;
  const { previous } = header.header;
  const tables = new GraphTables(submitted.graph);
  const start = startBehind(layout.chain.links, name, { ...header.header, previous }, { tables, timeMicros });
  const { epoch, baseSequence } = key;
  const info = { name, bytes: size, epoch, sequence: baseSequence - 1, timeMicros, submitted };
  return { usable: { ...info, start, previous, parts: () => partsOf(source satisfies SnapshotSource) } };
}

/** The job of the store's segments; a store without any good one takes the snapshot's word. */
function jobIdOf({ manifest, chain }: StoreLayout, header: SegmentHeader): string {
  if (manifest.kind === 'good') return manifest.manifest.jobId;
  return chain.links.findLast((link) => link.header !== null)?.header?.jobId ?? header.jobId;
}

function startBehind(
  links: readonly ChainLink[],
  name: string,
  { baseSequence, previous }: { readonly baseSequence: number; readonly previous: PreviousCut },
  known: Pick<ScanStart, 'tables' | 'timeMicros'>,
): ScanStart {
  const start = { ...known, nextSequence: baseSequence, hole: null };
  const behind = links.findIndex(
    (link) => link.header?.baseSequence === baseSequence && compareKeys(link.key, previous) > 0,
  );
  if (behind !== -1) return { ...start, linkIndex: behind, offset: headerBytes };
  const within = links.findIndex((link) => compareKeys(link.key, previous) === 0);
  const link = links[within];
  const end = link?.header ? Math.min(link.size, link.wholeUpTo ?? link.size) : 0;
  if (previous.length <= end) return { ...start, linkIndex: within, offset: previous.length };
  const segment = segmentName(previous);
  const what = link?.header ? `ends at byte ${end}, before them` : 'is missing or damaged';
  const message = `${name} holds the events up to sequence ${baseSequence - 1}, but ${segment}, which goes on behind them, ${what}`;
  const hole = finding('SNAPSHOT_MISMATCH', 'error', { segment: name, offset: 0, sequence: baseSequence, message });
  return { ...start, linkIndex: links.length, offset: 0, hole };
}

/** Snapshots that the manifest names and that are not there. */
function missingOf({ manifest, snapshots }: StoreLayout): Flaw[] {
  const named: readonly ManifestSnapshot[] = manifest.kind === 'good' ? manifest.manifest.snapshots : [];
  const there = new Set(snapshots.map(({ key }) => snapshotName(key)));
  const missing = named.filter(({ name }) => !there.has(name));
  return missing.map(({ name, bytes }) => ({ name, offset: 0, bytes, reason: 'it is missing' }));
}

/** No event is lost with it as long as they are all there. */
function flawFinding({ name, offset, bytes, reason }: Flaw, isNeeded: boolean): Finding {
  const rest = isNeeded ? '' : '; nothing is lost: what it holds is still there';
  const message = `the snapshot ${name} cannot be used: ${reason}${rest}`;
  const bytesLost = isNeeded ? bytes : 0;
  return finding('SNAPSHOT_MISMATCH', isNeeded ? 'error' : 'warning', { segment: name, offset, bytesLost, message });
}

function nothingHolds({ chain }: StoreLayout, first: number): Finding {
  const message = `the events before sequence ${first} were retired, and no whole snapshot holds them`;
  const segment = chain.links[0]?.name ?? '';
  return finding('SNAPSHOT_MISMATCH', 'error', { segment, offset: 0, sequence: first, message });
}
