// One look at a store's folder: manifest, segment headers and sizes, fixed for every later walk, so that a log that
// grows meanwhile reads the same twice. Changes nothing and takes no lock. Spec: docs/format.md.
import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError } from '../model/errors.ts';
import { type Chain, resolveChain, type SegmentFile } from './chain.ts';
import { decodeHeader, formatVersion, headerBytes, manifestName, parseSegmentName } from './format.ts';
import { decodeManifest, type ManifestVerdict, manifestBytesMax } from './manifest.ts';

export interface StoreLayout {
  /** Absolute path of the `job-events` folder. */
  readonly folder: string;
  readonly manifest: ManifestVerdict;
  readonly files: readonly SegmentFile[];
  readonly chain: Chain;
}

/** A live store replaces its manifest now and then; more than this often while it is listed is not expected. */
const looksMax = 5;

/** Errors: FORMAT_TOO_NEW, FORMAT_TOO_OLD. Damage is found in `chain`. */
export async function readLayout(folder: string): Promise<StoreLayout> {
  let before = await readManifestBytes(folder);
  for (let look = 1; ; look++) {
    const files = await readSegmentFiles(folder);
    const after = await readManifestBytes(folder);
    // Manifest and listing surely belong together only if nothing was replaced in between. A writer that cuts segments
    // all the time leaves no such moment: then the earlier manifest, since a listing behind it holds what it names, and
    // newer segments say by themselves where they go on.
    if (look === looksMax || sameBytes(before, after)) return layoutOf(folder, before, files);
    before = after;
  }
}

function layoutOf(folder: string, manifestBytes: Buffer | null, files: readonly SegmentFile[]): StoreLayout {
  const manifest: ManifestVerdict = manifestBytes === null ? { kind: 'absent' } : decodeManifest(manifestBytes);
  for (const verdict of [manifest, ...files.map((file) => file.header)]) {
    if (verdict.kind === 'version') throw versionError(folder, verdict.formatVersion);
  }
  return { folder, manifest, files, chain: resolveChain(files, manifest) };
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

async function readSegmentFiles(folder: string): Promise<SegmentFile[]> {
  const files: SegmentFile[] = [];
  for (const name of await readdir(folder)) {
    const key = parseSegmentName(name);
    const file = key === null ? null : await readSegmentFile(path.join(folder, name));
    if (key !== null && file !== null) files.push({ key, ...file });
  }
  return files;
}

/** null: it was retired since the folder was listed. */
async function readSegmentFile(file: string): Promise<Omit<SegmentFile, 'key'> | null> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headerBytes), 0, headerBytes, 0);
    return { size, header: decodeHeader(buffer.subarray(0, bytesRead)) };
  } finally {
    await handle.close();
  }
}

function sameBytes(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
