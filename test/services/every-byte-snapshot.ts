// A multi-epoch store with snapshots, one of its files cut or flipped at one byte: a recovery (StoreWriter.resume and the
// replay behind it) gives a state that the job really had, and all that a snapshot or a mark proves, or it is refused by
// name; and after a repair it succeeds. Shared by the sample in `npm test` and the full loop.
import { cpSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { JobrecError } from '../../src/model/errors.ts';
import type { ExecutionGraph } from '../../src/replay/execution-graph.ts';
import { replayNewest } from '../../src/replay/replay-log.ts';
import { repairStore } from '../../src/services/repair.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { filesOf, newFolder, optionsFor } from '../store/sample-store.ts';
import { stateOf } from './graph-history.ts';
import { longJobId } from './long-store.ts';

export interface EveryByteOptions {
  /** Before any compaction: what the job went through. */
  readonly history: ReadonlySet<string>;
  readonly folder: string;
  readonly stride: number;
  readonly first: number;
  /** One in so many is repaired too. */
  readonly repairEvery: number;
}

export interface EveryByteCounts {
  tried: number;
  recovered: number;
  refused: number;
  repaired: number;
}

export async function damageEveryByte(options: EveryByteOptions): Promise<EveryByteCounts> {
  const counts = { tried: 0, recovered: 0, refused: 0, repaired: 0 };
  const files = await filesOf(options.folder);
  for (const [name, bytes] of files) {
    for (let at = options.first; at < bytes.length; at += options.stride) {
      for (const kind of ['flip', 'cut'] as const) {
        const damaged = kind === 'cut' ? bytes.subarray(0, at) : flipped(bytes, at);
        await tryOnce(options, name, damaged, `${name} ${kind} at ${at}`, counts);
      }
    }
  }
  return counts;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << (at % 8)), at);
  return copy;
}

async function tryOnce(
  { history, folder, repairEvery }: EveryByteOptions,
  name: string,
  damaged: Buffer,
  message: string,
  counts: EveryByteCounts,
): Promise<void> {
  const root = await newFolder();
  try {
    const [first, second] = [path.join(root, '1', 'job-events'), path.join(root, '2', 'job-events')];
    for (const copy of [first, second]) {
      cpSync(folder, copy, { recursive: true });
      await writeFile(path.join(copy, name), damaged);
    }
    counts.tried += 1;
    const recovered = await recover(first, message);
    if (recovered === null) counts.refused += 1;
    else {
      counts.recovered += 1;
      expect(history.has(stateOf(recovered)), `${message}: a state of the job`).toBe(true);
    }
    if (counts.tried % repairEvery !== 0) return;
    await repairStore({ location: second, topology: [], dryRun: false });
    const repaired = await recover(second, `${message}, repaired`);
    expect(repaired, `${message}: repaired, and refused`).not.toBeNull();
    expect(history.has(stateOf(repaired)), `${message}: repaired, a state of the job`).toBe(true);
    if (recovered !== null) expect(stateOf(repaired), `${message}: a repair costs nothing`).toBe(stateOf(recovered));
    counts.repaired += 1;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** As a JobMaster does it; null where it refuses by name. */
async function recover(folder: string, message: string): Promise<ExecutionGraph | null> {
  try {
    const { writer, log } = await StoreWriter.resume(optionsFor(folder, { epoch: 90, jobId: longJobId }));
    try {
      const { graph } = await replayNewest(log);
      expect(graph.lastSequence ?? -1, message).toBe(writer.tookOver?.sequence ?? -1);
      return graph;
    } finally {
      await writer.close();
    }
  } catch (error) {
    if (error instanceof JobrecError && error.code === 'STORE_DAMAGED') return null;
    throw error;
  }
}
