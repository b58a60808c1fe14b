// From a path to an opened checkpoint: finds the metadata file, reads it whole and recognises its format by its first bytes.
// Reads that one file only, and changes nothing. Errors: CHECKPOINT_NOT_FOUND, NOT_A_CHECKPOINT, CHECKPOINT_DAMAGED,
// STORE_UNREADABLE, FORMAT_TOO_NEW, FORMAT_TOO_OLD. Spec: docs/checkpoints.md.
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { CheckpointMetadata } from '../../model/checkpoint.ts';
import { JobrecError } from '../../model/errors.ts';
import { flinkCheckpointFormat } from '../flink/checkpoint/flink-metadata.ts';
import { openSegmentBytes } from '../segment-bytes.ts';
import { readStandardInput, standardInput, standardInputName } from '../standard-input.ts';
import { type CheckpointFormat, type MetadataFile, metadataName } from './checkpoint-format.ts';
import { ownCheckpointFormat } from './own-format.ts';
import { placeOf } from './state-places.ts';

const formats: readonly CheckpointFormat[] = [flinkCheckpointFormat, ownCheckpointFormat];

const gzipMagic = Buffer.from([0x1f, 0x8b]);

/** Larger than any that was ever seen; a job of 10,000 tasks has some megabytes. */
const metadataBytesMax = 1024 ** 3;

/** `location`: a checkpoint's folder, the metadata file itself, or `-` for its bytes on stdin. */
export async function readCheckpoint(location: string): Promise<CheckpointMetadata> {
  const isStdin = location === standardInput;
  const metadata = isStdin ? await readMetadataInput() : await readMetadataFile(await findMetadataFile(location));
  const format = formats.find((each) => each.recognises(metadata.bytes));
  if (format === undefined) throw notACheckpoint(metadata);
  return format.open(metadata);
}

/** Errors: INVALID_ARGUMENT where state files are asked for that nothing says the place of. */
export function requireStateFilesOf(location: string, what: string): void {
  if (location !== standardInput) return;
  throw new JobrecError('INVALID_ARGUMENT', `${what} looks at state files, which stdin does not bring along`, {
    data: { argument: location },
    hint: `name the checkpoint's folder, or its ${metadataName}`,
  });
}

async function findMetadataFile(location: string): Promise<string> {
  const target = await localPathOf(location);
  const found = await statOrNull(target);
  if (found === null) throw notFound(target);
  if (!found.isDirectory()) return requireFile(target, found);
  const file = path.join(target, metadataName);
  const inside = await statOrNull(file);
  if (inside === null) throw await noMetadataIn(target);
  return requireFile(file, inside);
}

/** A path as it is typed; else, as Flink prints it, a URI: of the local file system, or an error that says what to do. */
async function localPathOf(location: string): Promise<string> {
  const target = path.resolve(location);
  if ((await statOrNull(target)) !== null) return target;
  const place = placeOf(location, []);
  if (place.kind === 'local') return place.file;
  throw new JobrecError('CHECKPOINT_NOT_FOUND', `${location} is not on a file system of this machine`, {
    data: { path: location },
    hint: `copy its ${metadataName} here: inspect and diff need no more, validate needs its state files, too`,
  });
}

function notFound(target: string): JobrecError {
  return new JobrecError('CHECKPOINT_NOT_FOUND', `${target}: no such file or folder`, { data: { path: target } });
}

/** A pipe or a device is not waited for. */
function requireFile(file: string, found: Stats): string {
  if (found.isFile()) return file;
  const what = found.isDirectory() ? 'is a folder' : 'is no regular file';
  throw new JobrecError('NOT_A_CHECKPOINT', `${file} ${what}`, { data: { path: file } });
}

async function noMetadataIn(folder: string): Promise<JobrecError> {
  const below = await checkpointsBelow(folder);
  const hint =
    below.length === 0
      ? 'a checkpoint without it was never completed'
      : `below it: ${below.slice(-5).join(', ')}${below.length > 5 ? ` and ${below.length - 5} more` : ''}`;
  return new JobrecError('NOT_A_CHECKPOINT', `${folder} holds no ${metadataName}`, {
    data: { path: folder, checkpointsBelow: below.slice(-100) },
    hint,
  });
}

/** Folders with a metadata file directly below, oldest checkpoint first. */
async function checkpointsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const found = await Promise.all(
    names.slice(0, 1000).map(async (name) => (await statOrNull(path.join(folder, name, metadataName))) !== null),
  );
  return names.filter((_, index) => found[index]).sort((a, b) => numberIn(a) - numberIn(b) || (a < b ? -1 : 1));
}

/** 12 of `chk-12`. */
function numberIn(name: string): number {
  return Number(/^chk-(\d+)$/.exec(name)?.[1] ?? 0);
}

async function readMetadataInput(): Promise<MetadataFile> {
  const bytes = await readStandardInput(metadataBytesMax);
  if (bytes === null) throw tooLarge(standardInputName, metadataBytesMax + 1);
  return { file: standardInputName, folder: process.cwd(), bytes };
}

function tooLarge(file: string, bytes: number): JobrecError {
  return new JobrecError('NOT_A_CHECKPOINT', `${file} has ${bytes} bytes or more, more than a checkpoint's metadata`, {
    data: { path: file, bytes },
  });
}

async function readMetadataFile(file: string): Promise<MetadataFile> {
  const { size } = await stat(file);
  if (size > metadataBytesMax) throw tooLarge(file, size);
  // Into one buffer of its size: reading by chunks and joining them takes the file's bytes twice.
  const source = await openSegmentBytes(file, size);
  try {
    return { file, folder: path.dirname(file), bytes: await source.read(0, size) };
  } finally {
    await source.close();
  }
}

function notACheckpoint({ file, bytes }: MetadataFile): JobrecError {
  const what = bytes.length === 0 ? 'is empty' : 'begins like no checkpoint of Flink or jobrec';
  return new JobrecError('NOT_A_CHECKPOINT', `${file} ${what} (byte 0)`, {
    data: { path: file, offset: 0 },
    ...(gzipMagic.equals(bytes.subarray(0, 2)) ? { hint: 'it is compressed; unpack it with gunzip first' } : {}),
  });
}

async function statOrNull(target: string) {
  return stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  });
}
