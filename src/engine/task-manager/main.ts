// Entry of the TaskManager process. Arguments: job folder, worker id, slots, memory of a slot in bytes, orphan timeout
// in milliseconds. Its log is its standard error.
import { messageOf } from '../../model/errors.ts';
import { type JobFolder, jobFolderAt, workerFolder } from '../../store/job-folder.ts';
import { StreamTaskManager } from '../streaming/task-manager/stream-task-manager.ts';
import { findSubmission } from '../submission.ts';
import { TaskManager, type TaskManagerOptions } from './task-manager.ts';
import { claimWorkerFolder } from './worker-claim.ts';

/** How long running attempts get to stop before the process ends all the same. */
const stopGraceMs = 3_000;
/** How long slots that are still starting get: on a busy machine loading the native library takes its time. */
const startGraceMs = 30_000;

function say(what: string): void {
  process.stderr.write(`${new Date().toISOString()} TaskManager: ${what}\n`);
}

function end(code: number, reason: string): never {
  say(reason);
  process.exit(code);
}

/** Stops what runs, then ends: exit() would wait for every query that a slot's thread is in. */
async function stopAndEnd(taskManager: AnyTaskManager, reason: string): Promise<void> {
  const kill = () => process.kill(process.pid, 'SIGKILL');
  const notStarted = setTimeout(kill, startGraceMs);
  await taskManager.ready();
  clearTimeout(notStarted);
  const notStopped = setTimeout(kill, stopGraceMs);
  await taskManager.stop();
  clearTimeout(notStopped);
  end(0, reason);
}

type AnyTaskManager = TaskManager | StreamTaskManager;

async function createTaskManager(folder: JobFolder, options: TaskManagerOptions): Promise<AnyTaskManager> {
  const submission = await findSubmission(folder);
  return submission?.graph.streaming ? new StreamTaskManager(options) : new TaskManager(options);
}

async function main(): Promise<void> {
  const [root = '', workerId = '', slots = '1', memoryBytes = '0', orphanTimeoutMs = '60000'] = process.argv.slice(2);
  // The log may lie on a disk that is full: what it does not take must not end the process.
  process.stderr.on('error', () => {});
  const folder = jobFolderAt(root);
  const own = workerFolder(folder, workerId);
  await claimWorkerFolder(own, workerId);
  const taskManager: AnyTaskManager = await createTaskManager(folder, {
    masterFile: folder.masterFile,
    workerFolder: own,
    workerId,
    slots: Number(slots),
    slotMemoryBytes: Number(memoryBytes),
    orphanTimeoutMs: Number(orphanTimeoutMs),
    onEnd: (reason) => void stopAndEnd(taskManager, reason),
    onTrouble: say,
    onBroken: (reason) => end(1, reason),
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.once(signal, () => void stopAndEnd(taskManager, `received ${signal}`));
  }
  process.on('uncaughtException', (error) => end(1, messageOf(error)));
  taskManager.start();
}

await main().catch((error) => end(1, messageOf(error)));
