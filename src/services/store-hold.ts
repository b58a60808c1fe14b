// Holding a store to change it from outside its job (compact, repair): the next epoch is taken, so that a JobMaster that
// still runs somewhere is fenced, and refused where one is alive. Design, invariant 3.
import { dirname, join } from 'node:path';
import { JobrecError } from '../model/errors.ts';
import {
  type Generation,
  latestGeneration,
  latestGenerationNumber,
  latestHolder,
  takeGeneration,
} from '../store/generation.ts';
import { epochsName } from '../store/job-folder.ts';
import { isAlive } from '../store/process-identity.ts';

export interface StoreHold {
  readonly epoch: number;
  /** Whether someone has taken a later epoch meanwhile. */
  readonly isFenced: () => Promise<boolean>;
}

export type HoldPurpose = 'compact' | 'repair';

/** Takes the next epoch of the store in `folder`; `above`: the highest that the store itself knows. Errors: JOB_HELD. */
export async function holdStore(folder: string, purpose: HoldPurpose, above: number): Promise<StoreHold> {
  const latest = await refuseLive(folder);
  const epochs = epochsOf(folder);
  const taken = await takeGeneration(epochs, latest?.number ?? 0, { purpose }, above);
  if (taken === null) throw held(folder, 'another process', null);
  const epoch = taken.number;
  return { epoch, isFenced: async () => (await latestGenerationNumber(epochs)) > epoch };
}

/** The latest epoch of the store, whose holder is dead. Throws JOB_HELD where it is alive. */
export async function refuseLive(folder: string): Promise<Generation | null> {
  const latest = await latestGeneration(epochsOf(folder));
  if (latest === null || !isAlive(latest.holder) || isOwn(latest)) return latest;
  throw held(folder, `process ${latest.holder.pid}${purposeOf(latest)}`, latest.holder.pid);
}

/** Throws JOB_HELD where the store is being changed from outside its job, in which nothing of the job may start. */
export async function refuseMaintained(folder: string): Promise<void> {
  if ((await latestHolder(epochsOf(folder))).livePid === null) return;
  const latest = await latestGeneration(epochsOf(folder));
  if (latest?.detail.purpose !== undefined) await refuseLive(folder);
}

/** A hold of this process is over: a process changes one store at a time, and waits for it. */
function isOwn({ holder, detail }: Generation): boolean {
  return holder.pid === process.pid && detail.purpose !== undefined;
}

function purposeOf({ detail }: Generation): string {
  return typeof detail.purpose === 'string' ? `, jobrec's ${detail.purpose}` : ', its JobMaster';
}

function epochsOf(folder: string): string {
  return join(dirname(folder), epochsName);
}

function held(folder: string, who: string, pid: number | null): JobrecError {
  return new JobrecError('JOB_HELD', `the store ${folder} is held by ${who}`, {
    data: { location: folder, pid },
    hint: 'wait until it has ended, or stop the job first: jobrec cancel ends it, Ctrl-C in its run suspends it',
  });
}
