// The thread of one slot: a DuckDB instance of its own, limited to the slot's share, that runs one attempt at a time.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant, messageOf } from '../../model/errors.ts';
import { openDatabase } from '../../sql/duckdb.ts';
import { runTask } from '../kernel/run-task.ts';
import { TaskError } from '../kernel/task-error.ts';
import type { SlotSetup, TaskOutcome, ToSlot } from './slot-messages.ts';

async function serve(setup: SlotSetup): Promise<void> {
  invariant(parentPort, 'a slot runs in a thread of its TaskManager');
  const port = parentPort;
  const tempDirectory = join(setup.workerFolder, `temp-${setup.slot}`);
  const database = mkdir(tempDirectory, { recursive: true }).then(() =>
    openDatabase({ threads: 1, memoryLimitBytes: setup.memoryBytes, tempDirectory }),
  );
  // Whoever runs a task hears of a failure; until then it is not unhandled.
  database.catch(() => {});
  let attempt = new AbortController();
  port.on('message', async (message: ToSlot) => {
    if (message.type === 'cancel') return attempt.abort();
    attempt = new AbortController();
    const { workerFolder } = setup;
    const { signal } = attempt;
    port.postMessage(
      await outcomeOf(async () => runTask(message.deployment, { database: await database, workerFolder, signal })),
    );
  });
}

async function outcomeOf(run: () => ReturnType<typeof runTask>): Promise<TaskOutcome> {
  try {
    return { type: 'finished', result: await run() };
  } catch (error) {
    if (error instanceof TaskError) return { type: 'failed', failure: error.failure };
    return { type: 'failed', failure: { kind: 'task', message: messageOf(error), partition: null } };
  }
}

await serve(workerData as SlotSetup);
