// MANIFEST: which segments there are, as JSON with a checksum line, replaced atomically. It is a witness, not the way
// into the log: the chain of headers is (chain.ts). Spec: docs/format.md, "MANIFEST".
import { crc32 } from 'node:zlib';
import { messageOf } from '../model/errors.ts';
import { formatVersion, parseSegmentName, parseSnapshotName, type SegmentKey } from './format.ts';
import { isCount, isFlag, isPlainObject, isText, listOf, nullable, objectOf } from './shape.ts';

export interface ManifestSegment {
  readonly name: string;
  readonly baseSequence: number;
  readonly epoch: number;
  /** It grows no more: sealed or cut at `bytes`. */
  readonly sealed: boolean;
  readonly bytes: number | null;
  readonly lastSequence: number | null;
}

export interface Manifest {
  readonly formatVersion: number;
  readonly jobId: string;
  /** Epoch of the writer of this manifest. */
  readonly epoch: number;
  readonly segments: readonly ManifestSegment[];
  /** Oldest first. */
  readonly snapshots: readonly ManifestSnapshot[];
}

export interface ManifestSnapshot {
  readonly name: string;
  /** First event that it does not hold. */
  readonly baseSequence: number;
  readonly epoch: number;
  readonly bytes: number;
}

export type ManifestVerdict =
  | { readonly kind: 'good'; readonly manifest: Manifest }
  | { readonly kind: 'version'; readonly formatVersion: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'bad'; readonly reason: string };

const isManifest = objectOf({
  formatVersion: isCount,
  jobId: isText,
  epoch: isCount,
  segments: listOf(
    objectOf({
      name: isText,
      baseSequence: isCount,
      epoch: isCount,
      sealed: isFlag,
      bytes: nullable(isCount),
      lastSequence: nullable(isCount),
    }),
  ),
  snapshots: listOf(objectOf({ name: isText, baseSequence: isCount, epoch: isCount, bytes: isCount })),
});

/** Manifests are small: one line a segment. A larger file is not one. */
export const manifestBytesMax = 64 * 1024 * 1024;

export function encodeManifest(manifest: Manifest): string {
  const body = `${JSON.stringify(manifest, null, 2)}\n`;
  return `${body}crc32 ${hex(crc32(body))}\n`;
}

/** Reads a manifest; every flaw is a value. The checksum comes before the version. */
export function decodeManifest(bytes: Buffer): ManifestVerdict {
  const bodyBytes = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  const body = bytes.subarray(0, bodyBytes);
  if (bytes.toString('latin1', bodyBytes) !== `crc32 ${hex(crc32(body))}\n`) {
    return { kind: 'bad', reason: 'its checksum does not match' };
  }
  return parseBody(body.toString('utf8'));
}

function parseBody(body: string): ManifestVerdict {
  let content: unknown;
  try {
    content = JSON.parse(body);
  } catch (error) {
    return { kind: 'bad', reason: messageOf(error) };
  }
  if (!isPlainObject(content) || !isCount(content.formatVersion))
    return { kind: 'bad', reason: 'it has no formatVersion' };
  const version = content.formatVersion as number;
  if (version !== formatVersion) return { kind: 'version', formatVersion: version };
  if (!isManifest(content)) return { kind: 'bad', reason: 'it has an unknown shape' };
  const manifest = content as unknown as Manifest;
  const misnamed =
    manifest.segments.find((segment) => !namesItself(segment, parseSegmentName(segment.name))) ??
    manifest.snapshots.find((snapshot) => !namesItself(snapshot, parseSnapshotName(snapshot.name)));
  return misnamed ? { kind: 'bad', reason: `it misnames ${misnamed.name}` } : { kind: 'good', manifest };
}

function namesItself(entry: SegmentKey, key: SegmentKey | null): boolean {
  return key !== null && key.baseSequence === entry.baseSequence && key.epoch === entry.epoch;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
