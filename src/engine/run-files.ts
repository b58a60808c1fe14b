// What a job leaves behind when it has ended for good: store, logs and outputs stay; partitions, functions, staged
// parts and the files that tell of live processes go.
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobGraph } from '../model/job-graph.ts';
import { syncFolder } from '../store/atomic-file.ts';
import { temporaryPrefix } from '../store/format.ts';
import type { JobFolder } from '../store/job-folder.ts';
import { removeMasterFile } from './protocol/master-file.ts';
import { dropStaging } from './sinks/sink-commit.ts';

export interface EndedRun {
  readonly folder: JobFolder;
  readonly jobGraph: JobGraph;
  readonly jobId: string;
}

export async function deleteRunFiles(run: EndedRun): Promise<void> {
  await dropStaging(run.jobGraph, run.jobId);
  await rm(run.folder.workers, { recursive: true, force: true });
  await rm(run.folder.shuffle, { recursive: true, force: true });
  await rm(run.folder.functions, { recursive: true, force: true });
  await removeMasterFile(run.folder.masterFile);
  await rm(run.folder.processesFile, { force: true });
  await removeHalfWritten(run.folder.root);
  await syncFolder(run.folder.root);
}

/** Half-written small files of processes that were killed; nobody writes any more. */
async function removeHalfWritten(root: string): Promise<void> {
  const names = (await readdir(root)).filter((name) => name.startsWith(temporaryPrefix));
  for (const name of names) await rm(join(root, name), { force: true });
}
