// Entry of the JobMaster process. Arguments: the job's folder, and the cluster's size with how it was started, as
// JSON. What ends it before it can tell a client goes to master-failure.json, for the client that started it.
import { rm } from 'node:fs/promises';
import * as v from 'valibot';
import { JobrecError, messageOf } from '../../model/errors.ts';
import { jobFolderAt } from '../../store/job-folder.ts';
import type { ClusterSize, JobMasterStart } from '../processes.ts';
import { StreamJobMaster } from '../streaming/coordinator/stream-job-master.ts';
import { JobMaster } from './job-master.ts';
import { failureFile, writeFailure } from './master-failure.ts';
import { Mastership } from './mastership.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const argumentsSchema = v.object({
  workers: count,
  slots: count,
  slotMemoryBytes: count,
  orphanTimeoutMs: count,
  start: v.picklist(['submitted', 'resumed', 'restarted']),
});

async function main(): Promise<void> {
  // The log may lie on a disk that is full: what it does not take must not end the process.
  process.stderr.on('error', () => {});
  const folder = jobFolderAt(process.argv[2] ?? '');
  const { start, ...size } = v.parse(argumentsSchema, JSON.parse(process.argv[3] ?? '{}'));
  const fail = async (error: unknown): Promise<never> => {
    process.stderr.write(`${new Date().toISOString()} JobMaster: ${describe(error)}\n`);
    await writeFailure(folder, error).catch(() => {});
    process.exit(1);
  };
  process.on('uncaughtException', (error) => void fail(error));
  try {
    await rm(failureFile(folder), { force: true });
    await lead(folder, size, start);
    process.exit(0);
  } catch (error) {
    await fail(error);
  }
}

async function lead(folder: ReturnType<typeof jobFolderAt>, size: ClusterSize, start: JobMasterStart): Promise<void> {
  const mastership = await Mastership.take(folder, start);
  const isStreaming = mastership.recorder.graph.graph?.streaming !== undefined;
  const master = isStreaming ? new StreamJobMaster(folder, size, mastership) : new JobMaster(folder, size, mastership);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => master.suspend(`the JobMaster received ${signal}`));
  }
  const end = await master.run(start);
  process.stderr.write(
    `${new Date().toISOString()} epoch ${mastership.epoch} ended: ${end.kind} ${end.reason ?? ''}\n`,
  );
  if (end.kind === 'poisoned') throw new JobrecError('STORE_POISONED', end.reason ?? 'the store took no more events');
}

function describe(error: unknown): string {
  return error instanceof Error && !(error instanceof JobrecError) ? (error.stack ?? error.message) : messageOf(error);
}

await main();
