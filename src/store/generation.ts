// Numbered generations in a folder: epochs of JobMasters and locks of clients. A generation is taken by an exclusive
// link of a complete file, so exactly one taker wins and nobody sees half of it. Nothing is ever stolen or deleted: who
// follows a dead holder takes the next number (design invariant 3).
import { link, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { JobrecError } from '../model/errors.ts';
import { makeFolder, readJsonFile, syncFolder, temporaryPath, writeSynced } from './atomic-file.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';
import { isCount, isPlainObject, isText, nullable, objectOf } from './shape.ts';

export interface Generation {
  /** 1 or more. */
  readonly number: number;
  readonly holder: ProcessIdentity;
  readonly takenAtMs: number;
  /** The holder's own, plain JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}

const numberMax = 0xffffffff;
const isGeneration = objectOf({
  number: isCount,
  holder: objectOf({ pid: isCount, startTime: nullable(isText) }),
  takenAtMs: isCount,
  detail: isPlainObject,
});

/** The highest number taken in `folder`; 0 if none. Cheap: it reads names only. */
export async function latestGenerationNumber(folder: string): Promise<number> {
  const names = await readdir(folder).catch(noneIfAbsent);
  return names.reduce((highest, name) => Math.max(highest, /^\d{10}$/.test(name) ? Number(name) : 0), 0);
}

/** The latest generation, null if none was taken. A file that is not one is STORE_UNREADABLE. */
export async function latestGeneration(folder: string): Promise<Generation | null> {
  const number = await latestGenerationNumber(folder);
  if (number === 0) return null;
  const file = generationFile(folder, number);
  const content = await readJsonFile(file);
  if (isGeneration(content) && (content as Generation).number === number) return content as Generation;
  throw new JobrecError('STORE_UNREADABLE', `${file} does not name its holder`, {
    data: { path: file },
    hint: 'it was damaged; where no process works here any more, remove it',
  });
}

export interface LatestHolder {
  /** 0 if none was taken. */
  readonly number: number;
  /** null: it is dead, or not known. */
  readonly livePid: number | null;
}

/**
 * Who holds the latest generation, for one that would follow it. A damaged file names nobody and its number counts: whoever
 * took it is fenced by the next number, as one that is dead.
 */
export async function latestHolder(folder: string): Promise<LatestHolder> {
  try {
    const latest = await latestGeneration(folder);
    if (latest === null) return { number: 0, livePid: null };
    return { number: latest.number, livePid: isAlive(latest.holder) ? latest.holder.pid : null };
  } catch (error) {
    if (!(error instanceof JobrecError)) throw error;
    return { number: await latestGenerationNumber(folder), livePid: null };
  }
}

/**
 * Takes generation `expectedLatest + 1`; null if someone else has taken it. `above` is a number that is known to be used
 * although its file is not here (a store without its job's folder): then the one after that.
 */
export async function takeGeneration(
  folder: string,
  expectedLatest: number,
  detail: Readonly<Record<string, unknown>> = {},
  above = 0,
): Promise<Generation | null> {
  const number = Math.max(expectedLatest, above) + 1;
  if (number > numberMax) throw new JobrecError('STORE_UNREADABLE', `no generation is left in ${folder}`);
  await makeFolder(folder);
  // A gap would let two holders believe that they are the latest.
  if ((await latestGenerationNumber(folder)) !== expectedLatest) return null;
  const generation: Generation = { number, holder: currentProcess(), takenAtMs: Date.now(), detail };
  return (await publish(generationFile(folder, number), generation)) ? generation : null;
}

async function publish(target: string, generation: Generation): Promise<boolean> {
  const temporary = temporaryPath(target);
  try {
    await writeSynced(temporary, `${JSON.stringify(generation, null, 2)}\n`);
    await link(temporary, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(path.dirname(target));
  return true;
}

function generationFile(folder: string, number: number): string {
  return path.join(folder, String(number).padStart(10, '0'));
}

function noneIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
