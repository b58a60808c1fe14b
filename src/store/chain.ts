// Which segments make up the log, in order: found from the newest back over the headers' `previous`. Pure: file facts
// in, links and findings out. Invariants: the newest epoch decides; nothing is skipped, a missing or damaged segment is
// a link of its own at which reading ends. Spec: docs/format.md, "The chain, cuts and fencing".
import type { Finding, FindingCode, Severity } from '../model/job-log.ts';
import type { HeaderVerdict, PreviousCut, SegmentHeader, SegmentKey } from './format.ts';
import { manifestName, segmentName } from './format.ts';
import type { Manifest, ManifestSegment, ManifestVerdict } from './manifest.ts';

/** A segment file as found in the folder. */
export interface SegmentFile {
  readonly key: SegmentKey;
  readonly size: number;
  readonly header: HeaderVerdict;
}

export interface ChainLink {
  readonly name: string;
  readonly key: SegmentKey;
  readonly size: number;
  /** null: missing or damaged. Reading ends before such a link. */
  readonly header: SegmentHeader | null;
  /** Length up to which it must be whole: the next segment's cut, or the manifest's for a sealed one; null: open. */
  readonly wholeUpTo: number | null;
  /** Base sequence of the next link; null for the last. */
  readonly nextBase: number | null;
  /** What is wrong with it, where `header` is null. */
  readonly flaw: Finding | null;
  /** Its end was fixed by a following segment. */
  readonly cut: boolean;
}

export interface Chain {
  readonly links: readonly ChainLink[];
  /** Findings on the manifest and on files outside the chain. */
  readonly findings: readonly Finding[];
}

type Node = { readonly key: SegmentKey; readonly file: SegmentFile | null; readonly header: SegmentHeader | null };

export function resolveChain(files: readonly SegmentFile[], manifestVerdict: ManifestVerdict): Chain {
  const manifest = manifestVerdict.kind === 'good' ? manifestVerdict.manifest : null;
  const jobId = manifest?.jobId ?? newestHeader(files)?.jobId ?? null;
  const nodes = nodesOf(files, manifest, jobId);
  const chain = walkBack(nodes, manifest?.segments[0] ?? null);
  const links = chain.map((node, index) => linkOf(node, chain[index + 1] ?? null, manifest));
  const findings = [
    ...manifestFindings(manifestVerdict, files.length),
    ...cutFindings(links, chain, manifest),
    ...strayFindings(nodes, chain, manifest),
  ];
  return { links, findings };
}

function newestHeader(files: readonly SegmentFile[]): SegmentHeader | null {
  const good = files.filter((file) => file.header.kind === 'good').sort((a, b) => compareKeys(b.key, a.key));
  const newest = good[0]?.header;
  return newest?.kind === 'good' ? newest.header : null;
}

/** Everything that the folder holds or the manifest names, oldest first. */
function nodesOf(files: readonly SegmentFile[], manifest: Manifest | null, jobId: string | null): Node[] {
  const nodes = new Map<string, Node>();
  for (const { baseSequence, epoch, name } of manifest?.segments ?? []) {
    nodes.set(name, { key: { baseSequence, epoch }, file: null, header: null });
  }
  for (const file of files)
    nodes.set(segmentName(file.key), { key: file.key, file, header: usableHeader(file, jobId) });
  return [...nodes.values()].sort((a, b) => compareKeys(a.key, b.key));
}

/** A header that fits its file's name and job, and that points back. */
function usableHeader(file: SegmentFile, jobId: string | null): SegmentHeader | null {
  if (file.header.kind !== 'good') return null;
  const { header } = file.header;
  const fits = compareKeys(header, file.key) === 0 && header.jobId === jobId;
  const pointsBack = header.previous === null ? header.baseSequence === 0 : precedes(header.previous, header);
  return fits && pointsBack ? header : null;
}

/** Epoch first: the newest epoch decides, whatever older writers still do. */
export function compareKeys(a: SegmentKey, b: SegmentKey): number {
  return a.epoch - b.epoch || a.baseSequence - b.baseSequence;
}

function precedes(a: SegmentKey, b: SegmentKey): boolean {
  return a.epoch <= b.epoch && a.baseSequence <= b.baseSequence && compareKeys(a, b) !== 0;
}

/** The chain, oldest first. It ends at the manifest's first segment, or at one without a predecessor. */
function walkBack(nodes: readonly Node[], first: SegmentKey | null): Node[] {
  const chain: Node[] = [];
  let current = nodes.at(-1) ?? null;
  while (current !== null) {
    chain.unshift(current);
    current = isFirst(current, first) ? null : predecessorOf(current, nodes);
  }
  return chain;
}

function isFirst(node: Node, first: SegmentKey | null): boolean {
  return first !== null && compareKeys(node.key, first) <= 0;
}

function predecessorOf(node: Node, nodes: readonly Node[]): Node | null {
  // A damaged header tells nothing: the newest candidate before it is the log up to the damage.
  if (node.header === null) return nodes.findLast((other) => precedes(other.key, node.key)) ?? null;
  const { previous } = node.header;
  if (previous === null) return null;
  const found = nodes.find((other) => compareKeys(other.key, previous) === 0);
  return found ?? { key: keyOf(previous), file: null, header: null };
}

