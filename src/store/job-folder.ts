// The layout of a job's folder, `<home>/jobs/<jobId>/`. Invariant: `job-events/` holds checksummed files only; locks,
// epochs, logs and everything else that is replaced or removed lie beside it. Spec: ARCHITECTURE.md, docs/format.md.
import path from 'node:path';

/** Absolute paths inside one job's folder. */
export interface JobFolder {
  readonly root: string;
  /** The store. */
  readonly jobEvents: string;
  /** One generation a JobMaster (generation.ts). */
  readonly epochs: string;
  readonly logs: string;
  /** Bundled modules of the map stages. */
  readonly functions: string;
  /** One folder a TaskManager: its id and its partitions. */
  readonly workers: string;
  /** One folder a shuffle service: the partitions that it holds. */
  readonly shuffle: string;
  readonly planFile: string;
  readonly processesFile: string;
  readonly masterFile: string;
}

/** Names of the folders that make up a job's folder; `open-log` uses them to tell a live store. */
export const jobEventsName = 'job-events';
export const epochsName = 'epochs';

export function jobFolderAt(root: string): JobFolder {
  const at = (name: string) => path.join(path.resolve(root), name);
  return {
    root: path.resolve(root),
    jobEvents: at(jobEventsName),
    epochs: at(epochsName),
    logs: at('logs'),
    functions: at('functions'),
    workers: at('workers'),
    shuffle: at('shuffle'),
    planFile: at('plan.json'),
    processesFile: at('processes.json'),
    masterFile: at('master.json'),
  };
}

/** `<home>/jobs`: one folder a job and nothing else. */
export function jobsFolder(home: string): string {
  return path.join(path.resolve(home), 'jobs');
}

export function workerFolder(folder: JobFolder, workerId: string): string {
  return path.join(folder.workers, workerId);
}

export function shuffleServiceFolder(folder: JobFolder, serviceId: string): string {
  return path.join(folder.shuffle, serviceId);
}
