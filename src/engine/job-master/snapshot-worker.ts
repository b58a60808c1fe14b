// The thread that takes one snapshot of the store that its JobMaster writes: it reads the files as any reader does, up to
// an event that was acknowledged, writes, answers and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../model/errors.ts';
import { openJobLog } from '../../store/open-log.ts';
import type { SnapshotAnswer, SnapshotRequest } from './snapshot-taker.ts';
import { takeSnapshot } from './take-snapshot.ts';

async function answerTo({ folder, epoch, sequence, temporary }: SnapshotRequest): Promise<SnapshotAnswer> {
  try {
    const log = await openJobLog(folder);
    return { taken: await takeSnapshot(log, sequence, { folder, epoch, temporary }) };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

if (parentPort !== null) parentPort.postMessage(await answerTo(workerData as SnapshotRequest));