function keyOf(cut: PreviousCut): SegmentKey {
  return { baseSequence: cut.baseSequence, epoch: cut.epoch };
}

function linkOf(node: Node, next: Node | null, manifest: Manifest | null): ChainLink {
  const name = segmentName(node.key);
  const recorded = manifestEnd(node, manifest);
  const cut = next?.header?.previous?.length ?? null;
  return {
    name,
    key: node.key,
    size: node.file?.size ?? 0,
    header: node.header,
    wholeUpTo: cut ?? recorded,
    nextBase: next?.key.baseSequence ?? null,
    flaw: node.header === null ? flawOf(node, name) : null,
    cut: cut !== null,
  };
}

/** Where the manifest says that a segment ends; null where it says nothing, or is older than the segment. */
function manifestEnd(node: Node, manifest: Manifest | null): number | null {
  const entry = manifest?.segments.find((segment) => compareKeys(segment, node.key) === 0);
  return entry?.sealed ? entry.bytes : null;
}

function flawOf(node: Node, segment: string): Finding {
  const { key, file } = node;
  const sequence = key.baseSequence;
  if (file === null) {
    const message = `${segment} is missing; ${readUpTo(sequence)}`;
    return finding('SEGMENT_GAP', 'error', { segment, offset: 0, sequence, message });
  }
  const message = `${segment} has ${headerFlaw(file)}; nothing in it can be read`;
  const code = file.header.kind === 'good' ? 'MANIFEST_MISMATCH' : 'CHECKSUM_MISMATCH';
  return finding(code, 'error', { segment, offset: 0, sequence, bytesLost: file.size, message });
}

function headerFlaw(file: SegmentFile): string {
  if (file.header.kind === 'good') return 'the header of another segment or job';
  return file.header.kind === 'bad' && file.header.reason === 'short' ? 'an incomplete header' : 'a damaged header';
}

function manifestFindings(verdict: ManifestVerdict, segments: number): Finding[] {
  if (verdict.kind === 'good' || verdict.kind === 'version') return [];
  if (verdict.kind === 'absent' && segments === 0) return [];
  const message =
    verdict.kind === 'absent' ? `${manifestName} is missing` : `${manifestName} is damaged: ${verdict.reason}`;
  return [finding('MANIFEST_MISMATCH', 'error', { segment: manifestName, offset: 0, message })];
}

/** A manifest as new as the cut, that says something else. An older one is superseded by the headers. */
function cutFindings(links: readonly ChainLink[], chain: readonly Node[], manifest: Manifest | null): Finding[] {
  return links.flatMap((link, index) => {
    const successor = chain[index + 1]?.header ?? null;
    if (manifest === null || successor === null || manifest.epoch < successor.epoch) return [];
    const entry = manifest.segments.find((segment) => segment.name === link.name);
    if (!disagrees(entry, successor.previous)) return [];
    const message = `${manifestName} says that ${link.name} ends elsewhere than the next segment's header does`;
    return [finding('MANIFEST_MISMATCH', 'error', { segment: manifestName, offset: 0, message })];
  });
}

function disagrees(entry: ManifestSegment | undefined, cut: PreviousCut | null): boolean {
  return entry !== undefined && cut !== null && entry.sealed && entry.bytes !== cut.length;
}

/** Files that the chain leaves out: retired (silent), fenced (info), or proof of a hole (error). */
function strayFindings(nodes: readonly Node[], chain: readonly Node[], manifest: Manifest | null): Finding[] {
  const first = manifest?.segments[0] ?? null;
  const strays = nodes.filter((node) => !chain.includes(node) && !(first !== null && compareKeys(node.key, first) < 0));
  return strays.map((node) => {
    const segment = segmentName(node.key);
    // The first newer epoch in the chain names its predecessor: it knew what the log was, and left this one out.
    const successor = chain.find((link) => link.key.epoch > node.key.epoch);
    if (!successor?.header) return { ...flawOf(node, segment), code: 'SEGMENT_GAP' };
    const message = `${segment} was written by an epoch that epoch ${successor.key.epoch} had fenced off; it is ignored`;
    return finding('FENCED_WRITES', 'info', { segment, offset: 0, message });
  });
}

interface FindingPlace {
  readonly segment: string;
  readonly offset: number;
  readonly sequence?: number;
  readonly bytesLost?: number;
  readonly message: string;
}

/** `next`: the sequence number that the first unreadable event would have. */
export function readUpTo(next: number): string {
  return next === 0 ? 'no event of the log can be read' : `the log cannot be read beyond sequence ${next - 1}`;
}

/** A finding with the defaults filled in. */
export function finding(code: FindingCode, severity: Severity, place: FindingPlace): Finding {
  const { segment, offset, message, sequence = null, bytesLost = 0 } = place;
  return { code, severity, segment, offset, sequence, bytesLost, message };
}
