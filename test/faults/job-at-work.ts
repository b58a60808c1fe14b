// A sales job that runs, seen and ended from outside: by its folder, whichever of its processes is left.
import { rm } from 'node:fs/promises';
import { processesOf, signal, untilGone } from '../chaos/job-processes.ts';
import { StoreWatch } from '../chaos/store-watch.ts';
import type { SalesJob } from '../e2e/sales-job.ts';

/** How many finishes its newest store holds. */
export async function finishedTasks(job: SalesJob): Promise<number> {
  const records = await new StoreWatch(job.home, true).look();
  return records.filter(({ event }) => event.type === 'execution-vertex-finished').length;
}

/** Kills what is left of it; `removes`: its folder goes, too. */
export async function endJob(job: SalesJob, removes = true): Promise<void> {
  for (let look = 0; look < 2; look += 1) {
    const left = await processesOf(job.folder);
    for (const { pid } of left) signal(pid, 'SIGKILL');
    await untilGone(left.map(({ pid }) => pid));
  }
  if (removes) await rm(job.folder, { recursive: true, force: true }).catch(() => {});
}
