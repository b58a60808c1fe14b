// A captured store laid out as a ZooKeeper cluster's high-availability folder is: what lies beside it is what a real one has.
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface HighAvailabilityFolder {
  /** `high-availability.storageDir`. */
  readonly root: string;
  readonly cluster: string;
  readonly jobId: string;
  readonly store: string;
}

export interface LayoutOptions {
  readonly jobId: string;
  /** Beside the jobs' folders, or one level up. */
  readonly submittedIn?: 'cluster' | 'root';
}

/** Lays `capture` out below `root`, which may hold other jobs of the same cluster. */
export function layOut(root: string, capture: string, options: LayoutOptions): HighAvailabilityFolder {
  const { jobId, submittedIn = 'cluster' } = options;
  const cluster = join(root, 'cluster-1');
  const store = join(cluster, jobId, 'job-events');
  cpSync(join(capture, 'store'), store, { recursive: true });
  for (const folder of ['application-result-store', 'job-result-store'])
    mkdirSync(join(root, folder, 'cluster-1'), { recursive: true });
  mkdirSync(join(cluster, 'blob', `job_${jobId}`), { recursive: true });
  writeFileSync(join(cluster, 'blob', `job_${jobId}`, 'blob_p-1'), 'a jar');
  const submitted = join(capture, 'ha-files');
  for (const name of readdirSync(submitted)) {
    cpSync(join(submitted, name), join(submittedIn === 'cluster' ? cluster : root, name));
  }
  return { root, cluster, jobId, store };
}
