// A worker's folder (and a shuffle service's) belongs to one process at a time: it is claimed by taking the next generation, and a claim whose
// holder is dead is no claim. So two processes never write into one folder, and the worker's id outlives its process.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JobrecError } from '../../model/errors.ts';
import { latestHolder, takeGeneration } from '../../store/generation.ts';

/** Where the claims of a worker's folder lie. */
export function workerClaims(workerFolder: string): string {
  return join(workerFolder, 'claims');
}

/** Makes the folder this process's own; gives the claim's number. Throws JOB_HELD while another live process has it. */
export async function claimWorkerFolder(workerFolder: string, workerId: string): Promise<number> {
  await mkdir(workerFolder, { recursive: true });
  const claims = workerClaims(workerFolder);
  const { number, livePid } = await latestHolder(claims);
  const taken = livePid === null ? await takeGeneration(claims, number, { workerId }) : null;
  if (taken) return taken.number;
  throw new JobrecError('JOB_HELD', `the folder of ${workerId} is held by process ${livePid ?? '?'}`);
}
