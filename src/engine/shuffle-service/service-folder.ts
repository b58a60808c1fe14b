// Which shuffle services ever had a folder in this job. Like a worker's, the folder outlives its process, and what lies
// whole in it counts whoever asks: a JobMaster that recovers, or the offline `diff`.
import { readdir } from 'node:fs/promises';
import type { WorkerId } from '../../model/ids.ts';
import type { JobFolder } from '../../store/job-folder.ts';

export async function knownShuffleServices(folder: JobFolder): Promise<WorkerId[]> {
  const entries = await readdir(folder.shuffle, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}
