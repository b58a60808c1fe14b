// What the two flush settings change, counted at the storage port: a longer interval means fewer and larger syncs, and
// later acknowledgements; a smaller buffer cuts the wait. The events and the clock are the same in all runs.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJobLog } from '../../src/store/open-log.ts';
import { localStorage, type StorageFile, type StoragePort } from '../../src/store/storage-port.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { finished, optionsFor, recordsOf, smallSubmitted, temporaryFolder } from './sample-store.ts';

/** A disk that notes how many bytes each sync made durable. */
class CountingStorage implements StoragePort {
  readonly syncedBytes: number[] = [];
  readonly makeFolder = localStorage.makeFolder;
  readonly rename = localStorage.rename;
  readonly remove = localStorage.remove;
  readonly syncFolder = localStorage.syncFolder;

  async createFile(name: string): Promise<StorageFile> {
    return this.#counting(await localStorage.createFile(name));
  }

  async openFile(name: string): Promise<StorageFile> {
    return this.#counting(await localStorage.openFile(name));
  }

  #counting(file: StorageFile): StorageFile {
    let written = 0;
    return {
      write: async (bytes, position) => {
        const taken = await file.write(bytes, position);
        written += taken;
        return taken;
      },
      datasync: async () => {
        await file.datasync();
        if (written > 0) this.syncedBytes.push(written);
        written = 0;
      },
      close: () => file.close(),
    };
  }
}

const events = 40;

interface Outcome {
  /** Bytes of each sync, and acknowledged events, while events came. */
  readonly syncedMeanwhile: readonly number[];
  readonly acknowledgedMeanwhile: number;
  /** Bytes of each sync by the time the writer had closed, and the events in the store then. */
  readonly synced: readonly number[];
  readonly stored: number;
}

/** Appends events one by one, giving the writer time between them. */
async function outcomeOf(settings: { flushIntervalMs: number; writeBufferSizeBytes: number }): Promise<Outcome> {
  const storage = new CountingStorage();
  const folder = path.join(await temporaryFolder(), 'job-events');
  const writer = await StoreWriter.create({ ...optionsFor(folder, settings), storage });
  const before = storage.syncedBytes.length;
  let acknowledgedMeanwhile = 0;
  for (const event of [smallSubmitted, ...Array.from({ length: events }, (_, subtask) => finished(subtask))]) {
    const acknowledged = writer.append(event).durable.then(() => true);
    const isSoon = await Promise.race([acknowledged, pause(settings.flushIntervalMs === 0 ? 10_000 : 5)]);
    if (isSoon) acknowledgedMeanwhile += 1;
  }
  const syncedMeanwhile = storage.syncedBytes.slice(before);
  await writer.close();
  const stored = (await recordsOf(await openJobLog(folder))).length;
  return { syncedMeanwhile, acknowledgedMeanwhile, synced: storage.syncedBytes.slice(before), stored };
}

function pause(durationMs: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), durationMs).unref());
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

describe('flush settings', () => {
  it('a longer interval syncs less often and more at once, and acknowledges later', async () => {
    const eager = await outcomeOf({ flushIntervalMs: 0, writeBufferSizeBytes: 2 ** 20 });
    const patient = await outcomeOf({ flushIntervalMs: 60_000, writeBufferSizeBytes: 2 ** 20 });
    expect(eager.acknowledgedMeanwhile).toBe(events + 1);
    expect(patient.acknowledgedMeanwhile).toBe(0);
    expect(eager.synced.length).toBeGreaterThan(events);
    expect(patient.syncedMeanwhile).toEqual([]);
    expect(patient.synced.length).toBeLessThan(5);
    expect(mean(patient.synced)).toBeGreaterThan(5 * mean(eager.synced));
    // In the end all is there, whichever way it went.
    expect([eager.stored, patient.stored]).toEqual([events + 1, events + 1]);
  });

  it('a small buffer cuts a long interval', async () => {
    const { syncedMeanwhile, stored } = await outcomeOf({ flushIntervalMs: 60_000, writeBufferSizeBytes: 500 });
    expect(syncedMeanwhile.length).toBeGreaterThan(1);
    expect(stored).toBe(events + 1);
  });
});
