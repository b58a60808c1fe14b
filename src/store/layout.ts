// One look at a store's folder: manifest, segment headers and sizes, fixed for every later walk, so that a log that
// grows meanwhile reads the same twice. Changes nothing and takes no lock. Spec: docs/format.md.
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError } from '../model/errors.ts';
import { type Chain, resolveChain, type SegmentFile } from './chain.ts';
import {
  decodeHeader,
  formatVersion,
  type HeaderVerdict,
  headerBytes,
  manifestName,
  parseSegmentName,
  parseSnapshotName,
  type SegmentKey,
  segmentMagic,
  snapshotMagic,
} from './format.ts';
import { decodeManifest, type ManifestVerdict, manifestBytesMax } from './manifest.ts';

export interface StoreLayout {
  /** Absolute path of the `job-events` folder. */
  readonly folder: string;
  readonly manifest: ManifestVerdict;
  readonly files: readonly SegmentFile[];
  readonly snapshots: readonly SnapshotFile[];
  readonly chain: Chain;
}

/** A snapshot's file as found in the folder. */
export interface SnapshotFile {
  readonly key: SegmentKey;
  readonly size: number;
  readonly header: HeaderVerdict;
}

/** A live store replaces its manifest now and then; more than this often while it is listed is not expected. */
const looksMax = 5;

/** Errors: FORMAT_TOO_NEW, FORMAT_TOO_OLD. Damage is found in `chain`. */
export async function readLayout(folder: string): Promise<StoreLayout> {
  let before = await readManifestBytes(folder);
  for (let look = 1; ; look++) {
    // Snapshots first: what they hold is then in the segments that are looked at behind them, also on a live store.
    const snapshots = await readFiles(folder, parseSnapshotName, snapshotMagic);
    const files = await readFiles(folder, parseSegmentName, segmentMagic);
    const after = await readManifestBytes(folder);
    // Manifest and listing surely belong together only if nothing was replaced in between. A writer that cuts segments
    // all the time leaves no such moment: then the earlier manifest, since a listing behind it holds what it names, and
    // newer segments say by themselves where they go on.
    if (look === looksMax || sameBytes(before, after)) return layoutOf(folder, before, files, snapshots);
    before = after;
  }
}

function layoutOf(
  folder: string,
  manifestBytes: Buffer | null,
  files: readonly SegmentFile[],
  snapshots: readonly SnapshotFile[],
): StoreLayout {
  const manifest: ManifestVerdict = manifestBytes === null ? { kind: 'absent' } : decodeManifest(manifestBytes);
  for (const verdict of [manifest, ...[...files, ...snapshots].map((file) => file.header)]) {
    if (verdict.kind === 'version') throw versionError(folder, verdict.formatVersion);
  }
  return { folder, manifest, files, snapshots, chain: resolveChain(files, manifest) };
}

function versionError(folder: string, version: number): JobrecError {
  const code = version > formatVersion ? 'FORMAT_TOO_NEW' : 'FORMAT_TOO_OLD';
  const message = `${folder} has format version ${version}; this jobrec reads ${formatVersion}`;
  const hint =
    version > formatVersion ? 'use the jobrec that wrote it, or a newer one' : 'no release wrote this version';
  return new JobrecError(code, message, {
    data: { location: folder, formatVersion: version, supported: formatVersion },
    hint,
  });
}

async function readManifestBytes(folder: string): Promise<Buffer | null> {
  const file = path.join(folder, manifestName);
  try {
    const { size } = await stat(file);
    return size > manifestBytesMax ? Buffer.alloc(0) : await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function readFiles(
  folder: string,
  parse: (name: string) => SegmentKey | null,
  magic: Buffer,
): Promise<SnapshotFile[]> {
  const files: SnapshotFile[] = [];
  for (const name of await readdir(folder)) {
    const key = parse(name);
    const file = key === null ? null : await readHeaded(path.join(folder, name), magic);
    if (key !== null && file !== null) files.push({ key, ...file });
  }
  return files;
}

/** null: it was retired since the folder was listed. */
async function readHeaded(file: string, magic: Buffer): Promise<Omit<SnapshotFile, 'key'> | null> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return { size, header: decodeHeader(buffer.subarray(0, bytesRead), magic) };
  } finally {
    await handle.close();
  }
}

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
