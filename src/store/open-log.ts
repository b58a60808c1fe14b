// From a store location to an open log: finds the one store in or below a folder, recognises its format by its bytes
// and opens it. Errors: STORE_NOT_FOUND, NOT_A_STORE, AMBIGUOUS_STORE, STORE_UNREADABLE, FORMAT_TOO_NEW. Reads only.
// Spec: cli-contract, "A store location".
import { open, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError, messageOf } from '../model/errors.ts';
import type { JobLog } from '../model/job-log.ts';
import { openFlinkLog } from './flink/flink-log.ts';
import { isEmptiedByRepair } from './flink/repair-files.ts';
import { manifestName, parseSegmentName, segmentMagic } from './format.ts';
import { latestGeneration } from './generation.ts';
import { epochsName } from './job-folder.ts';
import { readLayout } from './layout.ts';
import { isAlive } from './process-identity.ts';
import { SegmentLog } from './segment-log.ts';

export type StoreFormat = 'jobrec' | 'flink';

export interface FoundStore {
  readonly folder: string;
  readonly format: StoreFormat;
}

/** How far below the location a store is looked for, and how many folders are opened for it. */
const depthMax = 6;
const foldersMax = 20_000;

const flinkEventsName = /^events\.\d+$/;

/** Opens the store at or below `location`. */
export async function openJobLog(location: string): Promise<JobLog> {
  const store = await findStore(location);
  return guarded(store.folder, () =>
    store.format === 'flink' ? openFlinkLog(store.folder) : openSegmentLog(store.folder),
  );
}

/** The one store at or below `location`, recognised but not opened. */
export async function findStore(location: string): Promise<FoundStore> {
  const root = path.resolve(location);
  const folder = await guarded(root, () => resolveFolder(root));
  const [first, ...others] = await guarded(root, () => findStores(folder));
  if (first === undefined) throw await nothingFound(root, folder);
  if (others.length > 0) throw ambiguous(root, [first, ...others]);
  return first;
}

/** Every store at or below `folder`, in the order of their paths. Symbolic links below it are not followed. */
export async function findStores(folder: string): Promise<FoundStore[]> {
  const found: FoundStore[] = [];
  let level = [folder];
  let opened = 0;
  for (let depth = 0; depth <= depthMax && level.length > 0; depth++) {
    const below: string[] = [];
    for (const candidate of level.slice(0, foldersMax - opened)) {
      opened += 1;
      const { format, subfolders } = await lookInto(candidate, candidate === folder);
      if (format !== null) found.push({ folder: candidate, format });
      else below.push(...subfolders);
    }
    level = below;
  }
  return found.sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

interface Look {
  readonly format: StoreFormat | null;
  readonly subfolders: readonly string[];
}

async function lookInto(folder: string, mustOpen: boolean): Promise<Look> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    // A folder on the way that cannot be read, or has gone, holds no store for this user.
    if (mustOpen) throw error;
    return [];
  });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  const subfolders = entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(folder, entry.name));
  const isEmptied = entries.length === 0 && (await isEmptiedByRepair(folder));
  return { format: isEmptied ? 'flink' : await recognise(folder, names), subfolders };
}

/** By content: a segment's magic or a manifest. Flink's files have no magic, so its names and the absence of ours. */
async function recognise(folder: string, names: readonly string[]): Promise<StoreFormat | null> {
  for (const name of names) {
    if (parseSegmentName(name) !== null && (await startsWith(path.join(folder, name), segmentMagic))) return 'jobrec';
    if (name === manifestName && (await startsWith(path.join(folder, name), manifestStart))) return 'jobrec';
  }
  return names.some((name) => flinkEventsName.test(name)) ? 'flink' : null;
}

const manifestStart = Buffer.from('{\n  "formatVersion"');

async function startsWith(file: string, magic: Buffer): Promise<boolean> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return bytesRead === magic.length && buffer.equals(magic);
  } finally {
    await handle.close();
  }
}

async function resolveFolder(root: string): Promise<string> {
  const found = await stat(root);
  if (found.isDirectory()) return realpath(root);
  const hint = 'give the job-events folder, or a folder above it';
  throw new JobrecError('NOT_A_STORE', `${root} is a file, not a store`, { data: { location: root }, hint });
}

async function nothingFound(root: string, folder: string): Promise<JobrecError> {
  const names = await readdir(folder);
  const data = { location: root };
  if (names.some((name) => parseSegmentName(name) !== null || name === manifestName)) {
    const message = `${root} has files named like a store's, but none has a store's content`;
    return new JobrecError('NOT_A_STORE', message, { data });
  }
  const message = names.length === 0 ? `${root} is empty` : `no store in ${root} or below it`;
  const hint = 'give the job-events folder, or a folder above it; `jobrec jobs` lists the jobs of a home';
  return new JobrecError('STORE_NOT_FOUND', message, { data, hint });
}

function ambiguous(root: string, stores: readonly FoundStore[]): JobrecError {
  const folders = stores.map((store) => store.folder);
  const message = `${root} holds ${folders.length} stores; name one of them: ${folders.join(', ')}`;
  return new JobrecError('AMBIGUOUS_STORE', message, { data: { location: root, stores: folders } });
}

async function openSegmentLog(folder: string): Promise<JobLog> {
  return new SegmentLog(await readLayout(folder), { live: await isLive(folder) });
}

/** Whether the JobMaster of the latest epoch is still there to write: its growing tail is no finding then. */
async function isLive(folder: string): Promise<boolean> {
  // Epochs that cannot be read say nothing on the store's bytes.
  const epoch = await latestGeneration(path.join(path.dirname(folder), epochsName)).catch(() => null);
  return epoch !== null && isAlive(epoch.holder);
}

/** What the operating system refuses is an expected error too. */
async function guarded<T>(location: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof JobrecError || typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new JobrecError('STORE_NOT_FOUND', `${location} does not exist`, { data: { location } });
    }
    const message = `${location} cannot be read: ${messageOf(error)}`;
    throw new JobrecError('STORE_UNREADABLE', message, { data: { location }, cause: error });
  }
}
