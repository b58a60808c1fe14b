// Entry of the TaskManager process. Arguments: job folder, worker id, slots, memory of a slot in bytes, orphan timeout
// in milliseconds. Its log is its standard error.
import { messageOf } from '../../model/errors.ts';
import { jobFolderAt, workerFolder } from '../../store/job-folder.ts';
import { TaskManager } from './task-manager.ts';
import { claimWorkerFolder } from './worker-claim.ts';

function end(code: number, reason: string): never {
  process.stderr.write(`${new Date().toISOString()} TaskManager: ${reason}\n`);
  process.exit(code);
}

async function main(): Promise<void> {
  const [root = '', workerId = '', slots = '1', memoryBytes = '0', orphanTimeoutMs = '60000'] = process.argv.slice(2);
  const folder = jobFolderAt(root);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(0, `received ${signal}`));
  const own = workerFolder(folder, workerId);
  await claimWorkerFolder(own, workerId);
  const taskManager = new TaskManager({
    masterFile: folder.masterFile,
    workerFolder: own,
    workerId,
    slots: Number(slots),
    slotMemoryBytes: Number(memoryBytes),
    orphanTimeoutMs: Number(orphanTimeoutMs),
    onEnd: (reason) => end(0, reason),
    onBroken: (reason) => end(1, reason),
  });
  taskManager.start();
}

await main().catch((error) => end(1, messageOf(error)));
