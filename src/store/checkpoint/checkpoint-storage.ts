// Checkpoints on disk, laid out as Flink lays them out: `<dir>/<jobId>/chk-<n>/` with state files and `_metadata`, and
// beside them `shared` and `taskowned` (empty: nothing is incremental here). Invariant: `_metadata` is written last,
// whole and synced, behind every state file that it names; a folder without it is no checkpoint.
// Spec: docs/streaming.md, "Checkpoints on disk".
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { messageOf } from '../../model/errors.ts';
import { makeFolder, replaceFile, syncFolder, writeSynced } from '../atomic-file.ts';
import {
  type CheckpointMetadata,
  type DecodedMetadata,
  decodeMetadata,
  encodeMetadata,
  metadataBytesMax,
  metadataName,
  type StateHandle,
} from './own-metadata.ts';

/** The checkpoints of one job. */
export class CheckpointStorage {
  readonly root: string;

  /** @param root `<dir>/<jobId>`, absolute */
  constructor(root: string) {
    this.root = root;
  }

  folderOf(checkpointId: number): string {
    return path.join(this.root, `chk-${checkpointId}`);
  }

  async prepare(): Promise<void> {
    for (const name of ['shared', 'taskowned']) await makeFolder(path.join(this.root, name));
  }

  /**
   * Makes the folder that tasks write their state into. Throws where it is there: a number is used once, and what lies
   * there may be a checkpoint of the JobMaster that has replaced this one.
   */
  async begin(checkpointId: number): Promise<void> {
    await makeCheckpointFolder(this.folderOf(checkpointId));
  }

  async discard(checkpointId: number): Promise<void> {
    await discardFolder(this.folderOf(checkpointId));
  }

  /** Checkpoint folders that there are, complete or not. */
  async list(): Promise<number[]> {
    const names = await readdir(this.root).catch(() => []);
    return names.flatMap((name) => {
      const id = /^chk-(\d{1,15})$/.exec(name)?.[1];
      return id === undefined ? [] : [Number(id)];
    });
  }

  /** Removes everything of the job. */
  async removeAll(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Makes the folder of a checkpoint or savepoint. Throws where it is there already. */
export async function makeCheckpointFolder(folder: string): Promise<void> {
  await makeFolder(path.dirname(folder));
  await mkdir(folder);
}

/** Removes a checkpoint: `_metadata` first, so that a removal cut short leaves no checkpoint with holes. */
export async function discardFolder(folder: string): Promise<void> {
  await rm(path.join(folder, metadataName), { force: true });
  await rm(folder, { recursive: true, force: true });
}

/** Makes a checkpoint complete: from here it is one. State files are synced by those who wrote them. */
export async function completeCheckpoint(folder: string, metadata: CheckpointMetadata): Promise<void> {
  await syncFolder(folder);
  await replaceFile(path.join(folder, metadataName), encodeMetadata(metadata));
  await syncFolder(path.dirname(folder));
}

/** Writes one state as a file of the checkpoint's folder, synced. */
export async function writeState(folder: string, name: string, bytes: Uint8Array): Promise<StateHandle> {
  await writeSynced(path.join(folder, name), bytes);
  return { kind: 'file', name, length: bytes.length, crc: crc32(bytes) };
}

export type ReadState =
  | { readonly kind: 'state'; readonly bytes: Uint8Array }
  | { readonly kind: 'damaged'; readonly reason: string };

/** The bytes of a state, checked against what `_metadata` says of them. */
export async function readState(folder: string, handle: StateHandle): Promise<ReadState> {
  if (handle.kind === 'inline') return { kind: 'state', bytes: handle.bytes };
  const read = await readBounded(path.join(folder, handle.name), handle.length);
  if (read.kind === 'damaged') return read;
  if (read.bytes.length !== handle.length) {
    return damaged(`${handle.name} has ${read.bytes.length} bytes, not ${handle.length}`);
  }
  return crc32(read.bytes) === handle.crc ? read : damaged(`the checksum of ${handle.name} is wrong`);
}

/** `_metadata` of the checkpoint in `folder`. */
export async function readMetadata(folder: string): Promise<DecodedMetadata> {
  const read = await readBounded(path.join(folder, metadataName), metadataBytesMax);
  return read.kind === 'damaged' ? read : decodeMetadata(read.bytes);
}

/** Checks what `_metadata` names: every state file is there, whole. null: sound; else what is wrong. */
export async function checkStates(folder: string, metadata: CheckpointMetadata): Promise<string | null> {
  for (const operator of metadata.operators) {
    for (const { keyed, operator: own } of operator.subtasks) {
      for (const handle of [keyed?.state, own]) {
        const read = handle ? await readState(folder, handle) : null;
        if (read?.kind === 'damaged') return read.reason;
      }
    }
  }
  return null;
}

async function readBounded(file: string, bytesMax: number): Promise<ReadState> {
  try {
    const { size } = await stat(file);
    if (size > bytesMax) return damaged(`${path.basename(file)} has ${size} bytes, more than ${bytesMax}`);
    const handle = await open(file, 'r');
    try {
      return { kind: 'state', bytes: await handle.readFile() };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const name = path.basename(file);
    return damaged(missing ? `${name} is missing` : `${name} cannot be read: ${messageOf(error)}`);
  }
}

function damaged(reason: string): { readonly kind: 'damaged'; readonly reason: string } {
  return { kind: 'damaged', reason };
}
