// Power failures at every disk operation of a writer's life, over several epochs. The law: whatever was acknowledged is
// there afterwards, in order and once; what is there was appended; and the store can always be gone on with.
import path from 'node:path';
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/model/job-events.ts';
import { StoreWriter } from '../../src/store/writer.ts';
import { FaultyStorage, seededRandom } from './faulty-storage.ts';
import { finished, optionsFor, recordsOf, smallSubmitted, temporaryFolder } from './sample-store.ts';

interface Life {
  /** Events that the writer was given, by sequence number, and how many of them it acknowledged. */
  readonly appended: JobEvent[];
  acknowledged: number;
}

/** One epoch on a disk that dies at operation `fuse`. Returns whether it got to its end. */
async function liveUntil(
  fuse: number,
  folder: string,
  epoch: number,
  life: Life,
  random: () => number,
): Promise<boolean> {
  let used = 0;
  const storage = new FaultyStorage(() => {
    used += 1;
    return used > fuse ? { error: 'EIO' } : null;
  });
  try {
    await live(optionsFor(folder, { epoch, storage, segmentSizeBytesMax: 700 }), life, random);
  } catch (error) {
    if (used <= fuse) throw error;
  }
  await storage.crash(random);
  return used <= fuse;
}

async function live(options: ReturnType<typeof optionsFor>, life: Life, random: () => number): Promise<void> {
  const { writer, log } = await StoreWriter.resume(options);
  const found = (await recordsOf(log)).map((record) => record.event);
  expect(found.length).toBeGreaterThanOrEqual(life.acknowledged);
  expect(found).toEqual(life.appended.slice(0, found.length));
  life.appended.length = found.length;
  life.acknowledged = found.length;
  try {
    for (let group = 0; group < 4; group++) await appendGroup(writer, life, 1 + Math.floor(random() * 3));
  } finally {
    await writer.close().catch(() => {});
  }
  if (writer.poisoned) throw writer.poisoned;
}

async function appendGroup(writer: StoreWriter, life: Life, size: number): Promise<void> {
  for (let index = 0; index < size; index++) {
    const event = life.appended.length === 0 ? smallSubmitted : finished(life.appended.length);
    const { sequence, durable } = writer.append(event);
    life.appended[sequence] = event;
    durable.then(
      () => {
        life.acknowledged = Math.max(life.acknowledged, sequence + 1);
      },
      () => {},
    );
  }
  await writer.flush();
}

test('no acknowledged event is lost, wherever the power fails', { timeout: 120_000 }, async () => {
  const seed = Number(process.env.JOBREC_TEST_SEED ?? 20_261_121);
  const random = seededRandom(seed);
  const root = await temporaryFolder();
  let reachedEnd = false;
  for (let fuse = 0; !reachedEnd; fuse++) {
    const life: Life = { appended: [], acknowledged: 0 };
    const folder = path.join(root, `${fuse}`, 'job-events');
    // the first epoch dies at `fuse`, the second wherever chance has it, the third must get through
    reachedEnd = await liveUntil(fuse, folder, 1, life, random).catch(rethrowWith(seed, fuse));
    await liveUntil(Math.floor(random() * 60), folder, 2, life, random).catch(rethrowWith(seed, fuse));
    await liveUntil(Number.POSITIVE_INFINITY, folder, 3, life, random).catch(rethrowWith(seed, fuse));
    expect(life.acknowledged, `seed ${seed}, fuse ${fuse}`).toBe(life.appended.length);
  }
});

function rethrowWith(seed: number, fuse: number): (error: unknown) => never {
  return (error) => {
    throw new Error(`seed ${seed}, fuse ${fuse}: ${error instanceof Error ? error.stack : String(error)}`);
  };
}
