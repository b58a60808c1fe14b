// What a round leaves for whoever looks into a disagreement: per failover the store and the high-availability files at
// the kill, Flink's own view of the job, the prediction, what then happened, and the JobManagers' logs.
import { access, copyFile, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FlinkCluster } from './cluster.ts';

/** One failover's folder, with the store at the kill in two places: among the HA files, and alone. */
export interface Captured {
  readonly folder: string;
  /** The high-availability folder as it was; what an operator would point jobrec at. */
  readonly haFolder: string;
  /** The `job-events` folder alone, away from everything; null before anything was recorded. */
  readonly store: string | null;
  readonly plan: string;
}

/** Asks before the kill: nobody answers afterwards. */
export async function captureStatus(cluster: FlinkCluster, jobId: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const asked = {
    'plan.json': `/jobs/${jobId}/plan`,
    'job-before.json': `/jobs/${jobId}`,
    'taskmanagers-before.json': '/taskmanagers',
  };
  for (const [name, path] of Object.entries(asked)) await writeJson(join(folder, name), await cluster.rest.get(path));
}

/** Copies what lies in the high-availability folder, without the jars. */
export async function captureFiles(cluster: FlinkCluster, jobId: string, folder: string): Promise<Captured> {
  const haFolder = join(folder, 'ha');
  await cp(cluster.highAvailabilityFolder, haFolder, { recursive: true, filter: (path) => basename(path) !== 'blob' });
  await copyFile(cluster.configFile, join(folder, 'config.yaml'));
  const found = await storeOf(haFolder, jobId);
  const store = join(folder, 'store', 'job-events');
  if (found !== null) await cp(found, store, { recursive: true });
  return { folder, haFolder, store: found === null ? null : store, plan: join(folder, 'plan.json') };
}

/** The job's `job-events` folder, or null where nothing was written yet. */
export async function storeOf(haFolder: string, jobId: string): Promise<string | null> {
  for (const cluster of await readdir(haFolder)) {
    const store = join(haFolder, cluster, jobId, 'job-events');
    const isThere = await access(store).then(
      () => true,
      () => false,
    );
    if (isThere) return store;
  }
  return null;
}

export async function captureLogs(cluster: FlinkCluster, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(join(cluster.folder, 'log'), join(folder, 'log'), { recursive: true });
}

export async function writeJson(file: string, value: unknown): Promise<void> {
  const plain = (_: string, each: unknown) => (each instanceof Set ? [...each].sort() : each);
  await writeFile(file, `${JSON.stringify(value, plain, 1)}\n`);
}
