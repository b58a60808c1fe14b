// The thread of one slot: a DuckDB instance of its own, limited to the slot's share, that runs one attempt at a time.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { DuckDBInstance } from '@duckdb/node-api';
import { invariant, messageOf } from '../../model/errors.ts';
import type { FoundSplit } from '../../model/job-graph.ts';
import { openDatabase } from '../../sql/duckdb.ts';
import { runTask } from '../kernel/run-task.ts';
import { TaskError } from '../kernel/task-error.ts';
import { PartitionVerifier } from '../partition-store/partition-verifier.ts';
import type { FromSlot, SlotSetup, TaskOutcome, ToSlot } from './slot-messages.ts';

async function serve(port: MessagePort, setup: SlotSetup): Promise<void> {
  const tell = (message: FromSlot) => port.postMessage(message);
  const { workerFolder } = setup;
  const verifier = new PartitionVerifier();
  // Stack traces of bundled map functions name the user's own files.
  process.setSourceMapsEnabled(true);
  let attempt = new AbortController();
  // At most one request of an attempt waits for each of its inputs.
  const waiting = new Map<number, (split: FoundSplit | null) => void>();
  const requestSplit = (input: number) =>
    new Promise<FoundSplit | null>((resolve) => {
      waiting.set(input, resolve);
      tell({ type: 'split-request', input });
    });
  const opening = openSlotDatabase(setup);
  port.on('message', async (message: ToSlot) => {
    if (message.type === 'cancel') return attempt.abort();
    if (message.type === 'split') return waiting.get(message.input)?.(message.split);
    attempt = new AbortController();
    waiting.clear();
    const { signal } = attempt;
    const environment = { workerFolder, signal, verifier, requestSplit };
    tell(await outcomeOf(async () => runTask(message.deployment, { database: await opening, ...environment })));
  });
  // A database that cannot be opened ends the thread, and with it the TaskManager: no attempt can run here.
  await opening;
  tell({ type: 'ready' });
}

async function openSlotDatabase({ workerFolder, slot, memoryBytes }: SlotSetup): Promise<DuckDBInstance> {
  const tempDirectory = join(workerFolder, `temp-${slot}`);
  // What a killed process spilled is nobody's.
  await rm(tempDirectory, { recursive: true, force: true });
  await mkdir(tempDirectory, { recursive: true });
  return openDatabase({ threads: 1, memoryLimitBytes: memoryBytes, tempDirectory });
}

async function outcomeOf(run: () => ReturnType<typeof runTask>): Promise<TaskOutcome> {
  try {
    return { type: 'finished', result: await run() };
  } catch (error) {
    // After DuckDB's own fatal errors its database answers nothing any more: the thread ends, a new one takes over.
    if (/^FATAL Error|database has been invalidated/m.test(messageOf(error))) throw error;
    if (error instanceof TaskError) return { type: 'failed', failure: error.failure };
    return { type: 'failed', failure: { kind: 'task', message: messageOf(error), partition: null } };
  }
}

invariant(parentPort, 'a slot runs in a thread of its TaskManager');
await serve(parentPort, workerData as SlotSetup);
