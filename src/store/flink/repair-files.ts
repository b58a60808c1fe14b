// Carries out a repair on disk. Every original is first put aside, whole, under a name with its hash, in a folder beside
// the store (Flink reads only events.N in the store's own folder, and deletes that folder when the job ends). Then files
// go from the last one down, and shortened ones are replaced by a rename: whatever step a crash comes before, Flink finds
// the old events or the new ones, without a gap in the numbers. Spec: docs/flink.md "Repair".
import { constants } from 'node:fs';
import { chmod, chown, copyFile, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError, messageOf } from '../../model/errors.ts';
import { syncFolder, temporaryPath } from '../atomic-file.ts';
import { temporaryPrefix } from '../format.ts';
import { isAlive, processWithId } from '../process-identity.ts';
import { asideFolder, type MovedAside, putAside } from '../put-aside.ts';
import { type FileRepair, isChanged } from './repair-plan.ts';

export interface RepairOnDisk {
  readonly folder: string;
  readonly files: readonly FileRepair[];
  readonly movedAside: readonly MovedAside[];
  /** Called before each change of the disk; what it throws ends the repair there (tests of crashes). */
  readonly beforeStep?: (step: string) => void;
}

const asideName = /^events\.\d+\.[0-9a-f]{12}$/;

/** Whether this empty folder is a store in which a repair could keep nothing. Reads only. */
export async function isEmptiedByRepair(folder: string): Promise<boolean> {
  const names = await readdir(asideFolder(folder)).catch(() => []);
  return names.some((name) => asideName.test(name));
}

/** What tells whether a store is being written: its files with sizes, times and identities. */
export async function storeFingerprint(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('events.')).sort();
  const states = names.map(async (name) => {
    const { size, mtimeMs, ino } = await stat(path.join(folder, name));
    return [name, size, mtimeMs, ino].join(' ');
  });
  return (await Promise.all(states)).join('\n');
}

/** Errors: STORE_UNREADABLE where the disk refuses; the store is then as it was, or already repaired in part. */
export async function repairOnDisk(repair: RepairOnDisk): Promise<void> {
  const temporaries: string[] = [];
  try {
    await carryOut(repair, temporaries);
  } catch (error) {
    for (const file of temporaries) await rm(file, { force: true }).catch(() => {});
    throw refusal(repair.folder, error);
  }
}

async function carryOut(repair: RepairOnDisk, temporaries: string[]): Promise<void> {
  const { folder, files, movedAside, beforeStep = () => {} } = repair;
  beforeStep('remove leftovers');
  await removeLeftovers(folder);
  await putAside(folder, movedAside, changedMeanwhile, beforeStep);
  const shortened = new Map<string, string>();
  for (const file of files.filter(isShortened)) {
    const temporary = temporaryPath(path.join(folder, file.name));
    temporaries.push(temporary);
    beforeStep(`write ${file.name}`);
    await writeBeginning(path.join(folder, file.name), temporary, file.keptBytes ?? 0);
    shortened.set(file.name, temporary);
  }
  // From the end, so that no state between has a gap.
  for (const { name } of files.filter(({ keptBytes }) => keptBytes === null).reverse()) {
    beforeStep(`remove ${name}`);
    await rm(path.join(folder, name), { force: true });
  }
  for (const [name, temporary] of [...shortened].reverse()) {
    beforeStep(`replace ${name}`);
    await rename(temporary, path.join(folder, name));
  }
  beforeStep('sync');
  await syncFolder(folder);
}

function isShortened(file: FileRepair): boolean {
  return file.keptBytes !== null && isChanged(file);
}

/** Temporary files of a repair that did not end, unless its process still runs. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(`${temporaryPrefix}events.`) ? /-(\d+)-[0-9a-f]+$/.exec(name)?.[1] : undefined;
    if (pid === undefined || isAlive(processWithId(Number(pid)))) continue;
    await rm(path.join(folder, name), { force: true });
  }
}

/** With the owner and the mode of the original: Flink's user must be able to read it. */
async function writeBeginning(from: string, to: string, bytes: number): Promise<void> {
  const { mode, uid, gid } = await stat(from);
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await chmod(to, mode | 0o200);
  const file = await open(to, 'r+');
  try {
    await file.truncate(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(to, mode);
  // Only the superuser gives files away, and only there it can be another's.
  await chown(to, uid, gid).catch(() => {});
}

/** Of a store that changed under the repair. */
export function changedMeanwhile(location: string): JobrecError {
  const message = `${location} changed while it was looked at: a JobManager is writing the store; nothing was changed`;
  const hint = 'stop the JobManager first, or repair a copy';
  return new JobrecError('JOB_HELD', message, { data: { path: location }, hint });
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
};

function refusal(folder: string, error: unknown): unknown {
  if (error instanceof JobrecError || !(error instanceof Error) || !('code' in error)) return error;
  const reason = refusals[String(error.code)] ?? messageOf(error);
  const hint = 'its originals are all there; make the folder and the one above it writable, or repair a copy';
  const data = { location: folder, errno: String(error.code) };
  return new JobrecError('STORE_UNREADABLE', `${folder} cannot be repaired: ${reason}`, { data, hint, cause: error });
}
